import {
  anytimeValidT,
  binomialAcceptance,
  confidenceSequence,
  groupSequentialBoundary,
  groupSequentialDesign,
  ksUniform,
  monitorGroupSequential,
  monitorSequence,
  msprt,
  naivePeeking,
  robustStandardError,
  tuneRho,
} from '../../src/stats/index.ts';
import { type Adapters, answer } from './adapter.ts';

export const SEQUENTIAL: Adapters = {
  'sequential.asymptoticConfidenceSequence': (inputs) => answer(confidenceSequence(inputs, inputs)),
  'sequential.asymptoticConfidenceSequence.monitor': ({ looks, ...options }) =>
    answer(monitorSequence(looks, options), ({ isIntersectionEmpty, ...monitor }) => ({
      ...monitor,
      intersectionEmpty: isIntersectionEmpty,
    })),
  'sequential.tuneRho': ({ alpha, tuningN }) =>
    answer(tuneRho(alpha, tuningN), ({ approximate, exact }) => ({
      rhoSquaredApprox: approximate,
      rhoSquaredExact: exact,
    })),
  'sequential.robustStandardError': ({ treatment, control }) =>
    answer(robustStandardError(treatment, control)),
  'sequential.msprt': ({ estimate, se, tauSquared, alpha }) =>
    answer(msprt(estimate, se, tauSquared, alpha)),
  'sequential.anytimeValidT': ({ g, alpha, ...statistic }) =>
    answer(anytimeValidT(statistic, g, alpha)),
  'sequential.groupSequentialBoundary': ({ informationFractions, ...options }) =>
    answer(groupSequentialBoundary(informationFractions, options)),
  'sequential.groupSequentialInflation': ({ looks, ...options }) =>
    answer(groupSequentialDesign(looks, options)),
  'sequential.groupSequentialMonitor': ({ looks, lastLookIsFinal, ...options }) =>
    answer(monitorGroupSequential(looks, { ...options, isLastLookFinal: lastLookIsFinal })),
  'validation.naivePeekingTypeI': ({ equallySpacedLooks, alpha, sided }) =>
    answer(naivePeeking(equallySpacedLooks, alpha, sided)),
  'validation.binomialAcceptance': ({ simulations, nominal, falseAlarm }) =>
    answer(binomialAcceptance(simulations, nominal, falseAlarm)),
  'validation.ksUniform': ({ pValues }) => answer(ksUniform(pValues)),
};

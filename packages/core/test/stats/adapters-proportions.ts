import {
  clopperPearsonInterval,
  constrainedRates,
  fisherTest,
  logRateLift,
  newcombeDifference,
  poissonRateRatio,
  scoreDifference,
  scoreLift,
  wilsonInterval,
  zDifference,
} from '../../src/stats/index.ts';
import { type Adapters, answer } from './adapter.ts';

export const PROPORTIONS: Adapters = {
  'proportion.wilson': ({ x, n, alpha }) => answer(wilsonInterval({ x, n }, alpha)),
  'proportion.clopperPearson': ({ x, n, alpha }) => answer(clopperPearsonInterval({ x, n }, alpha)),
  'proportion.diff.newcombe': ({ treatment, control, alpha }) =>
    answer(newcombeDifference(treatment, control, alpha)),
  'proportion.diff.miettinenNurminen': ({ treatment, control, alpha }) =>
    answer(scoreDifference(treatment, control, alpha)),
  'proportion.diff.constrainedMle': ({ treatment, control, delta }) => {
    const rates = constrainedRates(treatment, control, delta);
    return { pTreatment: rates.treatment, pControl: rates.control };
  },
  'proportion.zTest': ({ treatment, control, alpha }) =>
    answer(zDifference(treatment, control, alpha)),
  'proportion.fisherExact': ({ treatment, control }) => answer(fisherTest(treatment, control)),
  'proportion.lift.score': ({ treatment, control, alpha }) =>
    answer(scoreLift(treatment, control, alpha)),
  'proportion.lift.log': ({ treatment, control, alpha }) =>
    answer(logRateLift(treatment, control, alpha)),
  'count.poissonRateExact': ({ treatment, control, alpha }) =>
    answer(poissonRateRatio(treatment, control, alpha)),
};

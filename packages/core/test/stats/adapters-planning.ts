import {
  experimentDuration,
  guardrailPower,
  meanMde,
  meanPower,
  meanSampleSize,
  multiArmSampleSize,
  nonInferioritySampleSize,
  proportionMde,
  proportionPower,
  proportionSampleSize,
  ratioSampleSize,
  sequenceSampleSize,
} from '../../src/stats/index.ts';
import { type Adapters, answer } from './adapter.ts';

export const PLANNING: Adapters = {
  'power.proportion.sampleSize': (plan) => answer(proportionSampleSize(plan)),
  'power.proportion.power': (plan) => answer(proportionPower(plan)),
  'power.proportion.mde': (plan) => answer(proportionMde(plan)),
  'power.mean.sampleSize': (plan) => answer(meanSampleSize(plan)),
  'power.mean.powerT': (plan) => answer(meanPower(plan)),
  'power.mean.mde': (plan) => answer(meanMde(plan)),
  'power.ratio.sampleSize': (plan) => answer(ratioSampleSize(plan)),
  'power.multiArm.totalSampleSize': (plan) => answer(multiArmSampleSize(plan)),
  'power.asymptoticCs.sampleSize': (plan) => answer(sequenceSampleSize(plan)),
  'power.duration': (plan) => answer(experimentDuration(plan)),
  'power.nonInferiority.sampleSize': (plan) => answer(nonInferioritySampleSize(plan)),
  'power.guardrailCorrection': ({ guardrails, power }) => answer(guardrailPower(guardrails, power)),
};

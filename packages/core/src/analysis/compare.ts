import { adjust, type Covariates, covariatesOf, type Pair } from './adjust.ts';
import { type ArmSampleOutcome, sampleOf, withoutRounding } from './arm-sample.ts';
import { compareBayesian } from './compare-bayesian.ts';
import { compareRates, compareSamples } from './compare-fixed.ts';
import { compareSequential } from './compare-sequential.ts';
import { joined } from './lift.ts';
import { type Measured, refused } from './measured.ts';
import { isReleased } from './released.ts';
import type { Setting } from './setting.ts';
import type { AnalysisMetric, ArmData, Comparison, TestName } from './types.ts';

/** A metric with the samples of its arms. */
export interface Prepared {
  readonly metric: AnalysisMetric;
  /** Freed of rounding. */
  readonly data: readonly ArmData[];
  readonly samples: readonly ArmSampleOutcome[];
  readonly covariates: Covariates | null;
}

/** The samples of all arms of a metric. @param alpha of the analysis */
export function prepare(metric: AnalysisMetric, alpha: number): Prepared {
  const data = withoutRounding(metric.data);
  const samples = data.map((arm) => sampleOf(arm, alpha));
  return { metric, data, samples, covariates: covariatesOf(data) };
}

/** A treatment against the control, before it is judged. */
export interface Unjudged {
  readonly measured: Measured;
  /** Null where nothing may be tested: a sample was refused, or is not released. */
  readonly pair: Pair | null;
  readonly pending: Comparison['pending'];
}

const knownValue = (outcome: ArmSampleOutcome): number | undefined =>
  outcome.status === 'ok' ? outcome.sample.mean : outcome.value;

/** Why two samples cannot be compared, with what is known of them all the same. */
function refusal(t: ArmSampleOutcome, c: ArmSampleOutcome): Measured {
  const [treatment, control] = [knownValue(t), knownValue(c)];
  const values =
    treatment === undefined || control === undefined ? undefined : ([treatment, control] as const);
  const [status = 'INVALID_INPUT'] = [t, c].flatMap((outcome) =>
    outcome.status === 'ok' ? [] : outcome.status,
  );
  return refused(status, values);
}

const TESTS: Readonly<Record<ArmData['kind'], TestName>> = {
  rate: 'welch',
  mean: 'welch',
  ratio: 'welch_delta',
  quantile: 'order_statistics',
};

function measure(
  pair: Pair,
  [treatment, control]: readonly [ArmData, ArmData],
  { direction }: AnalysisMetric,
  { options: { method, alpha }, boundary }: Setting,
  isWaiting: boolean,
): Measured {
  switch (method) {
    case 'fixed':
      return treatment.kind === 'rate' && control.kind === 'rate' && pair.cuped === null
        ? compareRates(treatment, control, alpha, pair.flags)
        : compareSamples(pair, TESTS[treatment.kind], alpha);
    case 'sequential':
      return compareSequential(pair, boundary, !isWaiting);
    case 'bayesian':
      return compareBayesian(pair, alpha, direction);
  }
}

/** What keeps the verdict of an arm waiting, the first reason of several. */
function pendingOf(arm: number, isUnreleased: boolean, setting: Setting): Comparison['pending'] {
  const { arms, control, options, isFinal } = setting;
  const users = Math.min(arms[arm]?.users ?? 0, arms[control]?.users ?? 0);
  if (!(users >= options.minSample)) return 'insufficient_users';
  if (isUnreleased) return 'not_released';
  return options.method === 'fixed' && !isFinal ? 'before_planned_end' : null;
}

/** One arm of a metric against the control, by the method of the analysis. */
export function compareArm(prepared: Prepared, arm: number, setting: Setting): Unjudged {
  const { metric, data, samples, covariates } = prepared;
  const { control, options } = setting;
  const [tData, cData] = [data[arm], data[control]];
  const [t, c] = [samples[arm], samples[control]];
  if (!tData || !cData || !t || !c || tData.kind !== cData.kind) {
    const measured = refused('INVALID_INPUT');
    return { measured, pair: null, pending: pendingOf(arm, false, setting) };
  }
  if (t.status !== 'ok' || c.status !== 'ok') {
    return { measured: refusal(t, c), pair: null, pending: pendingOf(arm, false, setting) };
  }
  const flags = joined(t.flags, c.flags);
  const raw: Pair = { treatment: t.sample, control: c.sample, flags, cuped: null };
  const pair = adjust(raw, covariates, arm, control, options.alpha);
  const isWaiting =
    options.method === 'sequential' &&
    !(isReleased(tData, pair.treatment, pair.flags) && isReleased(cData, pair.control, pair.flags));
  return {
    measured: measure(pair, [tData, cData], metric, setting, isWaiting),
    pair: isWaiting ? null : pair,
    pending: pendingOf(arm, isWaiting, setting),
  };
}

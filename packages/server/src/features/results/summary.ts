import type { BuiltInMetric, ResultsSummary, VariantResult } from '@assay/contract';
import { currentMde, srmTest } from '@assay/core/stats';
import type { ExperimentRecord, ExperimentVersion } from '../experiments/experiment.ts';
import type { VersionCount } from './question.ts';

type Srm = ResultsSummary['health']['srm'];

const SRM_ALARM = 0.001;
const SRM_WARNING = 0.01;
const POWER = 0.8;

/**
 * Sample ratio mismatch of the assigned users. Each version expects its own shares of its own
 * users; the expectation of the whole is their sum.
 */
export function srmOf(
  experiment: ExperimentRecord,
  versions: readonly ExperimentVersion[],
  counts: readonly VersionCount[],
): Srm {
  const ids = experiment.variants.map(({ id }) => id);
  const observed = ids.map((id) =>
    counts.reduce((sum, row) => (row.variantId === id ? sum + row.users : sum), 0),
  );
  const usersOf = new Map<number, number>();
  for (const { version, users } of counts)
    usersOf.set(version, (usersOf.get(version) ?? 0) + users);
  const present = experiment.variants.map(({ id, allocation }) => ({ variantId: id, allocation }));
  const expected = ids.map(() => 0);
  for (const [version, users] of usersOf) {
    const allocations = versions.find((row) => row.version === version)?.allocations ?? present;
    ids.forEach((id, index) => {
      const share = allocations.find(({ variantId }) => variantId === id)?.allocation ?? 0;
      expected[index] = (expected[index] ?? 0) + (users * share) / 10_000;
    });
  }
  const test = srmTest(observed, expected);
  if (test.status !== 'ok') {
    // Users where none should be are a mismatch beyond doubt; no users are none.
    const status = test.status === 'UNEXPECTED_ARM' ? 'alarm' : 'not_enough_data';
    return { status, p_value: null, observed, expected };
  }
  if (test.test === 'not_enough_data') {
    return { status: 'not_enough_data', p_value: null, observed, expected };
  }
  const { pValue } = test;
  const status = pValue < SRM_ALARM ? 'alarm' : pValue < SRM_WARNING ? 'warning' : 'ok';
  return { status, p_value: pValue, observed, expected };
}

/** What the verdict depends on. */
export interface Verdict {
  readonly experiment: ExperimentRecord;
  readonly variants: readonly VariantResult[];
  /** Metrics that decide, in order. */
  readonly goals: readonly BuiltInMetric[];
  readonly srm: Srm;
  readonly nowMs: number;
  readonly minSample: number;
}

type Recommendation = Pick<ResultsSummary, 'winning_variant' | 'recommendation' | 'reasons'>;

/** Whether a fixed-horizon result may be read: looking earlier would find winners in noise. */
function isDecidable({ experiment, variants, nowMs }: Verdict): boolean {
  if (experiment.status === 'stopped' || experiment.status === 'archived') return true;
  if (experiment.endsAt !== null && Date.parse(experiment.endsAt) <= nowMs) return true;
  const { expected_users: expected } = experiment.analysis;
  return expected !== null && usersOf(variants) >= expected;
}

const usersOf = (variants: readonly VariantResult[]): number =>
  variants.reduce((sum, { assigned_users }) => sum + assigned_users, 0);

/** The winner, if the fixed-horizon test names one, and what to do, in words. */
export function recommend(verdict: Verdict): Recommendation {
  const { variants, goals, srm, minSample } = verdict;
  const none = (
    recommendation: ResultsSummary['recommendation'],
    ...reasons: string[]
  ): Recommendation => ({ winning_variant: null, recommendation, reasons });

  if (usersOf(variants) === 0) return none('no_data', 'No user has been assigned yet.');
  if (srm.status === 'alarm') {
    return none('discuss', 'The split of users is not the planned one, so results may be biased.');
  }
  if (goals.length === 0) return none('discuss', 'No metric with a comparison was asked for.');
  const isOver = isDecidable(verdict);
  const small = variants.filter(({ sufficient }) => !sufficient).map(({ key }) => key);
  const smallness = small.map((key) => `"${key}" has fewer than ${minSample} users.`);
  const treatments = variants.filter(({ is_control, sufficient }) => !is_control && sufficient);
  const hasControl = variants.some(({ is_control, sufficient }) => is_control && sufficient);
  if (!hasControl || treatments.length === 0) {
    return none(isOver ? 'discuss' : 'keep_running', ...smallness);
  }
  if (!isOver) {
    const why = 'The planned end has not come; a fixed-horizon test is read once, at the end.';
    return none('keep_running', why, ...smallness);
  }
  const judged = treatments.map((variant) => judge(variant, goals));
  const [best] = judged.filter(({ isBetter }) => isBetter).sort((a, b) => b.effect - a.effect);
  if (best !== undefined) {
    const why = `"${best.key}" is significantly better than the control and worse in no goal.`;
    return { winning_variant: best.key, recommendation: 'ship', reasons: [why, ...smallness] };
  }
  if (judged.some(({ isWorse }) => isWorse)) {
    return none('roll_back', 'No variant is better, and at least one is worse.', ...smallness);
  }
  return none(
    'discuss',
    'The experiment has ended without a significant difference.',
    ...smallness,
  );
}

/** How one treatment did in the goals, all of which shall go up. */
function judge({ key, metrics }: VariantResult, goals: readonly BuiltInMetric[]) {
  const significant = goals
    .flatMap((goal) => metrics[goal]?.vs_control ?? [])
    .filter((comparison) => comparison.significant);
  const isWorse = significant.some(({ difference }) => (difference ?? 0) < 0);
  const [first] = significant;
  return {
    key,
    isWorse,
    isBetter: !isWorse && first !== undefined,
    effect: first?.lift ?? first?.difference ?? 0,
  };
}

/** The relative effect that the present data would find in the first goal; null if there is none. */
export function detectableEffect(
  variants: readonly VariantResult[],
  goals: readonly BuiltInMetric[],
  alpha: number,
): number | null {
  const [goal] = goals;
  if (goal === undefined) return null;
  const baseline = variants.find(({ is_control }) => is_control)?.metrics[goal]?.value;
  const errors = variants.flatMap(({ metrics }) => metrics[goal]?.vs_control?.standard_error ?? []);
  if (!baseline || errors.length === 0) return null;
  const effect = currentMde(Math.max(...errors), alpha, POWER) / Math.abs(baseline);
  return Number.isFinite(effect) && effect > 0 ? effect : null;
}

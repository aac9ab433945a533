import type { FieldError, PowerRequest, PowerResult } from '@assay/contract';
import { isRateKind, type PlanInput, ratioBaseline } from '@assay/core/analysis';
import { must } from '../../errors.ts';
import type { Fact, Known } from './facts.ts';

/** What no request and no experiment says. */
const DEFAULTS = {
  effect_type: 'relative',
  role: 'goal',
  alpha: 0.05,
  power: 0.8,
  allocation: [50, 50],
  method: 'sequential',
  planned: true,
  cuped_correlation: 0,
  goals: 1,
  guardrails: 0,
  traffic_pct: 100,
  minimum_days: 7,
} as const satisfies PowerRequest;

/** Facts of one source, without the fields that it leaves open. */
const asKnown = (given: PowerRequest, source: 'request' | 'default'): Known =>
  Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, { value, source }]],
    ),
  );

/** A plan whose every number is settled. */
export interface Settled {
  readonly input: PlanInput;
  readonly assumptions: PowerResult['assumptions'];
}

/**
 * Settles every number of a plan: what the request gives, else what an experiment says, else a
 * default. Answers the fields that are missing when there are any.
 *
 * @param said by the experiment; nothing without one
 * @param observed the cumulative number of its users by day, for the daily users that it says
 */
export function settle(
  request: PowerRequest,
  said: Known,
  observed: readonly number[],
): Settled | { readonly errors: readonly FieldError[] } {
  const moments = momentFacts(request);
  if ('errors' in moments) return moments;
  const known: Known = {
    ...asKnown(DEFAULTS, 'default'),
    ...said,
    ...asKnown(request, 'request'),
    ...moments.known,
  };
  const isGuardrail = known.role?.value === 'guardrail';
  const effect = known.effect?.value ?? (isGuardrail ? 0 : undefined);
  const margin = isGuardrail ? known.margin?.value : null;
  const kind = known.kind?.value;
  const baseline = known.baseline?.value;
  if (
    kind === undefined ||
    baseline === undefined ||
    effect === undefined ||
    margin === undefined
  ) {
    return { errors: missingFields({ kind, baseline, effect, margin }) };
  }
  const isSequential = known.method?.value === 'sequential';
  const isPlanned = isSequential && known.planned?.value === true;
  const input: PlanInput = {
    kind,
    baseline,
    deviation: isRateKind(kind) ? null : (known.standard_deviation?.value ?? null),
    effect: { type: settledOf(known, 'effect_type'), value: effect },
    margin,
    alpha: settledOf(known, 'alpha'),
    power: settledOf(known, 'power'),
    allocation: settledOf(known, 'allocation'),
    method: settledOf(known, 'method'),
    isPlanned,
    cupedCorrelation: settledOf(known, 'cuped_correlation'),
    goals: settledOf(known, 'goals'),
    guardrails: settledOf(known, 'guardrails'),
    recruitment: recruitmentOf(known, observed),
    minimumDays: settledOf(known, 'minimum_days'),
  };
  const unused: ReadonlySet<string> = new Set([
    // Parts of the question, not of what is assumed to answer it.
    'experiment',
    'metric',
    'event_type',
    ...(isRateKind(kind) ? ['standard_deviation'] : []),
    ...(isGuardrail ? ['goals'] : ['margin']),
    ...(isSequential ? [] : ['planned']),
    ...(input.recruitment === null ? ['traffic_pct'] : []),
  ]);
  const assumptions = Object.entries(known)
    .filter(([field]) => !unused.has(field))
    .map(([field, fact]) => ({ field, ...fact }));
  return { input, assumptions };
}

/** Of a field that has a default. */
function settledOf<Name extends keyof typeof DEFAULTS>(
  known: Known,
  name: Name,
): NonNullable<PowerRequest[Name]> {
  const fact: Fact<NonNullable<PowerRequest[Name]>> | undefined = known[name];
  return must(fact, `${name} has a default`).value;
}

const MISSING = {
  kind: 'is needed; a total such as event_count has none, since it is compared with nothing',
  baseline: 'is needed: neither the request nor results say what the control has',
  effect: 'is needed: the effect that is to be found',
  margin: 'is needed: how much worse the guardrail may be, as a share of its baseline',
};

const missingFields = (
  given: Readonly<Record<keyof typeof MISSING, unknown>>,
): readonly FieldError[] =>
  Object.entries(MISSING)
    .filter(([path]) => given[path as keyof typeof MISSING] === undefined)
    .map(([path, message]) => ({ path, message }));

/** Users who come; observed only while nobody says another number of them. */
function recruitmentOf(known: Known, observed: readonly number[]): PlanInput['recruitment'] {
  const daily = known.daily_users;
  if (daily === undefined) return null;
  return {
    observed: daily.source === 'traffic' ? observed : [],
    daily: daily.value,
    share: settledOf(known, 'traffic_pct') / 100,
  };
}

/** Baseline and deviation that the moments of a ratio give. */
function momentFacts({
  moments,
}: PowerRequest): { readonly known: Known } | { readonly errors: readonly FieldError[] } {
  if (moments === undefined) return { known: {} };
  const ratio = ratioBaseline({
    meanNumerator: moments.mean_numerator,
    meanDenominator: moments.mean_denominator,
    varNumerator: moments.var_numerator,
    varDenominator: moments.var_denominator,
    covariance: moments.covariance,
  });
  if (ratio.status !== 'ok') {
    const [path, message] = MOMENT_PROBLEMS[ratio.status] ?? ['moments', 'must be finite numbers'];
    return { errors: [{ path, message: `${message} (${ratio.status})` }] };
  }
  const fact = (value: number) =>
    ({ value, source: 'request', note: 'follows from moments, by the delta method' }) as const;
  return { known: { baseline: fact(ratio.baseline), standard_deviation: fact(ratio.deviation) } };
}

const MOMENT_PROBLEMS: Readonly<Record<string, readonly [path: string, message: string]>> = {
  ZERO_DENOMINATOR: ['moments.mean_denominator', 'must not be 0, since it divides'],
  ZERO_BASELINE: [
    'moments.mean_numerator',
    'must not be 0; give baseline, standard_deviation and an absolute effect instead',
  ],
};

import type {
  AnalysedMetric,
  Analysis,
  AnalysisArm,
  AnalysisMethod,
  Comparison,
  MetricRole,
} from './types.ts';

/** How the split of the users compares with the planned one. */
export type SrmStatus = 'ok' | 'warning' | 'alarm' | 'not_enough_data';

/** A fault of a metric's data, which forbids to name a winner. */
export interface HealthBlock {
  readonly kind: 'missing_events' | 'contaminated_covariate';
  /** Key of the metric. */
  readonly metric: string;
}

/** What a recommendation rests on. */
export interface DecisionInput {
  readonly analysis: Analysis;
  /** Those of the analysis, in the same order. */
  readonly arms: readonly AnalysisArm[];
  readonly method: AnalysisMethod;
  /** Arms with fewer users take no part. */
  readonly minSample: number;
  readonly srm: SrmStatus;
  /** Contaminated covariates that the analysis flags itself need not be repeated. */
  readonly blocks: readonly HealthBlock[];
}

/** What to do, and why. */
export interface Recommendation {
  readonly recommendation: 'ship' | 'keep_running' | 'discuss' | 'roll_back' | 'no_data';
  /** Key of the arm to ship; only with `ship`. */
  readonly winner: string | null;
  /** Sentences. */
  readonly reasons: readonly string[];
}

/** One metric of an arm, as the decision needs it. */
interface Finding {
  readonly metric: AnalysedMetric;
  readonly comparison: Comparison;
}

/** What was found of one treatment. */
interface Judgement {
  readonly key: string;
  readonly better: readonly Finding[];
  readonly worse: readonly Finding[];
  readonly failed: readonly Finding[];
  /** Secondary metrics that are worse: a reason to talk, not to roll back. */
  readonly doubtful: readonly Finding[];
  /** Guardrails whose margin is not shown to hold. */
  readonly unproven: readonly Finding[];
  readonly pending: readonly Comparison['pending'][];
  /** In the first goal, in its good direction. */
  readonly effect: number;
}

function judgementOf(metrics: readonly AnalysedMetric[], key: string, arm: number): Judgement {
  const findings = metrics.flatMap((metric): Finding[] => {
    const comparison = metric.comparisons[arm];
    return comparison ? [{ metric, comparison }] : [];
  });
  const of = (role: MetricRole, isIn: (comparison: Comparison) => boolean) =>
    findings.filter(({ metric, comparison }) => metric.role === role && isIn(comparison));
  const [first] = of('goal', () => true);
  const effect = first?.comparison.lift ?? first?.comparison.difference ?? 0;
  return {
    key,
    better: of('goal', ({ isBetter }) => isBetter === true),
    worse: of('goal', ({ isBetter }) => isBetter === false),
    failed: of('guardrail', ({ guardrail }) => guardrail?.verdict === 'failed'),
    doubtful: of('secondary', ({ isBetter }) => isBetter === false),
    unproven: of(
      'guardrail',
      // Before the planned end nothing is decided, however clear it is.
      ({ guardrail, pending }) =>
        guardrail?.verdict === 'undecided' &&
        guardrail.margin !== null &&
        pending !== 'before_planned_end',
    ),
    pending: of('goal', () => true).map(({ comparison }) => comparison.pending),
    effect: first?.metric.direction === 'decrease' ? -effect : effect,
  };
}

const names = (findings: readonly Finding[]): string =>
  findings.map(({ metric }) => `"${metric.key}"`).join(', ');

/** What was found of a treatment, in words. */
function describe({ key, better, worse, failed, doubtful, unproven }: Judgement): string[] {
  const sentence = (findings: readonly Finding[], words: string): string[] =>
    findings.length === 0 ? [] : [`"${key}" ${words} ${names(findings)}.`];
  return [
    ...sentence(better, 'is significantly better than the control in'),
    ...sentence(worse, 'is significantly worse than the control in'),
    ...sentence(failed, 'is significantly worse than the control in the guardrail'),
    ...sentence(doubtful, 'is significantly worse, without adjustment, in the secondary metric'),
    ...sentence(unproven, 'is not shown to stay within the margin of the guardrail'),
  ];
}

const BLOCKS: Readonly<Record<HealthBlock['kind'], (metric: string) => string>> = {
  missing_events: (metric) => `No event has been seen for "${metric}".`,
  contaminated_covariate: (metric) =>
    `What users did before their assignment differs too much in "${metric}": the covariate may not be from before.`,
};

/** Keys of the metrics that decide and whose covariate is contaminated: their numbers are in doubt. */
function contaminatedKeys({ analysis, blocks }: DecisionInput): ReadonlySet<string> {
  const given = blocks.filter(({ kind }) => kind === 'contaminated_covariate');
  const flagged = analysis.metrics.filter(
    ({ role, comparisons }) =>
      role !== 'secondary' &&
      comparisons.some((comparison) => comparison?.flags.includes('COVARIATE_CONTAMINATION')),
  );
  return new Set([...given.map(({ metric }) => metric), ...flagged.map(({ key }) => key)]);
}

/** What forbids a winner, in words. */
function blocksOf(input: DecisionInput): readonly string[] {
  const missing = input.blocks.filter(({ kind }) => kind === 'missing_events');
  return [
    ...missing.map(({ metric }) => BLOCKS.missing_events(metric)),
    ...[...contaminatedKeys(input)].map(BLOCKS.contaminated_covariate),
  ];
}

/** From so many times the planned users on, the looks beyond the plan are worth a word. */
const OVERRUN = 1.1;

/** That looks went on beyond the plan, of a method that promises an error rate. */
function overrun({ analysis: { informationFraction }, method }: DecisionInput): readonly string[] {
  if (method === 'bayesian' || informationFraction === null || informationFraction < OVERRUN) {
    return [];
  }
  const times = informationFraction.toFixed(1);
  const looks = method === 'fixed' ? 'for one look at its end' : 'for all looks up to its end';
  return [
    `There are ${times} times the users of the plan, whose error rate holds ${looks}: every later look is a further chance to be wrong.`,
  ];
}

/** Why an experiment that shall go on is not decided. */
function waitingFor(judgements: readonly Judgement[]): string[] {
  const pending = judgements.flatMap((judgement) => judgement.pending);
  if (pending.includes('before_planned_end')) {
    return [
      'A fixed-horizon test is read once, at its end: when expected_users or ends_at is reached, or the experiment is stopped.',
    ];
  }
  if (pending.includes('not_released')) {
    return ['There are too few users or outcomes yet for a verdict that holds at every look.'];
  }
  return judgements.some(({ better }) => better.length > 0)
    ? []
    : ['No goal shows a significant difference yet.'];
}

/** The same without what is seen through a contaminated covariate; it is one of an arm, not of a metric. */
function beyondDoubt(judgement: Judgement, { blocks }: DecisionInput): Judgement {
  const doubted = blocks.flatMap(({ kind, metric }) =>
    kind === 'contaminated_covariate' ? [metric] : [],
  );
  const sure = (findings: readonly Finding[]): readonly Finding[] =>
    findings.filter(
      ({ metric, comparison }) =>
        !doubted.includes(metric.key) && !comparison.flags.includes('COVARIATE_CONTAMINATION'),
    );
  const { better, worse, failed, doubtful } = judgement;
  return {
    ...judgement,
    better: sure(better),
    worse: sure(worse),
    failed: sure(failed),
    doubtful: sure(doubtful),
  };
}

/**
 * The decision over treatments with enough users.
 *
 * @param isBlocked what forbids a winner
 * @param isEnough no more users would change it
 */
function decide(
  judgements: readonly Judgement[],
  isBlocked: boolean,
  isEnough: boolean,
): Omit<Recommendation, 'reasons'> {
  const isHarmed = ({ worse, failed }: Judgement): boolean => worse.length + failed.length > 0;
  const ready = judgements.filter((arm) => arm.better.length > 0 && !isHarmed(arm));
  const clean = ready.filter(({ doubtful, unproven }) => doubtful.length + unproven.length === 0);
  const [best] = [...clean].sort((a, b) => b.effect - a.effect);
  if (best !== undefined && !isBlocked) return { recommendation: 'ship', winner: best.key };
  const isAnyHarmed = judgements.some(isHarmed);
  if (isAnyHarmed && ready.length === 0) return { recommendation: 'roll_back', winner: null };
  // What is better and waits for nothing but its guardrails may get them with more users.
  const isStuck = isAnyHarmed || clean.length > 0 || ready.some((arm) => arm.doubtful.length > 0);
  return { recommendation: isEnough || isStuck ? 'discuss' : 'keep_running', winner: null };
}

/**
 * What to do (§6.5; Schultzberg, Ankargren & Frånberg 2024): ship a treatment that is significantly
 * better in a goal, worse in nothing, and within the margin of every guardrail, the best of several by
 * its effect in the first goal; roll back when a goal or a guardrail is worse and no treatment is
 * better and unharmed; keep running while more users could decide; else discuss. A broken split or
 * a fault of the data forbids a winner, and what is seen through a contaminated covariate alone decides
 * nothing. A treatment with few users does not hold up the others. With a
 * margin that holds, a significant difference within it is no harm.
 */
export function recommend(input: DecisionInput): Recommendation {
  const { analysis, arms, minSample, srm } = input;
  const { metrics, isFinal } = analysis;
  const none = (recommendation: Recommendation['recommendation'], reasons: readonly string[]) => ({
    recommendation,
    winner: null,
    reasons,
  });
  if (arms.every(({ users }) => users === 0)) {
    return none('no_data', ['No user has been assigned yet.']);
  }
  if (srm === 'alarm') {
    const why = 'The split of users is not the planned one, so results may be biased.';
    return none('discuss', [why]);
  }
  const isSmall = ({ users }: AnalysisArm): boolean => users < minSample;
  const notes = [
    ...blocksOf(input),
    ...overrun(input),
    ...(srm === 'warning' ? ['The split of users is unlikely to be the planned one.'] : []),
    ...arms.filter(isSmall).map(({ key }) => `"${key}" has fewer than ${minSample} users.`),
  ];
  const judgements = arms.flatMap((arm, index) =>
    arm.isControl || isSmall(arm) ? [] : [judgementOf(metrics, arm.key, index)],
  );
  const hasControl = arms.some((arm) => arm.isControl && !isSmall(arm));
  if (!hasControl || judgements.length === 0) {
    return none(isFinal ? 'discuss' : 'keep_running', notes);
  }
  const isBlocked = blocksOf(input).length > 0;
  // More users do not make a covariate be from before.
  const isEnough = isFinal || contaminatedKeys(input).size > 0;
  const sure = judgements.map((judgement) => beyondDoubt(judgement, input));
  const decision = decide(sure, isBlocked, isEnough);
  const hasGoal = metrics.some(({ role }) => role === 'goal');
  if (!hasGoal && decision.recommendation !== 'roll_back') {
    return none('discuss', ['No goal metric was compared.', ...notes]);
  }
  const found = judgements.flatMap((judgement, index) =>
    describe({ ...judgement, doubtful: sure[index]?.doubtful ?? [] }),
  );
  const isUndecided = judgements.every((arm) => arm.better.length + arm.worse.length === 0);
  const why =
    decision.recommendation === 'keep_running'
      ? waitingFor(judgements)
      : decision.recommendation === 'discuss' && isUndecided && isFinal
        ? ['The experiment has come to its end without a significant difference.']
        : [];
  // What no number of users would mend comes before what more of them could.
  return {
    ...decision,
    reasons: isBlocked ? [...notes, ...why, ...found] : [...why, ...found, ...notes],
  };
}

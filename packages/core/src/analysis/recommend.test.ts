import { describe, expect, it } from 'vitest';
import { input, means, metric, rate } from '../../test/analysis/inputs.ts';
import { analyse } from './analyse.ts';
import { type DecisionInput, recommend } from './recommend.ts';
import type { AnalysisInput, AnalysisOptions, ArmData } from './types.ts';

const CONTROL = rate(2000, 400);
const SAME = rate(2000, 402);
const BETTER = rate(2000, 480);
const BEST = rate(2000, 520);
const WORSE = rate(2000, 320);

function decide(given: AnalysisInput, changes: Partial<DecisionInput> = {}) {
  const minSample = given.options.minSample;
  const base = {
    analysis: analyse(given),
    arms: given.arms,
    method: given.options.method,
    minSample,
  };
  return recommend({ ...base, srm: 'ok', blocks: [], ...changes });
}

const goal = (...data: readonly ArmData[]) => metric([CONTROL, ...data], { key: 'goal' });
const secondary = (...data: readonly ArmData[]) =>
  metric([CONTROL, ...data], { key: 'secondary', role: 'secondary' });
const guardrail = (margin: number | null, ...data: readonly ArmData[]) =>
  metric([CONTROL, ...data], { key: 'guardrail', role: 'guardrail', margin });

const OPEN: Partial<AnalysisOptions> = { method: 'sequential', isOver: false };

describe('the recommendation', () => {
  it('is to ship the best of two winners by the first goal', () => {
    const found = decide(input([goal(BETTER, BEST), metric([CONTROL, BEST, BETTER])]));
    expect(found).toMatchObject({ recommendation: 'ship', winner: 'arm2' });
    expect(found.reasons).toContain(
      '"arm2" is significantly better than the control in "goal", "m".',
    );
  });

  it('goes by the good direction of the first goal', () => {
    const less = metric([CONTROL, WORSE, rate(2000, 280)], { direction: 'decrease' });
    expect(decide(input([less]))).toMatchObject({ recommendation: 'ship', winner: 'arm2' });
  });

  it.each([
    ['a goal', [goal(WORSE)]],
    ['a goal, whatever another says', [goal(WORSE), metric([CONTROL, BETTER])]],
    ['a guardrail, whatever a goal says', [goal(BETTER), guardrail(null, WORSE)]],
    ['a guardrail without any goal', [guardrail(0.01, WORSE)]],
  ])('is to roll back what is worse in %s', (_, metrics) => {
    const found = decide(input(metrics));
    expect(found).toMatchObject({ recommendation: 'roll_back', winner: null });
    expect(found.reasons.join(' ')).toContain('"arm1" is significantly worse than the control');
  });

  it('is to ship one arm while another is worse', () => {
    expect(decide(input([goal(BETTER, WORSE)]))).toMatchObject({
      recommendation: 'ship',
      winner: 'arm1',
    });
  });

  it.each([
    ['sequential', 3000, ['1.3 times', 'all looks up to its end']],
    ['fixed', 3000, ['1.3 times', 'one look at its end']],
    ['bayesian', 3000, []],
    ['sequential', 4000, []],
    ['sequential', null, []],
  ] as const)(
    'says under %s with %s planned users when the plan was not kept',
    (method, plannedUsers, words) => {
      const { reasons } = decide(input([goal(BETTER)], { method, plannedUsers }));
      const said = reasons.flatMap(
        (reason) => reason.match(/[\d.]+ times|(all|one) looks? \w+ \w* ?its end/g) ?? [],
      );
      expect(said).toEqual(words);
    },
  );

  it('goes by what is seen beyond a contaminated covariate', () => {
    const blocks = [{ kind: 'contaminated_covariate', metric: 'goal' }] as const;
    expect(decide(input([goal(WORSE)]), { blocks })).toMatchObject({ recommendation: 'discuss' });
    const harmed = input([goal(WORSE), guardrail(0.01, WORSE)]);
    expect(decide(harmed, { blocks })).toMatchObject({ recommendation: 'roll_back' });
    // Nor is a doubted gain one that holds a roll-back up, nor doubted harm of a secondary metric.
    const other = metric([CONTROL, WORSE], { key: 'other' });
    expect(decide(input([goal(BETTER), other]), { blocks })).toMatchObject({
      recommendation: 'roll_back',
    });
    const open = input([goal(SAME)], OPEN);
    expect(decide(open, { blocks })).toMatchObject({ recommendation: 'discuss' });
  });

  it('doubts the arm whose covariate is contaminated, and no other', () => {
    const given = input([goal(WORSE, WORSE)]);
    const analysis = analyse(given);
    const [only] = analysis.metrics;
    if (only === undefined) throw new Error('nothing was analysed');
    const comparisons = only.comparisons.map((comparison, arm) =>
      comparison && arm === 2
        ? { ...comparison, flags: ['COVARIATE_CONTAMINATION' as const] }
        : comparison,
    );
    const doubted = { ...analysis, metrics: [{ ...only, comparisons }] };
    expect(decide(given, { analysis: doubted })).toMatchObject({ recommendation: 'roll_back' });
  });

  it('asks of a guardrail that its margin holds', () => {
    const held = decide(input([goal(BETTER), guardrail(0.2, SAME)]));
    expect(held.recommendation).toBe('ship');
    const open = decide(input([goal(BETTER), guardrail(0.01, SAME)]));
    expect(open).toMatchObject({ recommendation: 'discuss', winner: null });
    expect(open.reasons.join(' ')).toContain('not shown to stay within the margin');
    // More users may show that it holds.
    const running = decide(input([goal(BEST), guardrail(0.01, SAME)], OPEN));
    expect(running.recommendation).toBe('keep_running');
    // Before its end a fixed test shows nothing of any margin, so that it is not told of one.
    const early = input([goal(BEST), guardrail(0.9, SAME), guardrail(0.01, SAME)], {
      isOver: false,
      plannedUsers: 50_000,
    });
    expect(decide(early).recommendation).toBe('keep_running');
    expect(decide(early).reasons.join(' ')).not.toContain('margin');
    // A significant loss within the margin is what the margin allows.
    const [large, less] = [rate(1_000_000, 500_000), rate(1_000_000, 495_000)];
    const within = metric([large, less], { role: 'guardrail', margin: 0.05 });
    const { metrics } = analyse(input([within]));
    expect(metrics[0]?.comparisons[1]).toMatchObject({
      isBetter: false,
      guardrail: { verdict: 'passed' },
    });
  });

  it('does not ship what is worse in a secondary metric', () => {
    const found = decide(input([goal(BETTER), secondary(WORSE)], OPEN));
    expect(found).toMatchObject({ recommendation: 'discuss', winner: null });
    expect(decide(input([goal(SAME), secondary(WORSE)])).recommendation).toBe('discuss');
  });

  it('is to go on while a verdict may come, and never once it is over', () => {
    expect(decide(input([goal(SAME)], OPEN)).recommendation).toBe('keep_running');
    const early = decide(input([goal(BEST)], { isOver: false, plannedUsers: 5000 }));
    expect(early.recommendation).toBe('keep_running');
    expect(early.reasons[0]).toContain('is read once');
    const rare = decide(input([metric([rate(500, 1), rate(500, 9)])], { ...OPEN, minSample: 100 }));
    expect(rare.recommendation).toBe('keep_running');
    expect(rare.reasons[0]).toContain('too few users or outcomes');
    for (const method of ['fixed', 'sequential', 'bayesian'] as const) {
      expect(decide(input([goal(SAME)], { method })).recommendation).toBe('discuss');
      const rarely = input([metric([rate(500, 1), rate(500, 3)])], { method });
      expect(decide(rarely).recommendation).toBe('discuss');
    }
  });

  it('leaves a variant without enough users out, and says so', () => {
    const data = [CONTROL, BETTER, rate(99, 60)];
    const found = decide(input([metric(data)], { minSample: 100 }));
    expect(found.winner).toBe('arm1');
    expect(found.reasons).toContain('"arm2" has fewer than 100 users.');
    const small = [rate(99, 5), BETTER];
    expect(decide(input([metric(small)], { minSample: 100 })).recommendation).toBe('discuss');
    const open = decide(input([metric(small)], { ...OPEN, minSample: 100 }));
    expect(open.recommendation).toBe('keep_running');
    expect(decide(input([metric([rate(0, 0), rate(0, 0)])])).recommendation).toBe('no_data');
  });

  it('has no winner where the data are broken', () => {
    const won = input([goal(BETTER)]);
    expect(decide(won, { srm: 'alarm' })).toMatchObject({
      recommendation: 'discuss',
      winner: null,
    });
    expect(decide(won, { srm: 'warning' })).toMatchObject({ recommendation: 'ship' });
    const missing = decide(won, { blocks: [{ kind: 'missing_events', metric: 'goal' }] });
    expect(missing).toMatchObject({ recommendation: 'discuss', winner: null });
    expect(missing.reasons).toContain('No event has been seen for "goal".');
    const users = (shift: number, gain: number) =>
      Array.from({ length: 300 }, (_, i) => [(i % 10) + gain, ((i * 3) % 10) + shift]);
    const touched = decide(input([metric(means(users(0, 0), users(3, 2)))]));
    expect(touched).toMatchObject({ recommendation: 'discuss', winner: null });
    expect(touched.reasons.join(' ')).toContain('significantly better');
    expect(touched.reasons.join(' ')).toContain('the covariate may not be from before');
  });

  it('without a goal is to talk', () => {
    expect(decide(input([secondary(BETTER)]))).toMatchObject({ recommendation: 'discuss' });
    expect(decide(input([]), { arms: input([goal(SAME)]).arms }).recommendation).toBe('discuss');
  });
});

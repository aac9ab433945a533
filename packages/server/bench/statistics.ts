import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
// What ships is what is measured: analysis and statistics as they are built.
import {
  type AnalysisInput,
  type AnalysisMetric,
  type ArmData,
  analyse,
} from '../../core/dist/analysis/index.js';
import {
  betaCdf,
  betaQuantile,
  betaSf,
  chiSquareCdf,
  chiSquareQuantile,
  chiSquareSf,
  type JointMoments,
  jointMomentsFromSums,
  logGamma,
  normalCdf,
  normalQuantile,
  normalSf,
  tCdf,
  tQuantile,
  tSf,
} from '../../core/dist/stats/index.js';
import { median, type Row, round } from './harness.ts';

const VARIANTS = 5;
const BUCKETS = 60;
const USERS_PER_BUCKET = 1000;
const ALPHA = 0.05;
const ROUNDS = 30;
const GOAL_MS = 20;

/** Numbers that look like data and are the same each time. */
const wobble = (index: number): number => 1 + 0.01 * Math.sin(12.9898 * index);

const KINDS = ['rate', 'rate', 'rate', 'rate', 'mean', 'mean', 'cuped', 'cuped', 'ratio', 'ratio'];

/** Two values per user with a correlation of 0.6 and the given means. */
const pair = (n: number, y: number, x: number): JointMoments =>
  jointMomentsFromSums(
    n,
    [n * y, n * x],
    [
      [n * (y * y + 4), n * (y * x + 2.4)],
      [n * (y * x + 2.4), n * (x * x + 4)],
    ],
  );

function armData(kind: string, n: number, size: number): ArmData {
  const both = pair(n, size, 2);
  switch (kind) {
    case 'rate':
      return { kind: 'rate', n, x: Math.round(0.1 * size * n), joint: null };
    case 'ratio':
      return {
        kind: 'ratio',
        numerator: n * size,
        denominator: 2 * n,
        about: 0.5,
        aboutBefore: 0,
        moments: pair(n, size - 1, 2),
      };
    case 'cuped':
      return { kind: 'mean', total: n * size, moments: both };
    default: {
      const [mean = 0] = both.mean;
      const [[products = 0] = []] = both.products;
      return {
        kind: 'mean',
        total: n * size,
        moments: { n, mean: [mean], products: [[products]] },
      };
    }
  }
}

/** What the stores say of an experiment after some buckets of users. */
function inputAfter(buckets: number, kinds: readonly string[]): AnalysisInput {
  const users = buckets * USERS_PER_BUCKET;
  return {
    arms: Array.from({ length: VARIANTS }, (_, arm) => ({
      key: `variant-${arm}`,
      isControl: arm === 0,
      users,
    })),
    metrics: kinds.map(
      (kind, k): AnalysisMetric => ({
        key: `metric-${k}`,
        role: 'goal',
        margin: null,
        direction: 'increase',
        data: Array.from({ length: VARIANTS }, (_, arm) =>
          armData(kind, users, wobble(100 * buckets + 10 * k + arm)),
        ),
      }),
    ),
    options: {
      method: 'sequential',
      alpha: ALPHA,
      minSample: 100,
      plannedUsers: null,
      isOver: false,
    },
  };
}

/** The whole, and as the server does it each point of each metric's course by itself. */
const analyseAll = (whole: AnalysisInput, looks: readonly AnalysisInput[]) => ({
  analysis: analyse(whole),
  courses: looks.map((look) =>
    look.metrics.map((metric) => analyse({ ...look, metrics: [metric] })),
  ),
});

const milliseconds = (work: () => unknown): number => {
  const startedAt = performance.now();
  if (work() === undefined) throw new Error('nothing was done');
  return performance.now() - startedAt;
};

function fullResult(): readonly Row[] {
  // The stores leave covariates out of series.
  const plain = KINDS.map((kind) => (kind === 'cuped' ? 'mean' : kind));
  const looks = Array.from({ length: BUCKETS }, (_, k) => inputAfter(k + 1, plain));
  const whole = inputAfter(BUCKETS, KINDS);
  const timesOf = (buckets: readonly AnalysisInput[]): readonly number[] =>
    Array.from({ length: ROUNDS }, () => milliseconds(() => analyseAll(whole, buckets))).slice(
      ROUNDS / 3,
    );
  const [once, all] = [median(timesOf([])), median(timesOf(looks))];
  return [
    { what: `${VARIANTS} variants × ${KINDS.length} metrics, ms`, figure: round(once, 2) },
    {
      what: `with a series of ${BUCKETS} buckets, ms`,
      figure: round(all, 1),
      floor: `< ${GOAL_MS}`,
      isMet: all < GOAL_MS,
    },
  ];
}

const CALLS = 20_000;

/** Nanoseconds of a call, the median of some rounds over arguments that differ. */
function nanoseconds(call: (share: number) => number): number {
  const rounds = Array.from({ length: 7 }, () => {
    let sink = 0;
    const startedAt = performance.now();
    for (let i = 0; i < CALLS; i++) sink += call((i + 0.5) / CALLS);
    if (!Number.isFinite(sink)) throw new Error('not a number');
    return ((performance.now() - startedAt) * 1e6) / CALLS;
  });
  return median(rounds);
}

/** cdf, sf and quantile of a law, with arguments from its whole range. */
const LAWS: readonly (readonly [string, ...((share: number) => number)[]])[] = [
  ['normal', (u) => normalCdf(8 * u - 4), (u) => normalSf(8 * u - 4), normalQuantile],
  ['t, 30 degrees', (u) => tCdf(8 * u - 4, 30), (u) => tSf(8 * u - 4, 30), (u) => tQuantile(u, 30)],
  [
    't, 9,999.5 degrees',
    (u) => tCdf(8 * u - 4, 9999.5),
    (u) => tSf(8 * u - 4, 9999.5),
    (u) => tQuantile(u, 9999.5),
  ],
  [
    'beta, 20 and 180',
    (u) => betaCdf(u, 20, 180),
    (u) => betaSf(u, 20, 180),
    (u) => betaQuantile(u, 20, 180),
  ],
  [
    'χ², 4 degrees',
    (u) => chiSquareCdf(20 * u, 4),
    (u) => chiSquareSf(20 * u, 4),
    (u) => chiSquareQuantile(u, 4),
  ],
];

const distributions = (): readonly Row[] => [
  ...LAWS.map(([name, ...calls]) => ({
    what: `${name}: cdf, sf, quantile, ns`,
    figure: calls.map((call) => round(nanoseconds(call))).join(', '),
  })),
  { what: 'ln Γ, ns', figure: round(nanoseconds((u) => logGamma(1 + 1000 * u))) },
];

/** What a browser would download of the statistics. */
async function size(): Promise<Row> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../../core/src/stats/index.ts', import.meta.url))],
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  const kilobytes = (bytes: number): string => round(bytes / 1000, 1);
  return {
    what: 'core/stats minified, gzipped, kB',
    figure: `${kilobytes(code.length)}, ${kilobytes(gzipSync(code, { level: 9 }).length)}`,
  };
}

/** A result from sufficient statistics, the distributions under it, and its size. */
export async function statistics(): Promise<readonly Row[]> {
  return [...fullResult(), ...distributions(), await size()];
}

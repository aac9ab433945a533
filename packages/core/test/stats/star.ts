import { readFileSync } from 'node:fs';
import {
  covarianceOf,
  type JointMoments,
  jointMomentsFromSums,
  type Sample,
} from '../../src/stats/index.ts';

// The STAR trial, pupil by pupil, and the sufficient statistics that a store would give of it.

/** The file's classes as the demo calls them. */
const CLASSES = {
  regular: 'regular',
  small: 'small',
  'regular+aide': 'regular-aide',
} as const;
export type Arm = (typeof CLASSES)[keyof typeof CLASSES];
export const CONTROL: Arm = 'regular';
export const TREATMENTS: readonly Arm[] = ['small', 'regular-aide'];
export const ARMS: readonly Arm[] = [CONTROL, ...TREATMENTS];

export interface Pupil {
  readonly arm: Arm;
  /** Reading and math together; null when not tested. */
  readonly score: number | null;
  /** Attributes from before the trial; null when unknown. */
  readonly hasFreeLunch: boolean | null;
  readonly isFemale: boolean;
  readonly area: string;
  readonly school: string;
}

const isClass = (name: string): name is keyof typeof CLASSES => name in CLASSES;

/** All pupils, in the order of the file. */
export function readPupils(): readonly Pupil[] {
  const path = new URL('../../../server/data/star-kindergarten.csv', import.meta.url);
  const [header = '', ...lines] = readFileSync(path, 'utf8').trim().split(/\r?\n/);
  const names = header.split(',');
  return lines.map((line) => {
    const fields = line.split(',');
    const field = (name: string): string => fields[names.indexOf(name)] ?? '';
    const type = field('class_type');
    if (!isClass(type)) throw new Error(`no class of STAR: ${line}`);
    const [reading, math, lunch] = [field('reading_score'), field('math_score'), field('lunch')];
    return {
      arm: CLASSES[type],
      score: reading === '' || math === '' ? null : Number(reading) + Number(math),
      hasFreeLunch: lunch === '' ? null : lunch === 'free',
      isFemale: field('gender') === 'female',
      area: field('school_area'),
      school: field('school_id'),
    };
  });
}

/** The numbers of one pupil that are summed. */
export type Measure = (pupil: Pupil) => number;

export const value: Measure = ({ score }) => score ?? 0;
export const isTested: Measure = ({ score }) => Number(score !== null);
export const isFree: Measure = ({ hasFreeLunch }) => Number(hasFreeLunch === true);
export const isLunchKnown: Measure = ({ hasFreeLunch }) => Number(hasFreeLunch !== null);
export const isFemale: Measure = (pupil) => Number(pupil.isFemale);

/** A constant near a measure's mean, as the stores take it: rounded to single precision. */
export const shiftOf = (pupils: readonly Pupil[], measure: Measure): number =>
  Math.fround(pupils.reduce((sum, pupil) => sum + measure(pupil), 0) / pupils.length);

/** Joint moments from sums of deviations from the shifts. */
export function momentsOf(
  pupils: readonly Pupil[],
  measures: readonly Measure[],
  shifts: readonly number[],
): JointMoments {
  const sums = measures.map(() => 0);
  const products = measures.map(() => measures.map(() => 0));
  for (const pupil of pupils) {
    const deviations = measures.map((measure, i) => measure(pupil) - (shifts[i] ?? 0));
    deviations.forEach((a, i) => {
      sums[i] = (sums[i] ?? 0) + a;
      const row = products[i] ?? [];
      deviations.forEach((b, j) => {
        row[j] = (row[j] ?? 0) + a * b;
      });
    });
  }
  return jointMomentsFromSums(pupils.length, sums, products, shifts);
}

/** The first measure by itself. */
export function sampleOf(moments: JointMoments): Sample {
  const [mean = Number.NaN] = moments.mean;
  return { n: moments.n, mean, variance: covarianceOf(moments)[0]?.[0] ?? Number.NaN };
}

/** Groups in the order of their first pupil. */
export function groupBy<K>(
  pupils: readonly Pupil[],
  key: (pupil: Pupil) => K,
): ReadonlyMap<K, readonly Pupil[]> {
  const groups = new Map<K, Pupil[]>();
  for (const pupil of pupils) {
    const name = key(pupil);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [pupil]);
    else group.push(pupil);
  }
  return groups;
}

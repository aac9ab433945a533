// The STAR trial as what Assay's API takes: a pure reading of the file, see data/README.md.
import { createHash } from 'node:crypto';
import { formatInstant } from '@assay/core';

export const STAR_KEY = 'star-kindergarten';
const STAR_EVENT = 'test_score';

/** The experiment as the trial was designed. */
export const STAR_EXPERIMENT = {
  key: STAR_KEY,
  name: 'STAR: class size in kindergarten',
  description:
    'Tennessee’s Student/Teacher Achievement Ratio trial of 1985, a real randomised experiment with a published answer: +13.90 points (standard error 2.45) for small classes.',
  hypothesis: 'Pupils in small classes reach higher scores at the end of kindergarten.',
  variants: [
    { key: 'regular', name: 'Regular class', allocation_pct: 35, is_control: true },
    { key: 'small', name: 'Small class', allocation_pct: 30 },
    { key: 'regular-aide', name: 'Regular class with an aide', allocation_pct: 35 },
  ],
  metrics: [{ metric: 'avg_value', role: 'goal' }],
  // It is over, and was read once.
  analysis: { method: 'fixed' },
} as const;

const VARIANTS: Readonly<Record<string, string>> = {
  regular: 'regular',
  small: 'small',
  'regular+aide': 'regular-aide',
};

export interface StarExposure {
  readonly experiment: string;
  readonly user_id: string;
  readonly variant: string;
  readonly timestamp: string;
  readonly context: Readonly<Record<string, string>>;
}

export interface StarEvent {
  readonly event_id: string;
  readonly user_id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly value: number;
  readonly properties: { readonly reading: number; readonly math: number };
}

export const DAY_MICROS = 86_400_000_000;
const SCHOOL_DAYS = 30;

/**
 * One exposure per pupil and one event per tested pupil.
 *
 * @param csv the file's text
 * @param start microseconds since the epoch of the first day; the same start gives the same ids
 *   and times, so that loading twice is loading once
 * @throws Error for a line that is not as the file's header says
 */
export function readStar(
  csv: string,
  start: number,
): { readonly exposures: readonly StarExposure[]; readonly events: readonly StarEvent[] } {
  const [header = '', ...lines] = csv.trim().split(/\r?\n/);
  const names = header.split(',');
  const exposures: StarExposure[] = [];
  const events: StarEvent[] = [];
  lines.forEach((line, index) => {
    const fields = line.split(',');
    const row: Readonly<Record<string, string>> = Object.fromEntries(
      names.map((name, column) => [name, fields[column] ?? '']),
    );
    const variant = VARIANTS[row.class_type ?? ''];
    const id = row.student_id;
    if (variant === undefined || !id)
      throw new Error(`line ${index + 2} of the STAR file: ${line}`);
    // Spread over the first month, a second apart from each other at least.
    const offset = (index % SCHOOL_DAYS) * DAY_MICROS + index * 1_000_000;
    exposures.push({
      experiment: STAR_KEY,
      user_id: `pupil-${id}`,
      variant,
      timestamp: formatInstant(start + offset),
      context: contextOf(row),
    });
    const { reading_score: reading, math_score: math } = row;
    if (!reading || !math) return;
    events.push({
      event_id: eventId(id),
      user_id: `pupil-${id}`,
      type: STAR_EVENT,
      timestamp: formatInstant(start + offset + SCHOOL_DAYS * DAY_MICROS),
      value: Number(reading) + Number(math),
      properties: { reading: Number(reading), math: Number(math) },
    });
  });
  return { exposures, events };
}

function contextOf(row: Readonly<Record<string, string>>): Record<string, string> {
  const names = ['gender', 'ethnicity', 'lunch', 'school_area', 'school_id'];
  return Object.fromEntries(
    names.flatMap((name) => (row[name] ? [[name, row[name]] as [string, string]] : [])),
  );
}

/** A UUIDv8 (RFC 9562 §5.8) made of the pupil's number. */
function eventId(studentId: string): string {
  const hex = createHash('sha256').update(`star:${studentId}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

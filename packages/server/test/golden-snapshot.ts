import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { startedExperiment, type TestApp } from './app.ts';
import { addMetrics, EVERYTHING, minutesAgo, take } from './result-snapshots.ts';

// One bundle with everything in it, and its result, kept as they were recorded: what an engine of
// this version makes of the one must be the other, on every machine and for ever.

/** `RECORD_GOLDEN=1` in the environment writes the files anew. */
export const isRecording = process.env.RECORD_GOLDEN === '1';

type Part = 'bundle' | 'result';
const fileOf = (part: Part): URL => new URL(`./golden-snapshot/${part}.json`, import.meta.url);

/** The JSON text as it is stored; the files are the same with spaces. */
export const goldenText = (part: Part): string =>
  JSON.stringify(JSON.parse(readFileSync(fileOf(part), 'utf8')));

export function recordGolden(part: Part, text: string): void {
  writeFileSync(fileOf(part), `${JSON.stringify(JSON.parse(text), null, 2)}\n`);
}

/** Values of statements are whatever was asked for. */
const OPAQUE = 'parameters';

/**
 * Which fields a JSON value has, and of what sorts: one line for each path, with the items of a list
 * taken together.
 */
export function shapeOf(value: unknown, path = 'bundle'): readonly string[] {
  if (Array.isArray(value)) {
    const items = value.flatMap((item) => shapeOf(item, `${path}[]`));
    return [...new Set([`${path}: list`, ...items])].sort();
  }
  if (typeof value !== 'object' || value === null) {
    return [`${path}: ${value === null ? 'null' : typeof value}`];
  }
  const fields = Object.entries(value).flatMap(([name, inner]) =>
    name === OPAQUE ? [`${path}.${name}`] : shapeOf(inner, `${path}.${name}`),
  );
  return [...new Set([`${path}: object`, ...fields])].sort();
}

const USERS = 300;
const HOUR = 60;

/** Numbers with many digits, always the same. */
const digits = (n: number): number => ((n * 7919) % 997) / 31;

const userOf = (n: number): string => `u${n}`;

const eventOf = (user: number, n: number, type: string, hoursAgo: number) => ({
  event_id: `00000000-0000-4000-8000-${String(user * 1_000 + n).padStart(12, '0')}`,
  user_id: userOf(user),
  type,
  timestamp: minutesAgo(hoursAgo * HOUR),
  value: digits(user + n),
  properties: { amount: digits(user * 3 + n), plan: user % 5 === 0 ? 'free' : 'pro' },
});

/** What a user does before and after their assignment; every fifth one does nothing. */
const eventsOf = (user: number) =>
  user % 5 === 4
    ? []
    : [
        eventOf(user, 1, 'buy', 90),
        eventOf(user, 2, 'view', 45),
        ...(user % 3 === 0 ? [] : [eventOf(user, 3, 'buy', 30 + (user % 2))]),
        ...(user % 2 === 0 ? [eventOf(user, 4, 'buy', 10)] : []),
      ];

const exposureOf = (user: number, variant: string) => ({
  experiment: 'stored',
  user_id: userOf(user),
  variant,
  timestamp: minutesAgo(52 * HOUR),
  context: { country: ['DE', 'AT', 'CH'][user % 3], beta: user % 7 !== 0 },
});

const variantOf = (user: number): string => (user % 2 === 0 ? 'control' : 'green');

async function expose({ call }: TestApp, exposures: readonly object[]): Promise<void> {
  const answer = await call('POST', '/v1/exposures', { exposures });
  expect(answer.statusCode, answer.body).toBe(200);
}

/**
 * Takes a snapshot with everything a bundle can hold of PostgreSQL: each kind of metric, filters,
 * segments and series, two versions, and a user reported with two variants. Answers its id.
 */
export async function takeGolden(api: TestApp): Promise<number> {
  await addMetrics(api);
  const perView = {
    key: 'per_view',
    name: 'Per view',
    kind: 'ratio',
    event_type: 'buy',
    filters: { 'properties.plan': 'pro' },
    denominator: { event_type: 'view' },
    window: { from_hours: 0, to_hours: 72 },
    cap: { percentile: 95 },
    cuped: { days: 7 },
  };
  expect((await api.call('POST', '/v1/metrics', perView)).statusCode).toBe(201);
  await startedExperiment(api, 'stored', {
    metrics: [
      { metric: 'spent', role: 'goal' },
      { metric: 'capped', role: 'guardrail', margin: 0.1 },
    ],
    analysis: { method: 'sequential', confidence_level: 95, expected_users: 400 },
  });
  const users = Array.from({ length: USERS }, (_, user) => user);
  const exposures = users.map((user) => exposureOf(user, variantOf(user)));
  await expose(api, exposures.slice(0, USERS / 2));
  const shares = [60, 40].map((allocation_pct, index) => ({
    key: ['control', 'green'][index],
    allocation_pct,
    is_control: index === 0,
  }));
  const patched = await api.call('PATCH', '/v1/experiments/stored', { variants: shares });
  expect(patched.statusCode, patched.body).toBe(200);
  await expose(api, [...exposures.slice(USERS / 2), exposureOf(2, 'green')]);
  const events = users.flatMap(eventsOf);
  const sent = await api.call('POST', '/v1/events', { events });
  expect(sent.json(), sent.body).toMatchObject({ accepted: events.length });
  const taken = await take(api, {
    ...EVERYTHING,
    metrics: ['buyers', 'capped', 'typical', 'path', 'per_view', 'sum_value'],
    event_type: ['buy', 'view'],
    filters: { 'properties.plan': [null, 'pro', 'free'], 'context.beta': true },
    min_sample: 20,
    end_date: minutesAgo(0),
  });
  return taken.id;
}

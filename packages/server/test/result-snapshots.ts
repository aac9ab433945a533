import { createHash } from 'node:crypto';
import type { Reproduction, Snapshot } from '@assay/contract';
import { expect } from 'vitest';
import { startedExperiment, type TestApp } from './app.ts';

export const minutesAgo = (ago: number) => new Date(Date.now() - ago * 60_000).toISOString();
export const hash = (text: string) => createHash('sha256').update(text).digest('hex');

/** The id of the n-th event of a user. */
const eventId = (user: number, n: number) =>
  `00000000-0000-4000-8000-${String(user * 1_000 + n).padStart(12, '0')}`;

export async function buy(
  { call }: TestApp,
  user: number,
  n: number,
  value: number,
): Promise<void> {
  const event = {
    event_id: eventId(user, n),
    user_id: `u${user}`,
    type: 'buy',
    timestamp: minutesAgo(20),
    value,
    properties: { amount: value / 3 },
  };
  const answer = await call('POST', '/v1/events', { events: [event] });
  expect(answer.json().accepted).toBe(1);
}

/** Sixty users, half of them in each variant; every second one has bought, for values with digits. */
export async function world(api: TestApp, key = 'stored', fields: object = {}): Promise<void> {
  await startedExperiment(api, key, { ...fields });
  const users = Array.from({ length: 60 }, (_, index) => index);
  const exposures = users.map((user) => ({
    experiment: key,
    user_id: `u${user}`,
    variant: user % 2 === 0 ? 'control' : 'green',
    timestamp: minutesAgo(30),
    context: { country: user % 3 === 0 ? 'DE' : 'AT' },
  }));
  await api.call('POST', '/v1/exposures', { exposures });
  const buyers = users.filter((user) => user % 4 < 2);
  await Promise.all(buyers.map((user) => buy(api, user, 0, 10 / (user + 1))));
}

export const take = async (
  { call }: TestApp,
  body: object = {},
  key = 'stored',
): Promise<Snapshot> => {
  const url = `/v1/experiments/${key}/snapshots`;
  const answer = await call('POST', url, { name: 'a look', source: 'postgresql', ...body });
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json<Snapshot>();
};

export const reproduce = async (
  { call }: TestApp,
  { id }: Pick<Snapshot, 'id'>,
  from: 'bundle' | 'store',
): Promise<Reproduction> => {
  const answer = await call('GET', `/v1/experiments/stored/snapshots/${id}/reproduce?from=${from}`);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<Reproduction>();
};

/** Writes another text in a snapshot, with its hash. */
export async function rewrite(
  { deps }: TestApp,
  id: number,
  column: 'bundle' | 'result',
  change: (text: string) => string,
): Promise<void> {
  const { rows } = await deps.db.query<{ text: string }>(
    `SELECT ${column} AS text FROM result_snapshots WHERE id = $1`,
    [id],
  );
  const text = change(rows[0]?.text ?? '');
  await deps.db.query(
    `UPDATE result_snapshots SET ${column} = $2, ${column}_sha256 = $3 WHERE id = $1`,
    [id, text, hash(text)],
  );
}

const METRICS = [
  { key: 'buyers', name: 'Buyers', kind: 'conversion', event_type: 'buy', cuped: { days: 7 } },
  { key: 'spent', name: 'Spent', kind: 'sum', event_type: 'buy', value_property: 'amount' },
  {
    key: 'capped',
    name: 'Capped',
    kind: 'sum',
    event_type: 'buy',
    cap: { percentile: 90 },
    cuped: { days: 7 },
  },
  { key: 'typical', name: 'Typical', kind: 'quantile', event_type: 'buy', quantile: 0.5 },
  { key: 'basket', name: 'Basket', kind: 'mean', event_type: 'buy' },
  {
    key: 'path',
    name: 'Path',
    kind: 'funnel',
    steps: [{ event_type: 'view' }, { event_type: 'buy' }],
  },
];

export const EVERYTHING = {
  metrics: [...METRICS.map(({ key }) => key), 'conversion_rate', 'sum_value', 'p95_value'],
  segment_by: 'context.country',
  series: ['cumulative', 'daily', 'days_since_assignment'],
  min_sample: 5,
};

export async function addMetrics({ call }: TestApp): Promise<void> {
  for (const metric of METRICS) {
    expect((await call('POST', '/v1/metrics', metric)).statusCode).toBe(201);
  }
}

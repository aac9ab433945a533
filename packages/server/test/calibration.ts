import type { Calibration } from '@assay/contract';
import type { TestApp } from './app.ts';
import type { TestDatabase } from './fixtures.ts';

// An experiment's users for calibrations, metrics of every kind, and calls of the API.

/** Aborted never. */
export const never: AbortSignal = new AbortController().signal;

/**
 * So many users, by turns in both variants. Three in ten buy, some of them again and for more; all
 * view and may pay; a buyer was one before, too.
 */
export async function fill(
  { pool }: TestDatabase,
  experiment: number,
  users: number,
): Promise<void> {
  await pool.query(
    `INSERT INTO assignments (experiment_id, user_id, variant_id, version, source, bucket, assigned_at)
     SELECT $1, 'u' || i, (SELECT array_agg(id ORDER BY position) FROM variants WHERE experiment_id = $1)[1 + i % 2],
       1, 'reported', 0, now() - interval '5 days' + i * interval '1 second'
     FROM generate_series(1, $2::int) i`,
    [experiment, users],
  );
  // Users are older than the start, which only those who are reported can be.
  await pool.query('UPDATE experiments SET has_reported = true WHERE id = $1', [experiment]);
  await pool.query(
    `INSERT INTO events (event_id, ts, user_id, type, value, properties)
     SELECT gen_random_uuid(), now() - interval '5 days' + i * interval '1 second' + hours * interval '1 hour',
       'u' || i, type, 1 + (i::bigint * k * 7919) % 97 / 10.0, jsonb_build_object('ms', (i::bigint * k * 104729) % 1000)
     FROM generate_series(1, $1::int) i,
       (VALUES ('buy', 2, 1), ('buy', 3, 2), ('buy', -20, 3), ('view', 1, 1), ('view', 2, 5), ('view', 4, 7), ('pay', 3, 1))
         AS done (type, hours, k)
     WHERE (type <> 'buy' OR (i * 31) % 10 < 3 AND (k <> 2 OR i % 3 = 0))
       AND (type <> 'view' OR k <= 1 + i % 7) AND (type <> 'pay' OR i % 7 < 4)`,
    [users],
  );
}

const CATALOGUE = [
  { key: 'buyers', kind: 'conversion', event_type: 'buy', cuped: { days: 2 } },
  {
    key: 'back',
    kind: 'retention',
    event_type: 'view',
    window: { from_hours: 3, to_hours: 9_600 },
  },
  { key: 'views', kind: 'count', event_type: 'view' },
  { key: 'spent', kind: 'sum', event_type: 'buy', cap: { percentile: 99 }, cuped: { days: 2 } },
  { key: 'price', kind: 'mean', event_type: 'buy' },
  { key: 'buys_per_view', kind: 'ratio', event_type: 'buy', denominator: { event_type: 'view' } },
  {
    key: 'slow',
    kind: 'quantile',
    event_type: 'view',
    value_property: 'ms',
    quantile: 0.9,
    direction: 'decrease',
  },
  {
    key: 'paid',
    kind: 'funnel',
    steps: [{ event_type: 'view' }, { event_type: 'buy' }, { event_type: 'pay' }],
  },
] as const;
export const KEYS = CATALOGUE.map(({ key }) => key);

export async function define(api: TestApp): Promise<void> {
  for (const metric of CATALOGUE) {
    const { statusCode, body } = await api.call('POST', '/v1/metrics', {
      name: metric.key,
      ...metric,
    });
    if (statusCode !== 201) throw new Error(body);
  }
}

export async function request(api: TestApp, body: object): Promise<Calibration> {
  const answer = await api.call('POST', '/v1/calibration', body);
  if (answer.statusCode !== 202) throw new Error(answer.body);
  return answer.json<Calibration>();
}

export const read = async (api: TestApp, id: number): Promise<Calibration> =>
  (await api.call('GET', `/v1/calibration/${id}`)).json<Calibration>();

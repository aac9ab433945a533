import { readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { startedExperiment } from '../../../test/app.ts';
import { test } from '../../../test/fixtures.ts';
import { readStar, STAR_EXPERIMENT } from '../../demo/star.ts';

describe('results', () => {
  test('of the STAR trial are the published ones', async ({ api }) => {
    const csv = await readFile(
      new URL('../../../data/star-kindergarten.csv', import.meta.url),
      'utf8',
    );
    const { exposures, events } = readStar(csv, (Date.now() - 75 * 86_400_000) * 1_000);
    await startedExperiment(api, STAR_EXPERIMENT.key, STAR_EXPERIMENT);
    for (let at = 0; at < exposures.length; at += 1_000) {
      await api.call('POST', '/v1/exposures', { exposures: exposures.slice(at, at + 1_000) });
      await api.call('POST', '/v1/events', { events: events.slice(at, at + 1_000) });
    }
    const answer = await api.call(
      'GET',
      `/v1/experiments/${STAR_EXPERIMENT.key}/results?event_type=test_score`,
    );
    const { variants, summary, metadata } = answer.json();
    const metricOf = (index: number) => variants[index].metrics.avg_value;
    expect(metadata.total_users).toBe(6_325);
    expect([0, 1, 2].map((index) => metricOf(index).sample_size)).toEqual([2_005, 1_738, 2_043]);
    expect(metricOf(0).value).toBeCloseTo(918.04, 2);
    expect(metricOf(0).standard_error).toBeCloseTo(1.63, 1);
    expect(metricOf(1).vs_control.difference).toBeCloseTo(13.9, 2);
    expect(Math.abs(metricOf(1).vs_control.standard_error - 2.45)).toBeLessThan(0.05);
    expect(metricOf(2).vs_control.difference).toBeCloseTo(0.31, 2);
    expect(Math.abs(metricOf(2).vs_control.standard_error - 2.27)).toBeLessThan(0.05);
    expect(summary.health.srm).toMatchObject({ status: 'ok', observed: [2_194, 1_900, 2_231] });
    // It still runs, and a fixed-horizon test is read once.
    expect(summary).toMatchObject({ winning_variant: null, recommendation: 'keep_running' });
    await api.call('POST', `/v1/experiments/${STAR_EXPERIMENT.key}/stop`);
    const stopped = await api.call(
      'GET',
      `/v1/experiments/${STAR_EXPERIMENT.key}/results?event_type=test_score`,
    );
    expect(stopped.json().summary).toMatchObject({
      winning_variant: 'small',
      recommendation: 'ship',
    });
  });

  test('count users without events, and only events after the assignment', async ({ api }) => {
    await startedExperiment(api, 'counted');
    const minutes = (ago: number) => new Date(Date.now() - ago * 60_000).toISOString();
    const exposures = Array.from({ length: 6 }, (_, index) => ({
      experiment: 'counted',
      user_id: `u${index}`,
      variant: index < 3 ? 'control' : 'green',
      timestamp: minutes(30),
    }));
    await api.call('POST', '/v1/exposures', { exposures });
    await startedExperiment(api, 'elsewhere');
    const event = (user: number, ago: number, extra: object = {}) => ({
      event_id: `00000000-0000-4000-8000-${String(user * 1_000 + ago).padStart(12, '0')}`,
      user_id: `u${user}`,
      type: 'buy',
      timestamp: minutes(ago),
      ...extra,
    });
    const events = [
      event(0, 20, { value: 10 }),
      event(0, 19),
      event(1, 40),
      event(2, 18, { experiment: 'elsewhere' }),
      event(3, 17, { value: 4, experiment: 'counted' }),
      event(4, 16, { type: 'view' }),
      event(99, 15),
    ];
    expect((await api.call('POST', '/v1/events', { events })).json().accepted).toBe(events.length);
    const url =
      '/v1/experiments/counted/results?event_type=buy&min_sample=1&method=fixed&metrics=conversion_rate,event_count,value_per_user,avg_value,median_value';
    const { variants } = (await api.call('GET', url)).json();
    const [control, green] = variants;
    expect(control.metrics.conversion_rate).toMatchObject({
      value: 1 / 3,
      numerator: 1,
      denominator: 3,
    });
    expect(control.metrics.event_count).toMatchObject({ value: 2, vs_control: null });
    expect(control.metrics.value_per_user.value).toBeCloseTo(10 / 3, 12);
    expect(control.metrics.avg_value).toMatchObject({ value: 10, sample_size: 1 });
    expect(green.metrics.event_count.value).toBe(1);
    expect(green.metrics.median_value.value).toBe(4);
    expect(green.metrics.conversion_rate.vs_control).toMatchObject({
      test: 'miettinen_nurminen',
      difference: 0,
      p_value: 1,
      significant: false,
    });
    const busy = green.time_series.filter(({ count }: { count: number }) => count > 0);
    expect(busy).toEqual([
      expect.objectContaining({ event_type: 'buy', count: 1, users: 1, assigned_users: 3 }),
    ]);
  });

  test('have a point for every day until now, and none for what nobody has lived', async ({
    api,
  }) => {
    await startedExperiment(api, 'silent');
    const DAY = 86_400_000;
    const now = Date.now();
    const at = (ms: number) => new Date(ms).toISOString();
    const dayOf = (ms: number) => at(Math.floor(ms / DAY) * DAY);
    const joined = now - 3.5 * DAY;
    const exposures = ['control', 'green'].map((variant) => {
      return { experiment: 'silent', user_id: variant, variant, timestamp: at(joined) };
    });
    await api.call('POST', '/v1/exposures', { exposures });
    const event_id = '00000000-0000-4000-8000-000000000001';
    const events = [{ event_id, user_id: 'green', type: 'buy', timestamp: at(joined + 1_000) }];
    await api.call('POST', '/v1/events', { events });
    const series = 'cumulative,daily,days_since_assignment';
    const timesOf = async (parameters: string) => {
      const url = `/v1/experiments/silent/results?event_type=buy&series=${series}&${parameters}`;
      const [, green] = (await api.call('GET', url)).json().variants;
      const { cumulative, daily, days_since_assignment } = green.metrics.conversion_rate.series;
      const days = [cumulative, daily, green.time_series].map((points: { time: string }[]) =>
        points.map(({ time }) => time),
      );
      expect(days[1]).toEqual(days[0]);
      expect(days[2]).toEqual(days[0]);
      expect(cumulative.at(-1).value).toBe(1);
      const ages = days_since_assignment.map(({ day }: { day: number }) => day);
      return { first: days[0]?.[0], last: days[0]?.at(-1), ages };
    };
    const first = dayOf(joined);
    const untilNow = { first, last: dayOf(now), ages: [0, 1, 2] };
    expect(await timesOf('')).toEqual(untilNow);
    expect(await timesOf(`end_date=${at(now + 9 * DAY)}`)).toEqual(untilNow);
    const early = joined + 2.2 * DAY;
    const untilThen = { first, last: dayOf(early), ages: [0, 1] };
    expect(await timesOf(`end_date=${at(early)}`)).toEqual(untilThen);
    const eventsOf = async (parameters: string) => {
      const url = `/v1/experiments/silent/results?event_type=buy&granularity=hour&${parameters}`;
      const { variants, metadata } = (await api.call('GET', url)).json();
      return [metadata.time_series_filled, variants[1].time_series.length];
    };
    const hours = Math.floor(now / 3_600_000) - Math.floor(joined / 3_600_000) + 1;
    expect(await eventsOf('')).toEqual([true, hours]);
    // Before the first user there are no zeros, however early the start.
    expect(await eventsOf(`start_date=${at(now - 300 * DAY)}`)).toEqual([true, hours]);
  });

  test('without users are empty, not wrong', async ({ api }) => {
    await startedExperiment(api, 'empty');
    const metrics = 'conversion_rate,value_per_user,avg_value,p95_value,unique_users';
    const answer = await api.call('GET', `/v1/experiments/empty/results?metrics=${metrics}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.body).not.toMatch(/NaN|Infinity/);
    const { summary, variants } = answer.json();
    expect(summary).toMatchObject({
      recommendation: 'no_data',
      winning_variant: null,
      minimum_detectable_effect: null,
      health: { srm: { status: 'not_enough_data', p_value: null } },
    });
    expect(variants[1].metrics.value_per_user).toMatchObject({
      value: null,
      vs_control: { status: 'NO_UNITS', difference: null, p_value: null },
    });
  });

  test('give the same verdict whatever metrics one looks at', async ({ api }) => {
    await startedExperiment(api, 'verdict', {
      metrics: [{ metric: 'conversion_rate', role: 'goal' }],
    });
    const minutes = (ago: number) => new Date(Date.now() - ago * 60_000).toISOString();
    const users = Array.from({ length: 400 }, (_, index) => index);
    const exposures = users.map((index) => ({
      experiment: 'verdict',
      user_id: `u${index}`,
      variant: index % 2 === 0 ? 'control' : 'green',
      timestamp: minutes(30),
    }));
    await api.call('POST', '/v1/exposures', { exposures });
    const events = users
      .filter((index) => index % (index % 2 === 0 ? 10 : 3) === 0)
      .map((index) => ({
        event_id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
        user_id: `u${index}`,
        type: 'buy',
        timestamp: minutes(20),
        value: index % 2 === 0 ? 100 : 1,
      }));
    await api.call('POST', '/v1/events', { events });
    await api.call('POST', '/v1/experiments/verdict/stop');
    const summaryOf = async (metrics: string) => {
      const url = `/v1/experiments/verdict/results?method=fixed&metrics=${metrics}`;
      const { summary, variants } = (await api.call('GET', url)).json();
      // It is of another moment each time.
      delete summary.health.data_freshness.as_of;
      for (const check of summary.health.checks) {
        if (check.check === 'data_freshness') delete check.message;
      }
      return { summary, names: Object.keys(variants[0].metrics) };
    };
    const goal = await summaryOf('conversion_rate');
    expect(goal.summary).toMatchObject({ winning_variant: 'green', recommendation: 'ship' });
    const other = await summaryOf('value_per_user,unique_users');
    expect(other.names).toEqual(['value_per_user', 'unique_users']);
    const { health: _now, ...verdict } = goal.summary;
    expect(other.summary).toMatchObject(verdict);
  });

  test('leave forced assignments out of the ratio check alone', async ({ api }) => {
    const id = await startedExperiment(api, 'forced');
    await api.deps.db.query(
      `INSERT INTO assignments (experiment_id, user_id, variant_id, version, source, bucket, assigned_at)
       SELECT $1, 'u' || i, v.id, 1, CASE WHEN i <= 60 THEN 'hash' ELSE 'forced' END, 0, now() - interval '1 second'
       FROM generate_series(1, 100) i
       JOIN variants v ON v.experiment_id = $1 AND v.is_control = (i > 60 OR i % 2 = 0)`,
      [id],
    );
    const answer = (await api.call('GET', '/v1/experiments/forced/results')).json();
    expect(answer.metadata.total_users).toBe(100);
    expect(answer.summary.health.srm).toMatchObject({ status: 'ok', observed: [30, 30] });
    expect(answer.variants[0].assigned_users).toBe(70);
  });

  test('share one answer between equal requests, and see what was just written', async ({
    api,
  }) => {
    await startedExperiment(api, 'shared');
    const url = '/v1/experiments/shared/results?source=postgresql';
    const usersOf = async () => (await api.call('GET', url)).json().metadata.total_users;
    const early = usersOf();
    await api.call('GET', '/v1/experiments/shared/assignment/u1');
    expect(await Promise.all([usersOf(), usersOf(), usersOf()])).toEqual([1, 1, 1]);
    expect([0, 1]).toContain(await early);
  });

  test('refuse an attribute of too many values, instead of leaving some out', async ({ api }) => {
    const id = await startedExperiment(api, 'many');
    await api.deps.db.query(
      `INSERT INTO assignments (experiment_id, user_id, variant_id, version, source, bucket, assigned_at, context)
       SELECT $1, 'u' || i, v.id, 1, 'hash', 0, now(), jsonb_build_object('name', i, 'half', i % 2)
       FROM generate_series(1, 600) i JOIN variants v ON v.experiment_id = $1 AND v.is_control = (i % 2 = 0)`,
      [id],
    );
    const ask = (attribute: string) =>
      api.call('GET', `/v1/experiments/many/results?segment_by=context.${attribute}`);
    const refused = await ask('name');
    expect([refused.statusCode, refused.json().errors[0].path]).toEqual([422, 'segment_by']);
    const { items } = (await ask('half')).json().segments;
    expect(items.map(({ segment }: { segment: string }) => segment).sort()).toEqual(['0', '1']);
  });

  test('have no interval anywhere when none is wanted', async ({ api }) => {
    await startedExperiment(api, 'bare');
    const timestamp = new Date(Date.now() - 60_000).toISOString();
    const users = Array.from({ length: 20 }, (_, index) => ({
      user_id: `u${index}`,
      variant: index % 2 === 0 ? 'control' : 'green',
    }));
    const context = { country: 'DE' };
    await api.call('POST', '/v1/exposures', {
      exposures: users.map((user) => ({ ...user, experiment: 'bare', timestamp, context })),
    });
    const events = users.slice(0, 5).map(({ user_id }, index) => {
      const event_id = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
      return { event_id, user_id, type: 'buy', timestamp };
    });
    await api.call('POST', '/v1/events', { events });
    const ends = async (parameters: string): Promise<readonly unknown[]> => {
      const url = `/v1/experiments/bare/results?method=fixed&segment_by=context.country&series=cumulative&${parameters}`;
      const found: unknown[] = [];
      JSON.parse((await api.call('GET', url)).body, (key, value) => {
        if (/ci_(lower|upper)$/.test(key) && value !== null) found.push(value);
        return value;
      });
      return found;
    };
    expect((await ends('include_ci=true')).length).toBeGreaterThan(10);
    expect(await ends('include_ci=false')).toEqual([]);
  });

  test('export as CSV', async ({ api }) => {
    await startedExperiment(api, 'exported');
    const answer = await api.call('GET', '/v1/experiments/exported/results?format=csv');
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
    const [header, ...lines] = answer.body.trim().split('\r\n');
    expect(header?.startsWith('experiment,variant,')).toBe(true);
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line.split(',')).toHaveLength(header?.split(',').length ?? 0);
  });

  const wrong: [string, string, string][] = [
    ['metrics=nope', 'invalid', 'metrics'],
    ['metrics=conversion_rate,nope', 'invalid', 'metrics'],
    ['segment_by=country', 'invalid', 'segment_by'],
    ['series=weekly', 'invalid', 'series.0'],
    ['filters={"properties.a\\u0000b":1}', 'invalid', 'filters.properties.a\u0000b'],
    ['filters={"properties.a":{}}', 'invalid', 'filters.properties.a'],
    ['start_date=2026-01-01', 'invalid', 'start_date'],
    ['start_date=2026-02-01T00:00:00Z&end_date=2026-01-01T00:00:00Z', 'invalid', 'end_date'],
    ['granularity=week', 'invalid', 'granularity'],
    ['filters={', 'invalid', 'filters'],
    ['filters={"plan":"pro"}', 'invalid', 'filters.plan'],
    ['method=guess', 'invalid', 'method'],
    ['confidence_level=101', 'invalid', 'confidence_level'],
    ['colour=red', 'invalid', 'colour'],
    ['source=redis', 'invalid', 'source'],
    [
      'granularity=hour&start_date=2020-01-01T00:00:00Z&end_date=2099-01-01T00:00:00Z',
      'invalid',
      'granularity',
    ],
  ];
  test.for(wrong)('refuse ?%s', async ([parameters, code, path], { api }) => {
    await startedExperiment(api, 'asked');
    const answer = await api.call('GET', `/v1/experiments/asked/results?${parameters}`);
    expect([answer.statusCode, answer.json().code]).toEqual([422, code]);
    expect(answer.json().errors.map((error: { path: string }) => error.path)).toContain(path);
  });

  test('say that ClickHouse is missing where it is asked for', async ({ api }) => {
    await startedExperiment(api, 'alone');
    const answer = await api.call('GET', '/v1/experiments/alone/results?source=clickhouse');
    expect([answer.statusCode, answer.json().code]).toEqual([503, 'unavailable']);
    expect((await api.call('GET', '/v1/experiments/alone/results')).json().metadata.source).toBe(
      'postgresql',
    );
  });
});

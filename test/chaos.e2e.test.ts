import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@clickhouse/client';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { freePort } from '../packages/embedded/src/data-dir/free-port.ts';
import { startClickHouse, startPostgres } from '../packages/embedded/src/index.ts';
import { type Supervised, supervise } from '../packages/embedded/src/supervisor/supervise.ts';

// What ships is what is tested: the programs as they are built.
const program = (name: string): string =>
  fileURLToPath(new URL(`../packages/server/dist/bin/${name}.js`, import.meta.url));
const TOKEN = 'assay_admin_chaos_0123456789abcdefghijklmn';
const ROUNDS = 3;
const BETWEEN_KILLS_MS = 1_500;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function startServer(
  roles: string,
  port: number,
  env: Record<string, string>,
): Promise<Supervised> {
  return supervise({
    name: roles,
    start: async (): Promise<ChildProcess> => {
      const child = spawn(process.execPath, [program('server')], {
        env: {
          PATH: process.env.PATH,
          ...env,
          ASSAY_ROLES: roles,
          PORT: String(port),
          LOG_LEVEL: 'error',
        },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      for (let waited = 0; waited < 20_000; waited += 50) {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${roles} ended`);
        const answers = await fetch(`http://127.0.0.1:${port}/health`).then(
          (response) => response.ok,
          () => false,
        );
        if (answers) return child;
        await sleep(50);
      }
      child.kill('SIGKILL');
      throw new Error(`${roles} was not ready`);
    },
    requestStop: (child) => {
      child.kill('SIGTERM');
    },
    stopTimeoutMs: 10_000,
    onTrouble: () => {},
  });
}

/** Sends new users and events without a pause, and writes down what was answered. */
class Load {
  readonly accepted = new Set<string>();
  readonly firstVariant = new Map<string, string>();
  readonly contradictions: string[] = [];
  unanswered: (() => Promise<void>)[] = [];
  failures = 0;
  isRunning = true;
  users = 0;
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async #call(path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(this.#url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  async sendEvents(): Promise<void> {
    const events = Array.from({ length: 25 }, (_, index) => ({
      event_id: randomUUID(),
      user_id: `user-${(this.users + index) % 500}`,
      type: 'buy',
      timestamp: new Date().toISOString(),
      value: index,
    }));
    const send = async (): Promise<void> => {
      const answer = (await this.#call('/v1/events', { events })) as {
        results: { status: string; event_id: string }[];
      };
      for (const { status, event_id } of answer.results) {
        expect(['accepted', 'duplicate']).toContain(status);
        this.accepted.add(event_id);
      }
    };
    await this.#try(send);
  }

  async assign(user: string): Promise<void> {
    await this.#try(async () => {
      const answer = (await this.#call(`/v1/experiments/chaos/assignment/${user}`)) as {
        variant: { key: string } | null;
      };
      const variant = answer.variant?.key ?? 'none';
      const first = this.firstVariant.get(user);
      if (first === undefined) this.firstVariant.set(user, variant);
      else if (first !== variant) this.contradictions.push(`${user}: ${first}, then ${variant}`);
    });
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch {
      // A client that got no answer asks again later, with the same ids.
      this.failures++;
      this.unanswered.push(work);
    }
  }

  async run(): Promise<void> {
    const lanes = Array.from({ length: 4 }, async () => {
      while (this.isRunning) {
        const user = `user-${this.users++}`;
        const earlier = `user-${Math.floor(Math.random() * this.users)}`;
        await Promise.all([this.sendEvents(), this.assign(user), this.assign(earlier)]);
        await sleep(15);
      }
    });
    await Promise.all(lanes);
  }

  async settle(): Promise<void> {
    for (let attempt = 0; attempt < 60 && this.unanswered.length > 0; attempt++) {
      const again = this.unanswered;
      this.unanswered = [];
      for (const work of again) await this.#try(work);
      if (this.unanswered.length > 0) await sleep(500);
    }
    expect(this.unanswered).toHaveLength(0);
  }
}

describe('under load, whoever is killed', () => {
  it('nothing is lost, nothing is counted twice, and the first answer stands', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'assay-chaos-'));
    const [postgres, clickhouse] = await Promise.all([
      startPostgres({ dataDir: join(folder, 'postgres') }),
      startClickHouse({ dataDir: join(folder, 'clickhouse') }),
    ]);
    const env = {
      DATABASE_URL: postgres.url,
      CLICKHOUSE_URL: clickhouse.url,
      ASSAY_ADMIN_TOKEN: TOKEN,
    };
    execFileSync(process.execPath, [program('migrate')], { env: { ...process.env, ...env } });
    const [apiPort, workerPort] = await Promise.all([freePort(), freePort()]);
    const api = await startServer('api', apiPort, env);
    const worker = await startServer('worker', workerPort, env);
    const url = `http://127.0.0.1:${apiPort}`;
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const created = await fetch(`${url}/v1/experiments`, {
      method: 'POST',
      headers,
      body: JSON.stringify({
        key: 'chaos',
        name: 'Chaos',
        variants: [
          { key: 'control', allocation_pct: 50, is_control: true },
          { key: 'green', allocation_pct: 50 },
        ],
      }),
    });
    expect(created.status).toBe(201);
    await fetch(`${url}/v1/experiments/chaos/start`, {
      method: 'POST',
      headers: { authorization: headers.authorization },
    });

    const load = new Load(url);
    const running = load.run();
    for (let round = 0; round < ROUNDS; round++) {
      for (const victim of [api, worker, clickhouse, postgres]) {
        await sleep(BETWEEN_KILLS_MS);
        await expect.poll(() => victim.pid(), { timeout: 30_000 }).toBeDefined();
        victim.kill();
      }
    }
    await sleep(BETWEEN_KILLS_MS);
    load.isRunning = false;
    await running;
    await load.settle();
    // Who was answered without the store, while it was away, is stored when asked for again.
    for (const user of [...load.firstVariant.keys()]) await load.assign(user);
    await load.settle();

    expect(load.failures).toBeGreaterThan(0);
    expect(load.accepted.size).toBeGreaterThan(1_000);
    expect(load.contradictions).toEqual([]);
    await checkStores(postgres.adminUrl.replace(/\/postgres$/, '/assay'), clickhouse.url, load);

    await Promise.all([api.stop(), worker.stop()]);
    await Promise.all([postgres.stop(), clickhouse.stop()]);
    await rm(folder, { recursive: true, force: true });
  });
});

async function checkStores(databaseUrl: string, clickhouseUrl: string, load: Load): Promise<void> {
  const db = new pg.Client({ connectionString: databaseUrl });
  await db.connect();
  const events = (
    await db.query<{ id: string }>('SELECT event_id::text AS id FROM events')
  ).rows.map(({ id }) => id);
  const stored = new Set(events);
  expect(events).toHaveLength(stored.size);
  expect([...load.accepted].filter((id) => !stored.has(id))).toEqual([]);
  const assignments = (
    await db.query<{ user_id: string; key: string }>(
      'SELECT a.user_id, v.key FROM assignments a JOIN variants v ON v.id = a.variant_id',
    )
  ).rows;
  const variantOf = new Map(assignments.map(({ user_id, key }) => [user_id, key]));
  expect(assignments).toHaveLength(variantOf.size);
  const changed = [...load.firstVariant].filter(
    ([user, variant]) => variantOf.get(user) !== variant,
  );
  expect(changed).toEqual([]);
  await db.end();

  const client = createClient({ url: clickhouseUrl });
  const ask = async <Row>(query: string): Promise<Row[]> =>
    (await client.query({ query, format: 'JSONEachRow' })).json<Row>();
  await expect
    .poll(
      async () =>
        (await ask<{ n: number }>('SELECT toUInt32(count()) AS n FROM events FINAL'))[0]?.n,
      {
        timeout: 60_000,
        interval: 200,
      },
    )
    .toBe(stored.size);
  const there = (
    await ask<{ id: string }>('SELECT toString(event_id) AS id FROM events FINAL')
  ).map(({ id }) => id);
  expect(new Set(there)).toEqual(stored);
  await expect
    .poll(
      async () =>
        (await ask<{ n: number }>('SELECT toUInt32(count()) AS n FROM assignments FINAL'))[0]?.n,
      {
        timeout: 30_000,
        interval: 200,
      },
    )
    .toBe(variantOf.size);
  await client.close();
}

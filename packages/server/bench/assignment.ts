import type { Request } from 'autocannon';
import pg from 'pg';
import { insertDecided, type NewAssignment } from '../src/features/assignments/store.ts';
import {
  call,
  load,
  median,
  type Row,
  round,
  startBareServer,
  startExperiment,
  startServer,
  startServices,
} from './harness.ts';

const PORT = 18_110;
const BARE_PORT = 18_111;
const SECONDS = 4;
const ROUNDS = 3;

/** Known and new users over HTTP, against a bare route and the bare statement. */
export async function assignment(): Promise<readonly Row[]> {
  const services = await startServices();
  const [server, bare] = await Promise.all([
    startServer(services, 'api', PORT),
    startBareServer(BARE_PORT),
  ]);
  const base = `http://127.0.0.1:${PORT}`;
  const experimentId = await startExperiment(base, 'bench');
  await call(base, 'GET', '/v1/experiments/bench/assignment/known');

  const known: number[] = [];
  const knownP99: number[] = [];
  const floor: number[] = [];
  const fresh: number[] = [];
  const freshP99: number[] = [];
  const floorPost: number[] = [];
  let users = 0;
  const post = {
    method: 'POST' as const,
    headers: { 'content-type': 'application/json' },
    requests: [
      {
        setupRequest: (request: Request): Request => ({
          ...request,
          body: JSON.stringify({ user_id: `new-${users++}` }),
        }),
      },
    ],
    duration: SECONDS,
  };
  const get = '/v1/experiments/bench/assignment/known';
  for (let i = 0; i < ROUNDS; i++) {
    floor.push(
      (await load({ url: `http://127.0.0.1:${BARE_PORT}${get}`, duration: SECONDS })).requests
        .average,
    );
    const answered = await load({ url: base + get, duration: SECONDS });
    known.push(answered.requests.average);
    knownP99.push(answered.latency.p99);
    const path = '/v1/experiments/bench/assignment';
    floorPost.push(
      (await load({ url: `http://127.0.0.1:${BARE_PORT}${path}`, ...post })).requests.average,
    );
    const persisted = await load({ url: base + path, ...post });
    fresh.push(persisted.requests.average);
    freshP99.push(persisted.latency.p99);
  }
  const direct = await driveStatement(services.databaseUrl, experimentId);
  server.kill('SIGTERM');
  bare.kill('SIGTERM');
  await services.stop();

  const knownRatio = median(known) / median(floor);
  const limit = Math.min(median(floorPost), direct);
  const freshRatio = median(fresh) / limit;
  return [
    {
      what: `bare route, requests/s (median of ${ROUNDS} × ${SECONDS} s, 64 connections)`,
      figure: round(median(floor)),
    },
    { what: 'known user, requests/s', figure: round(median(known)) },
    { what: 'known user, p99 ms', figure: round(median(knownP99), 1) },
    {
      what: 'known user ÷ bare route',
      figure: round(knownRatio, 2),
      floor: '≥ 0.7',
      isMet: knownRatio >= 0.7,
    },
    { what: 'bare POST route, requests/s', figure: round(median(floorPost)) },
    {
      what: 'the statement driven directly, rows/s (32 a group, 2 connections)',
      figure: round(direct),
    },
    { what: 'new users persisted, requests/s', figure: round(median(fresh)) },
    { what: 'new users, p99 ms', figure: round(median(freshP99), 1) },
    {
      what: 'new users ÷ min(bare route, statement)',
      figure: round(freshRatio, 2),
      floor: '≥ 0.6',
      isMet: freshRatio >= 0.6,
    },
  ];
}

/** Rows a second of the group commit's own statement, in groups as 64 callers on two lanes form. */
async function driveStatement(url: string, experimentId: number): Promise<number> {
  const GROUP = 32;
  const deadline = performance.now() + SECONDS * 1_000;
  let rows = 0;
  const lane = async (name: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows: found } = await client.query('SELECT version FROM experiments WHERE id = $1', [
      experimentId,
    ]);
    for (let group = 0; performance.now() < deadline; group++) {
      const users = Array.from(
        { length: GROUP },
        (_, index): NewAssignment => ({
          experimentId,
          userId: `direct-${name}-${group}-${index}`,
          variantId: 1,
          version: found[0]?.version ?? 0,
          source: 'hash',
          bucket: 1,
          assignedAt: '2026-11-01T00:00:00.000000Z',
          context: {},
        }),
      );
      const inserted = await insertDecided(client, users);
      if (inserted.size !== GROUP) throw new Error(`${inserted.size} of ${GROUP} inserted`);
      rows += GROUP;
    }
    await client.end();
  };
  await Promise.all([lane('a'), lane('b')]);
  return rows / SECONDS;
}

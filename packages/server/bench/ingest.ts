import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import pg from 'pg';
import { type EventRow, insertEvents } from '../src/features/events/store.ts';
import { median, quantile, type Row, round, startServer, startServices, TOKEN } from './harness.ts';

const PORT = 18_120;
const BATCH = 500;
const CONNECTIONS = 3;
const BATCHES = 300;
const ROUNDS = 3;

/** A random UUIDv7 of now. */
function uuid(): string {
  const hex = Date.now().toString(16).padStart(12, '0') + randomBytes(10).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const makeRows = (): EventRow[] =>
  Array.from({ length: BATCH }, (_, index) => ({
    eventId: uuid(),
    ts: new Date().toISOString(),
    userId: `user-${Math.floor(Math.random() * 200_000)}`,
    type: 'purchase',
    value: index / 7,
    properties: JSON.stringify({ plan: index % 2 ? 'pro' : 'free', page: `/checkout/${index}` }),
    experimentId: null,
  }));

const toBody = (rows: readonly EventRow[]): string =>
  JSON.stringify({
    events: rows.map(({ eventId, ts, userId, type, value, properties }) => ({
      event_id: eventId,
      timestamp: ts,
      user_id: userId,
      type,
      value,
      properties: JSON.parse(properties),
    })),
  });

/** Works through items on a number of lanes; answers items a second and the time of each in ms. */
async function drive<Item>(
  items: readonly Item[],
  lanes: number,
  work: (item: Item, lane: number) => Promise<void>,
): Promise<{ readonly perSecond: number; readonly times: readonly number[] }> {
  let next = 0;
  const times: number[] = [];
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let item = items[next++]; item !== undefined; item = items[next++]) {
        const at = performance.now();
        await work(item, lane);
        times.push(performance.now() - at);
      }
    }),
  );
  return { perSecond: (items.length * 1_000) / (performance.now() - startedAt), times };
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

function post(body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const sent = request(
      { port: PORT, host: '127.0.0.1', path: '/v1/events', method: 'POST', headers, agent },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => {
          if (response.statusCode === 200 && text.includes(`"accepted":${BATCH}`)) resolve();
          else reject(new Error(`${response.statusCode}: ${text.slice(0, 200)}`));
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Events over HTTP against the same statement on the same number of connections. */
export async function ingest(): Promise<readonly Row[]> {
  const services = await startServices();
  const clients = await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const client = new pg.Client({
        connectionString: services.databaseUrl,
        options: '-c timezone=UTC',
      });
      await client.connect();
      return client;
    }),
  );
  const direct: number[] = [];
  const http: number[] = [];
  const times: number[] = [];
  const batches = () => Array.from({ length: BATCHES }, makeRows);
  let server = await startServer(services, 'api', PORT);
  for (let i = 0; i < ROUNDS; i++) {
    const rows = batches();
    const driven = await drive(rows, CONNECTIONS, async (batch, lane) => {
      const client = clients[lane];
      if (client !== undefined) await insertEvents(client, batch);
    });
    direct.push(driven.perSecond * BATCH);
    const bodies = batches().map(toBody);
    // Twice as many callers as connections, so that each commit finds the next group waiting.
    const answered = await drive(bodies, CONNECTIONS * 2, post);
    http.push(answered.perSecond * BATCH);
    times.push(...answered.times);
  }
  server.kill('SIGTERM');
  await new Promise((resolve) => server.once('exit', resolve));
  server = await startServer(services, 'api,worker', PORT);
  // The copy of what was there before must be over, or it would be measured too.
  await untilStreaming();
  const bodies = Array.from({ length: 3 }, batches).flat().map(toBody);
  const sustained = await drive(bodies, CONNECTIONS * 2, post);
  server.kill('SIGTERM');
  await Promise.all(clients.map((client) => client.end()));
  agent.destroy();
  await services.stop();
  const ratio = median(http) / median(direct);
  return [
    {
      what: `the statement directly, events/s (${BATCH} a batch, ${CONNECTIONS} connections, median of ${ROUNDS})`,
      figure: round(median(direct)),
    },
    { what: 'over HTTP, worker paused, events/s', figure: round(median(http)) },
    {
      what: 'over HTTP, batch p50 / p99 ms',
      figure: `${round(quantile(times, 0.5))} / ${round(quantile(times, 0.99))}`,
    },
    { what: 'HTTP ÷ statement', figure: round(ratio, 2), floor: '≥ 0.6', isMet: ratio >= 0.6 },
    {
      what: 'over HTTP with CDC in the same process, events/s',
      figure: round(sustained.perSecond * BATCH),
      floor: '≥ 40,000 expected',
      isMet: sustained.perSecond * BATCH >= 40_000,
    },
  ];
}

async function untilStreaming(): Promise<void> {
  for (let waited = 0; waited < 120_000; waited += 200) {
    const response = await fetch(`http://127.0.0.1:${PORT}/ready`);
    const { parts } = (await response.json()) as {
      parts: Record<string, { detail?: string; lag_ms?: number | null }>;
    };
    if (parts.cdc?.detail === 'streaming' && (parts.cdc.lag_ms ?? 1e9) < 500) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('change data capture does not stream');
}

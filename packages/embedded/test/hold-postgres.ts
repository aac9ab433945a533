// Starts PostgreSQL and stays, to be killed by a test.
import { startPostgres } from '../src/postgres/server.ts';

const [, , dataDir = ''] = process.argv;
const postgres = await startPostgres({ dataDir });
process.stdout.write(`${JSON.stringify({ pid: postgres.pid(), url: postgres.url })}\n`);
setInterval(() => {}, 1_000);

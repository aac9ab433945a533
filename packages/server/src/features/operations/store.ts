import type { Db } from '../../platform/postgres.ts';

/** Asks PostgreSQL for nothing but an answer. */
export async function ping(db: Db): Promise<void> {
  await db.query('SELECT 1');
}

import { parseCursor, toPage } from '../../paging.ts';
import type { Db } from '../../platform/postgres.ts';
import type { Principal } from '../../principal.ts';
import { type AuditEntryRow, type AuditRow, insertAudit, listAudit } from './store.ts';

/** Who changes something, and in which request. */
export interface Actor {
  readonly name: string;
  readonly requestId: string | null;
}

/** The caller of a request as the actor of what it changes. */
export function actorOf(request: { readonly principal: Principal; readonly id: string }): Actor {
  const { name, tokenId } = request.principal;
  return { name: `${name} (token ${tokenId})`, requestId: request.id };
}

/** Writes an audit entry; to be called in the transaction of the change. */
export async function recordAudit(
  tx: Db,
  actor: Actor,
  entry: Omit<AuditRow, 'actor' | 'requestId'>,
): Promise<void> {
  await insertAudit(tx, { ...entry, actor: actor.name, requestId: actor.requestId });
}

/** What was done to one resource, from the newest on. */
export async function pageOfAudit(
  db: Db,
  resource: { readonly type: string; readonly id: string },
  limit: number,
  cursor: string | undefined,
): Promise<{ items: AuditEntryRow[]; next_cursor: string | null }> {
  const rows = await listAudit(db, resource, limit + 1, parseCursor(cursor));
  return toPage(rows, limit);
}

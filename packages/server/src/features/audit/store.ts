import { type Db, rfc3339 } from '../../platform/postgres.ts';

export interface AuditRow {
  readonly actor: string;
  /** Past tense: `experiment.started`. */
  readonly action: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly requestId: string | null;
}

/** Writes one entry; in the transaction of the change that it tells of. */
export async function insertAudit(db: Db, row: AuditRow): Promise<void> {
  await db.query(
    `INSERT INTO audit_log (actor, action, resource_type, resource_id, before, after, request_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      row.actor,
      row.action,
      row.resourceType,
      row.resourceId,
      row.before === null ? null : JSON.stringify(row.before),
      row.after === null ? null : JSON.stringify(row.after),
      row.requestId,
    ],
  );
}

/** An entry as it is answered. */
export interface AuditEntryRow {
  readonly id: number;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly resource_type: string;
  readonly resource_id: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly request_id: string | null;
}

/** Entries about one resource from the newest on, those with an id below `before`. */
export async function listAudit(
  db: Db,
  resource: { readonly type: string; readonly id: string },
  limit: number,
  before: number | null,
): Promise<readonly AuditEntryRow[]> {
  const { rows } = await db.query<AuditEntryRow>(
    `SELECT id, ${rfc3339('at')} AS at,
            actor, action, resource_type, resource_id, before, after, request_id
     FROM audit_log
     WHERE resource_type = $1 AND resource_id = $2 AND ($4::bigint IS NULL OR id < $4)
     ORDER BY id DESC LIMIT $3`,
    [resource.type, resource.id, limit, before],
  );
  return rows;
}

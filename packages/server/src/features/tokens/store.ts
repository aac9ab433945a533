import type { Token, TokenRole } from '@assay/contract';
import { must } from '../../errors.ts';
import { type Db, rfc3339 } from '../../platform/postgres.ts';
import type { Principal } from '../../principal.ts';

const COLUMNS = `id, name, role, prefix,
  ${rfc3339('created_at')} AS created_at, ${rfc3339('revoked_at')} AS revoked_at`;

/** A token as it is stored: its SHA-256 in hex, and what a reader may see of it. */
interface NewToken {
  readonly name: string;
  readonly role: TokenRole;
  readonly hash: string;
  readonly prefix: string;
}

/** Stores a new token; answers it without its secret. */
export async function insertToken(db: Db, token: NewToken): Promise<Token> {
  const { rows } = await db.query<Token>(
    `INSERT INTO tokens (name, role, hash, prefix) VALUES ($1, $2, decode($3, 'hex'), $4)
     RETURNING ${COLUMNS}`,
    [token.name, token.role, token.hash, token.prefix],
  );
  return must(rows[0], 'an insert returns its row');
}

/** Tokens from the newest on, those with an id below `before`. */
export async function listTokens(
  db: Db,
  limit: number,
  before: number | null,
): Promise<readonly Token[]> {
  const { rows } = await db.query<Token>(
    `SELECT ${COLUMNS} FROM tokens WHERE $2::bigint IS NULL OR id < $2 ORDER BY id DESC LIMIT $1`,
    [limit, before],
  );
  return rows;
}

/** A token by its id, held until the transaction ends. */
export async function findToken(db: Db, id: number): Promise<Token | undefined> {
  const { rows } = await db.query<Token>(`SELECT ${COLUMNS} FROM tokens WHERE id = $1 FOR UPDATE`, [
    id,
  ]);
  return rows[0];
}

/** Revokes a valid token and answers it; undefined if it was revoked before. */
export async function revokeToken(db: Db, id: number): Promise<Token | undefined> {
  const { rows } = await db.query<Token>(
    `UPDATE tokens SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING ${COLUMNS}`,
    [id],
  );
  return rows[0];
}

/** Revokes every valid token with this prefix but the one with this hash; answers them. */
export async function revokeOthers(
  db: Db,
  prefix: string,
  hash: string,
): Promise<readonly Token[]> {
  const { rows } = await db.query<Token>(
    `UPDATE tokens SET revoked_at = now()
     WHERE prefix = $1 AND hash <> decode($2, 'hex') AND revoked_at IS NULL RETURNING ${COLUMNS}`,
    [prefix, hash],
  );
  return rows;
}

/** Stores the token or makes it valid again; answers it, undefined if it was so already. */
export async function ensureToken(db: Db, token: NewToken): Promise<Token | undefined> {
  const { rows } = await db.query<Token>(
    `INSERT INTO tokens (name, role, hash, prefix) VALUES ($1, $2, decode($3, 'hex'), $4)
     ON CONFLICT (hash) DO UPDATE SET revoked_at = NULL, role = excluded.role
     WHERE tokens.revoked_at IS NOT NULL OR tokens.role <> excluded.role
     RETURNING ${COLUMNS}`,
    [token.name, token.role, token.hash, token.prefix],
  );
  return rows[0];
}

/** The owner of a valid token, by its hash in hex. */
export async function findTokenPrincipal(db: Db, hash: string): Promise<Principal | undefined> {
  const { rows } = await db.query<{ id: number; name: string; role: TokenRole }>(
    `SELECT id, name, role FROM tokens WHERE hash = decode($1, 'hex') AND revoked_at IS NULL`,
    [hash],
  );
  const [row] = rows;
  return row === undefined ? undefined : { tokenId: row.id, name: row.name, role: row.role };
}

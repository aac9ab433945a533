import { randomBytes } from 'node:crypto';
import type { Token, TokenRole } from '@assay/contract';
import type { Deps } from '../../deps.ts';
import { DomainError } from '../../errors.ts';
import { parseCursor, toPage } from '../../paging.ts';
import { type Db, inTransaction, isUnavailable } from '../../platform/postgres.ts';
import { hashToken, type Principal } from '../../principal.ts';
import { type Actor, recordAudit } from '../audit/service.ts';
import type { LiveSnapshot } from '../snapshot/snapshot.ts';
import {
  ensureToken,
  findTokenPrincipal,
  insertToken,
  listTokens,
  revokeOthersNamed,
  revokeToken,
} from './store.ts';

export interface TokenDeps extends Pick<Deps, 'db'> {
  readonly snapshot: LiveSnapshot;
}

const PREFIX_LENGTH = 16;
const ENVIRONMENT_TOKEN = 'environment';

/** A token of 256 random bits; the part before them tells a reader what it is. */
function makeToken(role: TokenRole): string {
  return `assay_${role}_${randomBytes(32).toString('base64url')}`;
}

const described = (token: string, name: string, role: TokenRole) => ({
  name,
  role,
  hash: hashToken(token),
  prefix: token.slice(0, PREFIX_LENGTH),
});

/** Makes a token. Its secret is in the answer and nowhere else. */
export async function createToken(
  deps: Pick<TokenDeps, 'db'>,
  actor: Actor,
  request: { readonly name: string; readonly role: TokenRole },
): Promise<Token & { readonly token: string }> {
  const token = makeToken(request.role);
  const stored = await inTransaction(deps.db, async (tx) => {
    const row = await insertToken(tx, described(token, request.name, request.role));
    await audit(tx, actor, 'token.created', row, null);
    return row;
  });
  return { ...stored, token };
}

/** Tokens from the newest on, without their secrets. */
export async function pageOfTokens(
  { db }: Pick<TokenDeps, 'db'>,
  limit: number,
  cursor: string | undefined,
): Promise<{ items: Token[]; next_cursor: string | null }> {
  return toPage(await listTokens(db, limit + 1, parseCursor(cursor)), limit);
}

/** Revokes a token, here at once and in every other process within a second. */
export async function revoke(deps: TokenDeps, actor: Actor, id: number): Promise<void> {
  await inTransaction(deps.db, async (tx) => {
    const row = await revokeToken(tx, id);
    if (row === undefined) throw new DomainError('token_not_found', `There is no token ${id}`);
    await audit(tx, actor, 'token.revoked', row, null);
  });
  await deps.snapshot.refresh();
}

/** Makes the operator's own admin token valid, and the one that it replaces invalid. */
export async function ensureAdminToken(
  { db }: Pick<TokenDeps, 'db'>,
  token: string,
): Promise<void> {
  const row = described(token, ENVIRONMENT_TOKEN, 'admin');
  await inTransaction(db, async (tx) => {
    await revokeOthersNamed(tx, ENVIRONMENT_TOKEN, row.hash);
    // The prefix of a chosen token could be all of its entropy that is worth guessing.
    await ensureToken(tx, { ...row, prefix: 'environment' });
  });
}

/**
 * Whom a token belongs to: from memory while changes are certain to be noticed, else from the
 * database. When that cannot be reached either, the last known answer stands: nobody can revoke a
 * token in a database that is down, and assignments must go on.
 */
export function findPrincipal(
  { db, snapshot }: TokenDeps,
  hash: string,
): Principal | undefined | Promise<Principal | undefined> {
  if (snapshot.isLive()) return snapshot.current().tokens.get(hash);
  return findTokenPrincipal(db, hash).catch((error: unknown) => {
    if (isUnavailable(error) && snapshot.isLoaded()) return snapshot.current().tokens.get(hash);
    throw error;
  });
}

function audit(tx: Db, actor: Actor, action: string, after: Token, before: null): Promise<void> {
  return recordAudit(tx, actor, {
    action,
    resourceType: 'token',
    resourceId: String(after.id),
    before,
    after,
  });
}

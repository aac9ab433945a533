import { randomBytes } from 'node:crypto';
import type { Token, TokenRole } from '@assay/contract';
import type { Deps } from '../../deps.ts';
import { DomainError } from '../../errors.ts';
import { parseCursor, toPage } from '../../paging.ts';
import { type Db, inTransaction, isUnavailable } from '../../platform/postgres.ts';
import { hashToken, type Principal } from '../../principal.ts';
import { type Actor, recordAudit } from '../audit/service.ts';
import { showChange } from '../snapshot/service.ts';
import type { LiveSnapshot } from '../snapshot/snapshot.ts';
import {
  ensureToken,
  findToken,
  findTokenPrincipal,
  insertToken,
  listTokens,
  revokeOthers,
  revokeToken,
} from './store.ts';

export interface TokenDeps extends Pick<Deps, 'db'> {
  readonly snapshot: LiveSnapshot;
}

const PREFIX_LENGTH = 16;
/** Name and prefix of the token that ASSAY_ADMIN_TOKEN brings; no token made here has the prefix. */
const ENVIRONMENT = 'environment';
const ENVIRONMENT_ACTOR: Actor = { name: ENVIRONMENT, requestId: null };

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
    await audit(tx, actor, 'token.created', null, row);
    return row;
  });
  return { ...stored, token };
}

/** {@link createToken} in a process that shall let the new token in at once. */
export async function issueToken(
  deps: TokenDeps,
  actor: Actor,
  request: { readonly name: string; readonly role: TokenRole },
): Promise<Token & { readonly token: string }> {
  const created = await createToken(deps, actor, request);
  await showChange(deps);
  return created;
}

/** Tokens from the newest on, without their secrets. */
export async function pageOfTokens(
  { db }: Pick<TokenDeps, 'db'>,
  limit: number,
  cursor: string | undefined,
): Promise<{ items: Token[]; next_cursor: string | null }> {
  return toPage(await listTokens(db, limit + 1, parseCursor(cursor)), limit);
}

/**
 * Revokes a token, here at once and in every other process within a second. To revoke it again
 * changes nothing. The caller's own token may be revoked too, as one does that has leaked: the
 * command line and the operator's own token still make new ones.
 *
 * @throws DomainError `token_not_found`
 */
export async function revoke(deps: TokenDeps, actor: Actor, id: number): Promise<void> {
  await inTransaction(deps.db, async (tx) => {
    const before = await findToken(tx, id);
    if (before === undefined) throw new DomainError('token_not_found', `There is no token ${id}`);
    const after = await revokeToken(tx, id);
    if (after !== undefined) await audit(tx, actor, 'token.revoked', before, after);
  });
  await showChange(deps);
}

/** Makes the operator's own admin token valid, and the one that it replaces invalid. */
export async function ensureAdminToken(
  { db }: Pick<TokenDeps, 'db'>,
  token: string,
): Promise<void> {
  // The prefix of a chosen token could be all of its entropy that is worth guessing.
  const row = { ...described(token, ENVIRONMENT, 'admin'), prefix: ENVIRONMENT };
  await inTransaction(db, async (tx) => {
    for (const replaced of await revokeOthers(tx, ENVIRONMENT, row.hash)) {
      await audit(tx, ENVIRONMENT_ACTOR, 'token.revoked', null, replaced);
    }
    const ensured = await ensureToken(tx, row);
    if (ensured !== undefined) await audit(tx, ENVIRONMENT_ACTOR, 'token.created', null, ensured);
  });
}

/** Whom a token belonged to when the snapshot was made. */
export function recallPrincipal(
  { snapshot }: Pick<TokenDeps, 'snapshot'>,
  hash: string,
): Principal | undefined {
  return snapshot.isLoaded() ? snapshot.current().tokens.get(hash) : undefined;
}

/**
 * Whom a token belongs to, for when the snapshot may be old. When the database cannot be reached
 * either, the last known answer stands: nobody can revoke a token in a database that is down, and
 * assignments must go on.
 */
export async function lookUpPrincipal(
  { db, snapshot }: TokenDeps,
  hash: string,
): Promise<Principal | undefined> {
  try {
    return await findTokenPrincipal(db, hash);
  } catch (error) {
    if (isUnavailable(error) && snapshot.isLoaded()) return recallPrincipal({ snapshot }, hash);
    throw error;
  }
}

function audit(
  tx: Db,
  actor: Actor,
  action: string,
  before: Token | null,
  after: Token,
): Promise<void> {
  return recordAudit(tx, actor, {
    action,
    resourceType: 'token',
    resourceId: String(after.id),
    before,
    after,
  });
}

import { z } from 'zod';
import { page, text } from './common.ts';

/**
 * What a token may do: `ingest` sends events and exposures, `client` also assigns users, `viewer`
 * reads all but tokens, `editor` does all of that and changes experiments, `admin` also makes and
 * revokes tokens.
 */
export const TOKEN_ROLES = ['client', 'ingest', 'viewer', 'editor', 'admin'] as const;
export const TokenRole = z.enum(TOKEN_ROLES);
export type TokenRole = z.infer<typeof TokenRole>;

export const TokenCreate = z
  .strictObject({ name: text(200).min(1), role: TokenRole })
  .meta({ id: 'TokenCreate' });

export const Token = z
  .object({
    id: z.number().int(),
    name: z.string(),
    role: TokenRole,
    prefix: z.string(),
    created_at: z.string(),
    revoked_at: z.string().nullable(),
  })
  .meta({ id: 'Token' });
export type Token = z.infer<typeof Token>;

/** The only answer that ever holds the token itself. */
export const TokenCreated = Token.extend({ token: z.string() }).meta({ id: 'TokenCreated' });
export const TokenList = page(Token).meta({ id: 'TokenList' });

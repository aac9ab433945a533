import { createHash } from 'node:crypto';
import type { TokenRole } from '@assay/contract';

/** Who a request comes from. */
export interface Principal {
  readonly tokenId: number;
  readonly name: string;
  readonly role: TokenRole;
}

/** SHA-256 of a token in hex: what is stored of it. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

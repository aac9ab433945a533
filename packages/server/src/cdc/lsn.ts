// A log sequence number is 64 bits: bigint, because JavaScript's numbers have 53.
export type Lsn = bigint;

/** `16/B374D848`, as PostgreSQL writes it, to a number. Throws a SyntaxError for other text. */
export function parseLsn(text: string): Lsn {
  const match = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text);
  if (match === null) throw new SyntaxError(`"${text}" is not an LSN`);
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;
}

export const maxLsn = (a: Lsn, b: Lsn): Lsn => (a > b ? a : b);

const EPOCH_BITS = 48n;

/**
 * The version of a row in ClickHouse: the epoch of the source above, the LSN of the change below.
 * 48 bits are 256 TiB of WAL, and a restored database gets the next epoch.
 *
 * @param epoch 1…65535
 */
export function rowVersion(epoch: number, lsn: Lsn): bigint {
  if (lsn >> EPOCH_BITS !== 0n) throw new RangeError(`LSN ${formatLsn(lsn)} has more than 48 bits`);
  return (BigInt(epoch) << EPOCH_BITS) | lsn;
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLsn, parseLsn, rowVersion } from './lsn.ts';

describe('an LSN', () => {
  it('is read and written as PostgreSQL does', () => {
    expect(parseLsn('16/B374D848')).toBe(0x16b374d848n);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (lsn) => {
        expect(parseLsn(formatLsn(lsn))).toBe(lsn);
      }),
    );
    expect(() => parseLsn('16')).toThrow(SyntaxError);
  });

  it('makes a version that a later epoch always beats', () => {
    expect(rowVersion(2, 0n)).toBeGreaterThan(rowVersion(1, (1n << 48n) - 1n));
    expect(() => rowVersion(1, 1n << 48n)).toThrow(RangeError);
  });
});

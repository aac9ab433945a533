import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInstant, parseInstant, uuidV7Time } from './instant.ts';

describe('parseInstant', () => {
  it.each([
    ['2026-01-05T10:00:00Z', '2026-01-05T10:00:00.000000Z'],
    ['2026-01-05T10:00:00.123456789Z', '2026-01-05T10:00:00.123456Z'],
    ['2026-01-05t10:00:00.5z', '2026-01-05T10:00:00.500000Z'],
    ['2026-01-05T10:00:00+02:30', '2026-01-05T07:30:00.000000Z'],
    ['2026-12-31T23:00:00.000001-02:00', '2027-01-01T01:00:00.000001Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000000Z'],
    ['1969-12-31T23:59:59.999999Z', '1969-12-31T23:59:59.999999Z'],
  ])('reads %s', (text, expected) => {
    expect(formatInstant(parseInstant(text) ?? Number.NaN)).toBe(expected);
  });

  it.each([
    '2026-01-05',
    '2026-01-05T10:00:00',
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-05T24:00:00Z',
    '2026-01-05T10:60:00Z',
    '2026-01-05T10:00:60Z',
    '2026-01-05T10:00:00+24:00',
    '2026-01-05 10:00:00Z',
    'yesterday',
    '',
  ])('refuses %j', (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  it('gives back every microsecond that formatInstant writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8_000_000_000_000_000 }), (micros) => {
        expect(parseInstant(formatInstant(micros))).toBe(micros);
      }),
    );
  });
});

describe('both', () => {
  const day = fc.integer({ min: Date.UTC(0, 0, 1), max: Date.UTC(2255, 0, 1) });

  it('know the calendar as Date does, from the year 1900 on', () => {
    fc.assert(
      fc.property(day, (ms) => {
        const text = new Date(ms).toISOString();
        expect(formatInstant(ms * 1000)).toBe(text.replace('Z', '000Z'));
        expect(parseInstant(text)).toBe(ms * 1000);
      }),
    );
  });

  it('take the last day of every month, and none after it', () => {
    for (const year of [1600, 1700, 1970, 2000, 2023, 2024, 2100]) {
      for (let month = 1; month <= 12; month++) {
        const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
        const at = (date: number): string =>
          `${year}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}T12:00:00Z`;
        expect(parseInstant(at(last))).toBe(Date.parse(at(last)) * 1000);
        expect(parseInstant(at(last + 1))).toBeUndefined();
      }
    }
    expect(parseInstant('2026-01-00T00:00:00Z')).toBeUndefined();
    expect(parseInstant('2026-00-01T00:00:00Z')).toBeUndefined();
  });
});

describe('uuidV7Time', () => {
  it('reads the milliseconds of a UUIDv7 and of nothing else', () => {
    const time = uuidV7Time('018f3b1e-7c1a-7d3e-8f00-0123456789ab');
    expect(time).toBe(0x018f3b1e7c1a * 1000);
    expect(uuidV7Time('550e8400-e29b-41d4-a716-446655440000')).toBeUndefined();
    expect(uuidV7Time('018f3b1e7c1a7d3e8f000123456789ab')).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { IdParam, PageQuery } from './common.ts';
import { ResultsQuery } from './results.ts';

describe('a number in a query or a path', () => {
  it.each([
    ['50', 50],
    ['99.99', 99.99],
    ['095.50', 95.5],
  ])('is taken from %s', (text, confidence_level) => {
    expect(ResultsQuery.parse({ confidence_level: text })).toMatchObject({ confidence_level });
  });

  const level = 'must be a number from 50 to 99.99, in decimal digits';
  const sample = 'must be a whole number from 0 to 1000000000, in decimal digits';
  it.each([
    ...['0', '49', '49.999', '100', '-95', '1e1', '0x5f', ' 95', '', 'high', ['95', '95']].map(
      (given) => [ResultsQuery, 'confidence_level', given, level] as const,
    ),
    ...['-1', '1.5', '-1.5', '1000000001', 'few'].map(
      (given) => [ResultsQuery, 'min_sample', given, sample] as const,
    ),
    ...['0', '501', '2.5', 'all'].map(
      (given) =>
        [
          PageQuery,
          'limit',
          given,
          'must be a whole number from 1 to 500, in decimal digits',
        ] as const,
    ),
  ])('is refused with all that is asked of it, %#', (schema, name, given, message) => {
    const { error } = schema.safeParse({ [name]: given });
    expect(error?.issues.map((issue) => issue.message)).toEqual([message]);
  });

  it('is an id where one is named', () => {
    expect(IdParam.parse('7')).toBe(7);
    expect(IdParam.safeParse('0').error?.issues[0]?.message).toContain('from 1 to 2147483647');
  });
});

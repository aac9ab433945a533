import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { test } from '../../test/fixtures.ts';
import { jsonTextArray, plainArray, textArray } from './array-literal.ts';

describe('array literals', () => {
  test('are read by PostgreSQL as what they were made of', async ({ database }) => {
    const text = fc
      .string({ unit: 'binary', maxLength: 20 })
      .filter((value) => !value.includes('\0') && value.isWellFormed());
    const tricky = fc.constantFrom('', 'NULL', 'null', '{}', '"', '\\', '\\"', ' a ', 'a,b', '\n');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(text, tricky)),
        // Its text has no sign for a zero.
        fc.array(fc.option(fc.double({ noNaN: true }).map((value) => value + 0))),
        async (texts, numbers) => {
          const { rows } = await database.pool.query(
            'SELECT to_json($1::text[]) AS texts, $2::float8[] AS numbers, to_json($3::jsonb[]) AS documents',
            [
              textArray(texts),
              plainArray(numbers),
              jsonTextArray(texts.map((text) => JSON.stringify({ text }))),
            ],
          );
          expect(rows[0].texts).toEqual(texts);
          expect(rows[0].documents).toEqual(texts.map((text) => ({ text })));
          expect(rows[0].numbers).toEqual(numbers);
        },
      ),
      { numRuns: 50 },
    );
  });
});

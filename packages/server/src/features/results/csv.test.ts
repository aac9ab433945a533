import { describe, expect, it } from 'vitest';
import { csvField } from './csv.ts';

describe('a field of CSV', () => {
  it.each([
    [null, ''],
    [undefined, ''],
    [-0.5, '-0.5'],
    [true, 'true'],
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    ['=1+1', "'=1+1"],
    ['-2', "'-2"],
    ['@sum', "'@sum"],
    ['=a,"b"', '"\'=a,""b"""'],
  ])('%j is %j', (value, field) => {
    expect(csvField(value)).toBe(field);
  });
});

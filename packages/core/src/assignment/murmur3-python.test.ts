import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

// A Python with mmh3; `npm test` makes one.
const python = process.env.TEST_PYTHON;
const script = `
import json, sys, mmh3
vectors = json.load(sys.stdin)
print(json.dumps([mmh3.hash(f"{v['user_id']}:{v['seed']}", signed=False) for v in vectors["buckets"]]))
`;

it.skipIf(python === undefined)('the vectors are those of the reference, mmh3', () => {
  const path = new URL('../../../../spec/assignment/vectors.json', import.meta.url);
  const text = readFileSync(path, 'utf8');
  const output = execFileSync(python ?? '', ['-c', script], { input: text, encoding: 'utf8' });
  const expected = JSON.parse(text).buckets.map(({ hash }: { hash: number }) => hash);
  expect(JSON.parse(output)).toEqual(expected);
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Answer, Inputs } from '../../test/stats/adapter.ts';
import { ADAPTERS } from '../../test/stats/vector-adapters.ts';

interface Case {
  readonly id: string;
  readonly method: string;
  readonly inputs: Inputs;
  readonly expected: Readonly<Record<string, unknown>>;
  readonly tolerance?: { readonly rel?: number; readonly abs?: number };
}

const { cases }: { readonly cases: readonly Case[] } = JSON.parse(
  readFileSync(new URL('../../../../spec/statistics/stats-vectors.json', import.meta.url), 'utf8'),
);

const asNumber = (value: unknown): unknown =>
  typeof value === 'string' && value !== '' && !Number.isNaN(Number(value)) ? Number(value) : value;

function expectClose(
  found: unknown,
  wanted: unknown,
  path: string,
  tolerance: Case['tolerance'],
): void {
  if (Array.isArray(wanted)) {
    expect(Array.isArray(found), `${path} is a list`).toBe(true);
    for (const [index, item] of wanted.entries()) {
      expectClose((found as unknown[])[index], item, `${path}.${index}`, tolerance);
    }
    return;
  }
  if (typeof wanted === 'object' && wanted !== null) {
    for (const [name, item] of Object.entries(wanted)) {
      expectClose((found as Answer)[name], item, `${path}.${name}`, tolerance);
    }
    return;
  }
  const expected = asNumber(wanted);
  if (typeof expected !== 'number' || !Number.isFinite(expected)) {
    expect(found, path).toEqual(expected);
    return;
  }
  // Below the smallest normal number an engine may answer anything that small.
  if (typeof wanted === 'string' && expected < 1e-300) {
    expect(found, path).toBeLessThanOrEqual(1e-300);
    return;
  }
  const rel = tolerance?.rel ?? 1e-9;
  const abs = tolerance?.abs ?? (expected === 0 ? 1e-12 : 0);
  const distance = Math.abs((found as number) - expected);
  expect(distance, `${path}: ${String(found)} instead of ${expected}`).toBeLessThanOrEqual(
    Math.max(abs, rel * Math.abs(expected)),
  );
}

function check(found: Answer, { expected, tolerance }: Case): void {
  for (const [name, wanted] of Object.entries(expected)) {
    expectClose(found[name], wanted, name, tolerance);
  }
}

describe('the published vectors', () => {
  it('are there', () => {
    expect(cases.length).toBeGreaterThan(200);
  });

  it.each(cases)('$id', (vector) => {
    const adapter = ADAPTERS[vector.method];
    if (adapter === undefined) throw new Error(`no adapter for ${vector.method}`);
    check(adapter(vector.inputs), vector);
  });
});

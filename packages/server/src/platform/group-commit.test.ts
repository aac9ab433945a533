import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DomainError } from '../errors.ts';
import { createGroupCommit, type GroupCommitOptions } from './group-commit.ts';
import { createMetrics } from './metrics.ts';

class BadItem extends Error {}

function groupOf(options: Partial<GroupCommitOptions<number, number>>) {
  return createGroupCommit<number, number>({
    name: 'test',
    maxRows: 10,
    lingerMs: 1,
    maxConcurrent: 2,
    maxWaitingRows: 1_000,
    isItemFault: (error) => error instanceof BadItem,
    metrics: createMetrics(),
    commit: async (items) => items.map((item) => item * 2),
    ...options,
  });
}

describe('group commit', () => {
  it('answers each item its own result, in groups of bounded size and number', async () => {
    const sizes: number[] = [];
    let writing = 0;
    let most = 0;
    const group = groupOf({
      commit: async (items) => {
        sizes.push(items.length);
        most = Math.max(most, ++writing);
        await new Promise((resolve) => setTimeout(resolve, 3));
        writing--;
        return items.map((item) => item * 2);
      },
    });
    const items = Array.from({ length: 95 }, (_, index) => index);
    expect(await Promise.all(items.map(group.submit))).toEqual(items.map((item) => item * 2));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
    expect(sizes.length).toBeLessThan(20);
    expect(most).toBe(2);
  });

  it('fails only the items that are at fault, wherever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 40 }), async (good) => {
        const group = groupOf({
          commit: async (items) => {
            if (items.some((item) => !good[item])) throw new BadItem();
            return [...items];
          },
        });
        const results = await Promise.allSettled(good.map((_, index) => group.submit(index)));
        expect(results.map(({ status }) => status === 'fulfilled')).toEqual(good);
      }),
      { numRuns: 30 },
    );
  });

  it('fails a whole group for an error that is nobody’s fault', async () => {
    let attempts = 0;
    const group = groupOf({
      commit: async () => {
        attempts++;
        throw new Error('away');
      },
    });
    const results = await Promise.allSettled([1, 2, 3].map(group.submit));
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(attempts).toBe(1);
  });

  it('refuses what does not fit, and writes what does', async () => {
    let release: (() => void) | undefined;
    const group = groupOf({
      maxRows: 1,
      maxConcurrent: 1,
      maxWaitingRows: 3,
      commit: async (items) => {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return [...items];
      },
    });
    const taken = [1, 2, 3, 4].map(group.submit);
    await expect(group.submit(5)).rejects.toMatchObject({
      code: 'overloaded',
    } satisfies Partial<DomainError>);
    for (let i = 0; i < 4; i++) {
      release?.();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await Promise.all(taken)).toEqual([1, 2, 3, 4]);
  });
});

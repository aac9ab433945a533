import { describe, expect, it } from 'vitest';
import { createSingleFlight } from './single-flight.ts';

/** Work that ends when told to, counting how often it was begun. */
function controlled() {
  const ends: ((value: string | Error) => void)[] = [];
  const work = (): Promise<string> =>
    new Promise((resolve, reject) => {
      ends.push((value) => (value instanceof Error ? reject(value) : resolve(value)));
    });
  return { work, ends };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('single flight', () => {
  it('answers those who ask meanwhile by one later run, begun after they asked', async () => {
    const flights = createSingleFlight<string>();
    const { work, ends } = controlled();
    const first = flights('a', work);
    const others = [flights('a', work), flights('a', work), flights('a', work)];
    expect(ends).toHaveLength(1);
    ends[0]?.('one');
    expect(await first).toBe('one');
    await settle();
    expect(ends).toHaveLength(2);
    ends[1]?.('two');
    expect(await Promise.all(others)).toEqual(['two', 'two', 'two']);
    await settle();
    void flights('a', work);
    expect(ends).toHaveLength(3);
    ends[2]?.('three');
  });

  it('gives an error to those who asked for it alone', async () => {
    const flights = createSingleFlight<string>();
    const { work, ends } = controlled();
    const first = flights('a', work);
    const second = flights('a', work);
    ends[0]?.(new Error('down'));
    await expect(first).rejects.toThrow('down');
    await settle();
    ends[1]?.('up');
    expect(await second).toBe('up');
  });

  it('does not join different keys', () => {
    const flights = createSingleFlight<string>();
    const { work, ends } = controlled();
    void flights('a', work);
    void flights('b', work);
    expect(ends).toHaveLength(2);
    for (const end of ends) end('done');
  });
});

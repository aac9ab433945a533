import { type ChildProcess, spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { hasEnded } from './supervise.ts';
import { type ReadinessOptions, untilReady } from './until-ready.ts';

const STAY = 'setInterval(() => {}, 1000)';

const node = (code: string): ChildProcess =>
  spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'ignore', 'pipe'] });

const wait = (
  child: ChildProcess,
  options: Partial<ReadinessOptions>,
  signal = new AbortController().signal,
) =>
  untilReady(
    child,
    {
      isReady: async () => false,
      timeoutMs: 60_000,
      lastSignal: 'SIGKILL',
      whenEnded: (words) => `it said: ${words}`,
      whenLate: 'it is late',
      ...options,
    },
    signal,
  );

describe('untilReady', () => {
  it('asks until the answer is yes', async () => {
    let asked = 0;
    const child = node(STAY);
    await wait(child, { isReady: async () => ++asked === 3 });
    expect([asked, hasEnded(child)]).toEqual([3, false]);
    child.kill('SIGKILL');
  });

  it('repeats the last words of one that ends', async () => {
    const child = node("process.stderr.write('no disk\\n'); process.exitCode = 1");
    await expect(wait(child, {})).rejects.toThrow('it said: no disk');
  });

  it('counts the time that asking takes, and ends what is late', async () => {
    let asked = 0;
    const isReady = async () => {
      asked++;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return false;
    };
    const child = node(STAY);
    await expect(wait(child, { isReady, timeoutMs: 300 })).rejects.toThrow('it is late');
    expect(hasEnded(child)).toBe(true);
    expect(asked).toBeLessThanOrEqual(2);
  });

  it('ends what nobody waits for any more', async () => {
    const child = node(STAY);
    const waiting = wait(child, {}, AbortSignal.abort(new Error('enough')));
    await expect(waiting).rejects.toThrow('enough');
    expect(hasEnded(child)).toBe(true);
  });

  it('says what could not be spawned', async () => {
    const child = spawn('/no/such/program', { stdio: ['ignore', 'ignore', 'pipe'] });
    await expect(wait(child, {})).rejects.toThrow('ENOENT');
  });
});

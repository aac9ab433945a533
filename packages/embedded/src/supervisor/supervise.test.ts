import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { backoffMs, type Supervised, type SuperviseOptions, supervise } from './supervise.ts';

const STAY = 'setInterval(() => {}, 1000)';
const DEAF = `process.on('SIGTERM', () => {}); process.send?.('deaf'); ${STAY}`;

let running: Supervised | undefined;
afterEach(() => running?.stop());

const node = (code: string): ChildProcess =>
  spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });

async function run(start: SuperviseOptions['start'], more: Partial<SuperviseOptions> = {}) {
  running = await supervise({
    name: 'It',
    start,
    requestStop: (child) => {
      child.kill('SIGTERM');
    },
    stopTimeoutMs: 300,
    onTrouble: () => {},
    ...more,
  });
  return running;
}

describe('supervise', () => {
  it('starts again what was killed, and says so', async () => {
    const troubles: string[] = [];
    const it = await run(async () => node(STAY), {
      onTrouble: (message) => troubles.push(message),
    });
    const first = it.pid();
    it.kill();
    await expect.poll(() => it.pid() !== first && it.pid() !== undefined).toBe(true);
    expect(troubles).toEqual(['It ended unexpectedly (SIGKILL); starting it again']);
  });

  it('waits ever longer for one that dies after each start', async () => {
    const starts: number[] = [];
    await run(async () => {
      starts.push(performance.now());
      return node('process.exit(3)');
    });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(starts.length).toBeGreaterThan(2);
    expect(starts.length).toBeLessThan(8);
  });

  it('tries again after a start that failed', async () => {
    let starts = 0;
    const it = await run(async () => {
      if (++starts === 2) throw new Error('not now');
      return node(STAY);
    });
    it.kill();
    await expect.poll(() => starts, { timeout: 5_000 }).toBe(3);
    await expect.poll(() => it.pid()).toBeDefined();
  });

  it('kills what does not stop when it is asked', async () => {
    const it = await run(async () => {
      const child = node(DEAF);
      await once(child, 'message');
      return child;
    });
    // Deaf to anything milder, it would otherwise never end.
    await it.stop();
    expect(it.pid()).toBeUndefined();
  });

  it('stops at once while a restart does not come to an end', async () => {
    let starts = 0;
    const it = await run(async (signal) => {
      if (++starts === 1) return node(STAY);
      await new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      );
      throw new Error('unreachable');
    });
    it.kill();
    await expect.poll(() => starts).toBe(2);
    await it.stop();
    expect([starts, it.pid()]).toEqual([2, undefined]);
  });

  it('rejects when the first start fails', async () => {
    await expect(run(() => Promise.reject(new Error('no such program')))).rejects.toThrow(
      'no such',
    );
  });
});

describe('backoffMs', () => {
  it('doubles up to five seconds, half of it left to chance', () => {
    expect([0, 1, 2, 10, 5_000].map((attempt) => backoffMs(attempt, () => 1))).toEqual([
      100, 200, 400, 5_000, 5_000,
    ]);
    expect(backoffMs(3, () => 0)).toBe(400);
  });
});

import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { STUDIES } from './studies.ts';
import {
  type ExactStudy,
  isExact,
  judgeExact,
  judgeStudy,
  mergeTallies,
  PART_SIZE,
  type Study,
  simulatePart,
  type Tally,
  type Verdict,
} from './study.ts';
import { lineOf, reasonsOf } from './table.ts';

// npm run calibrate: the only file here that reads arguments, starts threads and prints.

/** A part of a study for a worker. */
interface Task {
  readonly study: number;
  readonly part: number;
  readonly simulations: number;
  readonly seed: number;
}

type Done = { readonly task: Task; readonly tally: Tally | null; readonly verdicts: Verdict[] };

function perform(task: Task): Done {
  const study = STUDIES[task.study];
  if (study === undefined) throw new Error(`there is no study ${task.study}`);
  return isExact(study)
    ? { task, tally: null, verdicts: judgeExact(study) }
    : { task, tally: simulatePart(study, task.seed, task.part, task.simulations), verdicts: [] };
}

function tasksOf(
  study: Study | ExactStudy,
  index: number,
  seed: number,
  wanted: number | null,
): Task[] {
  if (isExact(study)) return [{ study: index, part: 0, simulations: 0, seed }];
  const total = wanted ?? study.simulations;
  return Array.from({ length: Math.ceil(total / PART_SIZE) }, (_, part) => ({
    study: index,
    part,
    simulations: Math.min(PART_SIZE, total - part * PART_SIZE),
    seed,
  }));
}

/** Hands the tasks to one thread for each core; resolves when all are done. */
async function performAll(tasks: readonly Task[], onDone: (done: Done) => void): Promise<void> {
  const queue = [...tasks];
  const threads = Math.min(availableParallelism(), queue.length);
  await Promise.all(
    Array.from(
      { length: threads },
      () =>
        new Promise<void>((resolve, reject) => {
          const worker = new Worker(new URL('./thread.mjs', import.meta.url));
          const next = (): void => {
            const task = queue.shift();
            if (task !== undefined) worker.postMessage(task);
            else worker.terminate().then(() => resolve(), reject);
          };
          worker.on('message', (done: Done) => {
            onDone(done);
            next();
          });
          worker.on('error', reject);
          next();
        }),
    ),
  );
}

/** The verdicts of studies, each given as soon as its last part is done, in their order. */
async function calibrate(
  tasks: readonly Task[],
  onVerdicts: (verdicts: readonly Verdict[]) => void,
): Promise<void> {
  const order = [...new Set(tasks.map(({ study }) => study))];
  const left = new Map<number, number>();
  for (const { study } of tasks) left.set(study, (left.get(study) ?? 0) + 1);
  const parts = new Map<number, Map<number, Tally>>(order.map((study) => [study, new Map()]));
  const ready = new Map<number, readonly Verdict[]>();
  let printed = 0;
  await performAll(tasks, ({ task, tally, verdicts }) => {
    const remaining = (left.get(task.study) ?? 0) - 1;
    left.set(task.study, remaining);
    if (tally !== null) parts.get(task.study)?.set(task.part, tally);
    if (remaining > 0) return;
    const study = STUDIES[task.study];
    const tallies = [...(parts.get(task.study) ?? [])].sort(([a], [b]) => a - b);
    parts.delete(task.study);
    ready.set(
      task.study,
      study === undefined || isExact(study)
        ? verdicts
        : judgeStudy(study, tallies.map(([, part]) => part).reduce(mergeTallies)),
    );
    for (; ; printed++) {
      const next = ready.get(order[printed] ?? -1);
      if (next === undefined) break;
      onVerdicts(next);
    }
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'string' },
      simulations: { type: 'string' },
      only: { type: 'string' },
      seed: { type: 'string', default: '1' },
    },
  });
  const wanted = values.simulations === undefined ? null : Number(values.simulations);
  const seed = Number(values.seed);
  if ((wanted !== null && !(Number.isInteger(wanted) && wanted > 0)) || !Number.isInteger(seed)) {
    console.error('--simulations and --seed are whole numbers');
    process.exitCode = 2;
    return;
  }
  const only = values.only?.toLowerCase() ?? '';
  const tasks = STUDIES.flatMap((study, index) =>
    `${study.section} ${study.name}`.toLowerCase().includes(only)
      ? tasksOf(study, index, seed, wanted)
      : [],
  );
  const startedAt = performance.now();
  const all: Verdict[] = [];
  await calibrate(tasks, (verdicts) => {
    all.push(...verdicts);
    const reasons = reasonsOf(all);
    for (const verdict of verdicts)
      console.log(lineOf(verdict, reasons.indexOf(verdict.why ?? '') + 1));
  });
  const seconds = (performance.now() - startedAt) / 1000;
  for (const [k, reason] of reasonsOf(all).entries()) console.log(`[${k + 1}] ${reason}`);
  const failed = all.filter(({ isOk }) => !isOk).length;
  console.log(`${all.length - failed} ok, ${failed} failed; ${seconds.toFixed(0)} s, seed ${seed}`);
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ seed, seconds, cells: all }, null, 2)}\n`);
  }
  if (failed > 0 || all.length === 0) process.exitCode = 1;
}

if (isMainThread) {
  await main();
} else {
  parentPort?.on('message', (task: Task) => parentPort?.postMessage(perform(task)));
}

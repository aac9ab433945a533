import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { STUDIES } from './studies.ts';
import {
  isExact,
  judgeExact,
  judgeStudy,
  mergeTallies,
  PART_SIZE,
  simulatePart,
  type Tally,
  type Verdict,
} from './study.ts';
import { HEADING, lineOf, reasonsOf } from './table.ts';

// npm run calibrate: the only file here that reads arguments, starts threads and prints.

/** What a thread is asked: a part of a study, or an exact study as a whole. */
interface Task {
  readonly study: number;
  readonly part: number;
  readonly simulations: number;
  readonly seed: number;
}

type Result = { readonly tally: Tally } | { readonly verdicts: readonly Verdict[] };

function studyAt(index: number): (typeof STUDIES)[number] {
  const study = STUDIES[index];
  if (study === undefined) throw new Error(`there is no study ${index}`);
  return study;
}

function perform({ study: index, part, simulations, seed }: Task): Result {
  const study = studyAt(index);
  return isExact(study)
    ? { verdicts: judgeExact(study) }
    : { tally: simulatePart(study, seed, part, simulations) };
}

/** One thread for each core; a task waits for one that is free, in the order of the calls. */
function startThreads() {
  const waiting: { task: Task; resolve: (result: Result) => void; reject: (e: Error) => void }[] =
    [];
  const workers = Array.from({ length: availableParallelism() }, () => {
    const worker = new Worker(new URL('./thread.mjs', import.meta.url));
    return { worker, isBusy: false };
  });
  const assign = (thread: (typeof workers)[number]): void => {
    const next = waiting.shift();
    thread.isBusy = next !== undefined;
    if (next === undefined) return;
    thread.worker.once('error', next.reject);
    thread.worker.once('message', (result: Result) => {
      thread.worker.off('error', next.reject);
      next.resolve(result);
      assign(thread);
    });
    thread.worker.postMessage(next.task);
  };
  return {
    perform: (task: Task): Promise<Result> =>
      new Promise((resolve, reject) => {
        waiting.push({ task, resolve, reject });
        const free = workers.find(({ isBusy }) => !isBusy);
        if (free !== undefined) assign(free);
      }),
    stop: () => Promise.all(workers.map(({ worker }) => worker.terminate())),
  };
}

type Threads = ReturnType<typeof startThreads>;

/** Spreads a study over the threads. @param wanted simulations; null for the study's own number */
async function calibrate(
  threads: Threads,
  index: number,
  seed: number,
  wanted: number | null,
): Promise<readonly Verdict[]> {
  const study = studyAt(index);
  const total = isExact(study) ? 1 : (wanted ?? study.simulations);
  const results = await Promise.all(
    Array.from({ length: Math.ceil(total / PART_SIZE) }, (_, part) => {
      const simulations = Math.min(PART_SIZE, total - part * PART_SIZE);
      return threads.perform({ study: index, part, simulations, seed });
    }),
  );
  if (isExact(study))
    return results.flatMap((result) => ('verdicts' in result ? result.verdicts : []));
  const tallies = results.flatMap((result) => ('tally' in result ? [result.tally] : []));
  return judgeStudy(study, tallies.reduce(mergeTallies));
}

/** The arguments; null when they make no sense. */
function readArguments() {
  const { values } = parseArgs({
    options: {
      json: { type: 'string' },
      simulations: { type: 'string' },
      only: { type: 'string', default: '' },
      seed: { type: 'string', default: '1' },
    },
  });
  const wanted = values.simulations === undefined ? null : Number(values.simulations);
  const seed = Number(values.seed);
  const isValid =
    Number.isInteger(seed) && (wanted === null || (Number.isInteger(wanted) && wanted > 0));
  return isValid ? { wanted, seed, only: values.only.toLowerCase(), json: values.json } : null;
}

async function main(): Promise<number> {
  const given = readArguments();
  if (given === null) {
    console.error('--simulations and --seed are whole numbers');
    return 2;
  }
  const { wanted, seed, only, json } = given;
  const startedAt = performance.now();
  const threads = startThreads();
  const studies = STUDIES.flatMap(({ section, name }, index) =>
    `${section} ${name}`.toLowerCase().includes(only)
      ? [calibrate(threads, index, seed, wanted)]
      : [],
  );
  console.log(HEADING);
  const cells: Verdict[] = [];
  for (const verdicts of studies) {
    cells.push(...(await verdicts));
    const reasons = reasonsOf(cells);
    for (const verdict of await verdicts) {
      console.log(lineOf(verdict, reasons.indexOf(verdict.why ?? '') + 1));
    }
  }
  await threads.stop();
  const seconds = (performance.now() - startedAt) / 1000;
  for (const [k, reason] of reasonsOf(cells).entries()) console.log(`[${k + 1}] ${reason}`);
  const failed = cells.filter(({ isOk }) => !isOk).length;
  console.log(
    `${cells.length - failed} ok, ${failed} failed; ${seconds.toFixed(0)} s, seed ${seed}`,
  );
  if (json !== undefined) {
    writeFileSync(json, `${JSON.stringify({ seed, seconds, cells }, null, 2)}\n`);
  }
  return failed > 0 || cells.length === 0 ? 1 : 0;
}

if (isMainThread) {
  process.exitCode = await main();
} else {
  parentPort?.on('message', (task: Task) => parentPort?.postMessage(perform(task)));
}

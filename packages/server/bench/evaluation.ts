import { bucketRanges, decide, type EvaluableExperiment, murmur3 } from '@assay/core';
import { median, type Row, round } from './harness.ts';

const IDS = 200_000;
const ROUNDS = 9;

/** The pure decision against a bare hash of the same id. */
export async function evaluation(): Promise<readonly Row[]> {
  const ids = Array.from({ length: IDS }, (_, index) => `user-${index}-${(index * 7_919) % 1_000}`);
  const [control, green] = bucketRanges(10_000, [5_000, 5_000]);
  const experiment: EvaluableExperiment = {
    status: 'running',
    seed: '9f86d081884c7d65',
    version: 1,
    variants: [
      { id: 1, key: 'control', from: 0, to: 5_000, ...control },
      { id: 2, key: 'green', from: 5_000, to: 10_000, ...green },
    ],
  };
  const time = (work: (id: string) => number): number => {
    let sink = 0;
    const startedAt = performance.now();
    for (const id of ids) sink += work(id);
    const ns = ((performance.now() - startedAt) * 1e6) / IDS;
    if (sink === 0) throw new Error('nothing was done');
    return ns;
  };
  const bare: number[] = [];
  const decided: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    bare.push(time((id) => murmur3(id)));
    decided.push(time((id) => decide(experiment, id, undefined, undefined).bucket));
  }
  const ratio = median(decided) / median(bare);
  return [
    {
      what: `murmur3 of the id, ns (median of ${ROUNDS} × ${round(IDS)})`,
      figure: round(median(bare), 1),
    },
    { what: 'decision, ns', figure: round(median(decided), 1) },
    { what: 'decision ÷ murmur3', figure: round(ratio, 2), floor: '≤ 3', isMet: ratio <= 3 },
  ];
}

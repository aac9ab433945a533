import type { Adapters } from './adapter.ts';
import { ADJUSTMENT } from './adapters-adjustment.ts';
import { BANDITS } from './adapters-bandits.ts';
import { BAYES } from './adapters-bayes.ts';
import { DISTRIBUTIONS } from './adapters-distributions.ts';
import { MEANS } from './adapters-means.ts';
import { PLANNING } from './adapters-planning.ts';
import { PROPORTIONS } from './adapters-proportions.ts';
import { SEQUENTIAL } from './adapters-sequential.ts';
import { SPLITS } from './adapters-splits.ts';

/** Every method, each called by the fixture's names. */
export const ADAPTERS: Adapters = {
  ...DISTRIBUTIONS,
  ...PROPORTIONS,
  ...MEANS,
  ...ADJUSTMENT,
  ...SEQUENTIAL,
  ...BAYES,
  ...BANDITS,
  ...SPLITS,
  ...PLANNING,
};

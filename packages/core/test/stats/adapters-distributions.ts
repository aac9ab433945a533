import {
  betaCdf,
  betaQuantile,
  binomialCdf,
  chiSquareSf,
  lambertWm1,
  logGamma,
  nonCentralTSf,
  normalCdf,
  normalLogCdf,
  normalQuantile,
  normalSf,
  tQuantile,
  tSf,
} from '../../src/stats/index.ts';
import type { Adapters } from './adapter.ts';

export const DISTRIBUTIONS: Adapters = {
  'dist.normalCdf': ({ x }) => ({ value: normalCdf(x) }),
  'dist.normalSf': ({ x }) => ({ value: normalSf(x) }),
  'dist.normalLogCdf': ({ x }) => ({ value: normalLogCdf(x) }),
  'dist.normalQuantile': ({ p }) => ({ value: normalQuantile(p) }),
  'dist.tSf': ({ t, df }) => ({ value: tSf(t, df) }),
  'dist.tQuantile': ({ p, df }) => ({ value: tQuantile(p, df) }),
  'dist.chi2Sf': ({ x, df }) => ({ value: chiSquareSf(x, df) }),
  'dist.betaCdf': ({ x, a, b }) => ({ value: betaCdf(x, a, b) }),
  'dist.betaQuantile': ({ p, a, b }) => ({ value: betaQuantile(p, a, b) }),
  'dist.binomialCdf': ({ k, n, p }) => ({ value: binomialCdf(k, n, p) }),
  'dist.lgamma': ({ x }) => ({ value: logGamma(x) }),
  'dist.nonCentralTSf': ({ t, df, ncp }) => ({ value: nonCentralTSf(t, df, ncp) }),
  'dist.lambertWm1': ({ x }) => ({ value: lambertWm1(x) }),
};

import type { ResultsSummary } from '@assay/contract';
import { srmTest } from '@assay/core/stats';
import type { ExperimentRecord, ExperimentVersion } from '../experiments/experiment.ts';
import type { VersionCount } from './question.ts';

type Srm = ResultsSummary['health']['srm'];

const SRM_ALARM = 0.001;
const SRM_WARNING = 0.01;

/**
 * Sample ratio mismatch of the assigned users. Each version expects its own shares of its own
 * users; the expectation of the whole is their sum.
 *
 * @param rows of which those of single days and segments are passed over
 */
export function srmOf(
  experiment: ExperimentRecord,
  versions: readonly ExperimentVersion[],
  rows: readonly VersionCount[],
): Srm {
  const counts = rows.filter((row) => row.day === undefined && row.segment === undefined);
  const ids = experiment.variants.map(({ id }) => id);
  const observed = ids.map((id) =>
    counts.reduce((sum, row) => (row.variantId === id ? sum + row.users : sum), 0),
  );
  const usersOf = new Map<number, number>();
  for (const { version, users } of counts)
    usersOf.set(version, (usersOf.get(version) ?? 0) + users);
  const present = experiment.variants.map(({ id, allocation }) => ({ variantId: id, allocation }));
  const expected = ids.map(() => 0);
  for (const [version, users] of usersOf) {
    const allocations = versions.find((row) => row.version === version)?.allocations ?? present;
    ids.forEach((id, index) => {
      const share = allocations.find(({ variantId }) => variantId === id)?.allocation ?? 0;
      expected[index] = (expected[index] ?? 0) + (users * share) / 10_000;
    });
  }
  const test = srmTest(observed, expected);
  if (test.status !== 'ok') {
    // Users where none should be are a mismatch beyond doubt; no users are none.
    const status = test.status === 'UNEXPECTED_ARM' ? 'alarm' : 'not_enough_data';
    return { status, p_value: null, observed, expected };
  }
  if (test.test === 'not_enough_data') {
    return { status: 'not_enough_data', p_value: null, observed, expected };
  }
  const { pValue } = test;
  const status = pValue < SRM_ALARM ? 'alarm' : pValue < SRM_WARNING ? 'warning' : 'ok';
  return { status, p_value: pValue, observed, expected };
}

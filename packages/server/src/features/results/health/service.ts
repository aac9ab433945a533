import type { SrmQuery, SrmReport } from '@assay/contract';
import { formatInstant } from '@assay/core';
import { invalidFields } from '../../../errors.ts';
import { listVersions, requireExperiment } from '../../experiments/service.ts';
import { askSource, type SourceDeps } from '../choose-source.ts';
import { COUNTS_MAX } from '../question.ts';
import type { ResultsDeps } from '../service.ts';
import { conflictShareOf } from './conflicts.ts';
import { splitStatus } from './health.ts';
import { rootCauseOf } from './root-cause.ts';
import { type Split, wholeCounts } from './split.ts';
import { SPLIT_STORES } from './split-stores.ts';
import { srmOf } from './srm.ts';
import { countConflicts } from './store.ts';

/**
 * How an experiment's users are split, by several attributes at once, and where a mismatch sits.
 *
 * @throws DomainError `experiment_not_found`, `invalid` for an attribute of too many values,
 *   `unavailable`
 */
export async function getSrm(
  deps: SourceDeps & Pick<ResultsDeps, 'db'>,
  ref: string,
  { segment_by: names = [], source }: SrmQuery,
): Promise<SrmReport> {
  const experiment = await requireExperiment(deps.db, ref);
  const question = {
    experimentId: experiment.id,
    end: experiment.stoppedAt ?? formatInstant(deps.now() * 1000),
    attributes: names.map((name) => name.slice('context.'.length)),
  };
  const sourced = await askSource(deps, SPLIT_STORES, question, { source, granularity: 'day' });
  const tooMany = names.flatMap((name, index) =>
    (sourced.answer[index]?.length ?? 0) > COUNTS_MAX
      ? [{ path: `segment_by.${index}`, message: `"${name}" has too many values to split by` }]
      : [],
  );
  if (tooMany.length > 0) throw invalidFields(tooMany);
  // After the users, so that the version of each of them is among these.
  const versions = await listVersions(deps.db, experiment.id);
  // Forced users are left out of the split.
  const counted = { ...question, contextFilters: [], withoutForced: true };
  const conflicts = await countConflicts(deps.db, counted);
  const { variants } = experiment;
  const split: Split = { variants, versions, counts: sourced.answer[0] ?? [] };
  const segments = names.map((by, index) => ({ by, counts: sourced.answer[index] ?? [] }));
  const users = wholeCounts(split).reduce((sum, row) => sum + row.users, 0);
  const circumstances = { conflictShare: conflictShareOf(conflicts, users), filteredBy: [] };
  const srm = srmOf(split, segments);
  const isOff = ['warning', 'alarm'].includes(splitStatus(srm));
  return {
    experiment_id: experiment.id,
    experiment_key: experiment.key,
    variants: variants.map(({ key }) => key),
    srm: { ...srm, root_cause: rootCauseOf(split, segments, circumstances, isOff) },
    metadata: {
      source: sourced.source,
      ...(sourced.note === undefined ? {} : { source_note: sourced.note }),
      as_of: sourced.asOf,
      lag_ms: sourced.lagMs,
    },
  };
}

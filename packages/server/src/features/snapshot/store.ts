import { isDeepStrictEqual } from 'node:util';
import type { TokenRole } from '@assay/contract';
import { bucketRanges, type ExperimentStatus, parseInstant } from '@assay/core';
import { must } from '../../errors.ts';
import { type Db, rfc3339 } from '../../platform/postgres.ts';
import type { Principal } from '../../principal.ts';
import type { Snapshot, SnapshotExperiment, SnapshotVariant } from './snapshot.ts';

interface SnapshotRow {
  readonly version: number;
  readonly experiments: readonly ExperimentRow[] | null;
  readonly tokens: readonly TokenRow[] | null;
}

interface ExperimentRow {
  readonly id: number;
  readonly key: string;
  readonly status: ExperimentStatus;
  readonly version: number;
  readonly seed: string;
  readonly coverage: number;
  readonly has_reported: boolean;
  readonly started_at: string | null;
  readonly variants: readonly VariantRow[];
  readonly versions: readonly VersionRow[] | null;
  readonly overrides: readonly { readonly user_id: string; readonly variant_id: number }[] | null;
}

interface VariantRow {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly allocation: number;
  readonly is_control: boolean;
  readonly config: Record<string, unknown>;
}

interface VersionRow {
  readonly version: number;
  readonly coverage: number;
  readonly allocations: readonly { readonly variant_id: number; readonly allocation: number }[];
}

interface TokenRow {
  readonly id: number;
  readonly name: string;
  readonly role: TokenRole;
  readonly hash: string;
}

// One statement, hence one consistent view without a transaction.
const LOAD = `
  SELECT c.version,
    (SELECT json_agg(json_build_object(
       'id', e.id, 'key', e.key, 'status', e.status, 'version', e.version, 'seed', e.seed,
       'coverage', e.coverage, 'has_reported', e.has_reported,
       'started_at', ${rfc3339('e.started_at')},
       'variants', (SELECT json_agg(json_build_object(
            'id', v.id, 'key', v.key, 'name', v.name, 'allocation', v.allocation,
            'is_control', v.is_control, 'config', v.config) ORDER BY v.position)
          FROM variants v WHERE v.experiment_id = e.id),
       'versions', (SELECT json_agg(json_build_object(
            'version', h.version, 'coverage', h.coverage, 'allocations', h.allocations)
            ORDER BY h.version)
          FROM experiment_versions h WHERE h.experiment_id = e.id),
       'overrides', (SELECT json_agg(json_build_object(
            'user_id', o.user_id, 'variant_id', o.variant_id))
          FROM overrides o WHERE o.experiment_id = e.id)))
     FROM experiments e) AS experiments,
    (SELECT json_agg(json_build_object(
       'id', t.id, 'name', t.name, 'role', t.role, 'hash', encode(t.hash, 'hex')))
     FROM tokens t WHERE t.revoked_at IS NULL) AS tokens
  FROM config_version c`;

/** Reads everything that evaluation and authentication need, as of one moment. */
export async function loadSnapshot(db: Db): Promise<Snapshot> {
  const { rows } = await db.query<SnapshotRow>(LOAD);
  const row = must(rows[0], 'config_version has one row');
  const experiments = (row.experiments ?? []).map(toExperiment);
  return {
    version: row.version,
    experimentsById: new Map(experiments.map((experiment) => [experiment.id, experiment])),
    experimentsByKey: new Map(experiments.map((experiment) => [experiment.key, experiment])),
    tokens: new Map((row.tokens ?? []).map((token) => [token.hash, toPrincipal(token)])),
  };
}

/** The number that moves with every change of what {@link loadSnapshot} reads. */
export async function readConfigVersion(db: Db): Promise<number> {
  const { rows } = await db.query<{ version: number }>('SELECT version FROM config_version');
  return must(rows[0], 'config_version has one row').version;
}

function toPrincipal({ id, name, role }: TokenRow): Principal {
  return { tokenId: id, name, role };
}

function toExperiment(row: ExperimentRow): SnapshotExperiment {
  const ranges = bucketRanges(
    row.coverage,
    row.variants.map(({ allocation }) => allocation),
  );
  const variants = row.variants.map((variant, index): SnapshotVariant => {
    const { from, to } = must(ranges[index], 'a range for each variant');
    const { id, key, name, config } = variant;
    return { id, key, name, config, isControl: variant.is_control, from, to };
  });
  const variantsById = new Map(variants.map((variant) => [variant.id, variant]));
  const versions = (row.versions ?? []).map(toVersion);
  return {
    id: row.id,
    key: row.key,
    status: row.status,
    version: row.version,
    seed: row.seed,
    startedAt:
      row.started_at === null ? null : must(parseInstant(row.started_at), 'a time of the store'),
    hasReported: row.has_reported,
    variants,
    variantsById,
    variantsByKey: new Map(variants.map((variant) => [variant.key, variant])),
    overrides: new Map(
      (row.overrides ?? []).map(({ user_id, variant_id }) => [
        user_id,
        must(variantsById.get(variant_id), 'an override names a variant of its experiment'),
      ]),
    ),
    versions,
    hasOneSplit: versions.every(({ ranges: own }) => isDeepStrictEqual(own, versions[0]?.ranges)),
  };
}

function toVersion({ version, coverage, allocations }: VersionRow) {
  const ranges = bucketRanges(
    coverage,
    allocations.map(({ allocation }) => allocation),
  );
  return {
    version,
    ranges: allocations.map(({ variant_id }, index) => ({
      variantId: variant_id,
      ...must(ranges[index], 'a range for each allocation'),
    })),
  };
}

import { DEFAULT_METHOD } from '@assay/contract';
import type { ExperimentStatus } from '@assay/core';
import { type Db, rfc3339 } from '../../platform/postgres.ts';
import {
  type ExperimentRecord,
  type ExperimentVersion,
  planOfExperiment,
  type VariantRecord,
} from './experiment.ts';

/** What makes a new experiment; `coverage` and `allocation` in hundredths of a percent. */
export type NewExperiment = Pick<
  ExperimentRecord,
  | 'key'
  | 'name'
  | 'description'
  | 'hypothesis'
  | 'seed'
  | 'coverage'
  | 'metrics'
  | 'analysis'
  | 'startsAt'
  | 'endsAt'
> & { readonly variants: readonly Omit<VariantRecord, 'id'>[] };

interface Row {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly hypothesis: string;
  readonly status: ExperimentStatus;
  readonly version: number;
  readonly seed: string;
  readonly coverage: number;
  readonly metrics: ExperimentRecord['metrics'];
  readonly analysis: Omit<ExperimentRecord['analysis'], 'method'> &
    Partial<Pick<ExperimentRecord['analysis'], 'method'>>;
  readonly starts_at: string | null;
  readonly ends_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly started_at: string | null;
  readonly stopped_at: string | null;
  readonly variants: readonly VariantRow[];
}

interface VariantRow {
  readonly id: number;
  readonly position: number;
  readonly key: string;
  readonly name: string;
  readonly allocation: number;
  readonly is_control: boolean;
  readonly config: Record<string, unknown>;
}

const TIMES = ['starts_at', 'ends_at', 'created_at', 'updated_at', 'started_at', 'stopped_at'];

const COLUMNS = `e.id, e.key, e.name, e.description, e.hypothesis, e.status, e.version, e.seed,
  e.coverage, e.metrics, e.analysis,
  ${TIMES.map((column) => `${rfc3339(`e.${column}`)} AS ${column}`).join(', ')},
  (SELECT json_agg(json_build_object('id', v.id, 'position', v.position, 'key', v.key,
     'name', v.name, 'allocation', v.allocation, 'is_control', v.is_control, 'config', v.config)
     ORDER BY v.position) FROM variants v WHERE v.experiment_id = e.id) AS variants`;

/** Inserts an experiment and its variants; answers its id, undefined when the key is taken. */
export async function insertExperiment(
  db: Db,
  experiment: NewExperiment,
): Promise<number | undefined> {
  const { rows } = await db.query<{ id: number }>(
    `INSERT INTO experiments (key, name, description, hypothesis, seed, coverage, metrics, analysis,
                              starts_at, ends_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (key) DO NOTHING
     RETURNING id`,
    [
      experiment.key,
      experiment.name,
      experiment.description,
      experiment.hypothesis,
      experiment.seed,
      experiment.coverage,
      JSON.stringify(experiment.metrics),
      JSON.stringify(experiment.analysis),
      experiment.startsAt,
      experiment.endsAt,
    ],
  );
  const id = rows[0]?.id;
  if (id !== undefined) await insertVariants(db, id, experiment.variants);
  return id;
}

/** Inserts variants in position order, so that their ids are in that order too. */
async function insertVariants(
  db: Db,
  experimentId: number,
  variants: readonly Omit<VariantRecord, 'id'>[],
): Promise<void> {
  await db.query(
    `INSERT INTO variants (experiment_id, position, key, name, allocation, is_control, config)
     SELECT $1, p, k, n, a, c, g
     FROM unnest($2::int[], $3::text[], $4::text[], $5::int[], $6::bool[], $7::jsonb[])
       AS x (p, k, n, a, c, g)
     ORDER BY p`,
    [
      experimentId,
      variants.map(({ position }) => position),
      variants.map(({ key }) => key),
      variants.map(({ name }) => name),
      variants.map(({ allocation }) => allocation),
      variants.map(({ isControl }) => isControl),
      variants.map(({ config }) => JSON.stringify(config)),
    ],
  );
}

/** Replaces the variants of a draft; overrides stay with the variants whose keys stay. */
export async function replaceVariants(
  db: Db,
  experimentId: number,
  variants: readonly Omit<VariantRecord, 'id'>[],
): Promise<void> {
  const { rows: kept } = await db.query<{ user_id: string; key: string }>(
    `SELECT o.user_id, v.key FROM overrides o JOIN variants v ON v.id = o.variant_id
     WHERE o.experiment_id = $1`,
    [experimentId],
  );
  await db.query('DELETE FROM variants WHERE experiment_id = $1', [experimentId]);
  await insertVariants(db, experimentId, variants);
  if (kept.length === 0) return;
  await db.query(
    `INSERT INTO overrides (experiment_id, user_id, variant_id)
     SELECT v.experiment_id, k.user_id, v.id
     FROM unnest($2::text[], $3::text[]) AS k (user_id, key)
     JOIN variants v ON v.experiment_id = $1 AND v.key = k.key`,
    [experimentId, kept.map(({ user_id }) => user_id), kept.map(({ key }) => key)],
  );
}

/** Updates name, share and config of the variants of a started experiment, found by key. */
export async function updateVariants(
  db: Db,
  experimentId: number,
  variants: readonly Omit<VariantRecord, 'id'>[],
): Promise<void> {
  await db.query(
    `UPDATE variants v SET name = x.n, allocation = x.a, config = x.g
     FROM unnest($2::text[], $3::text[], $4::int[], $5::jsonb[]) AS x (k, n, a, g)
     WHERE v.experiment_id = $1 AND v.key = x.k`,
    [
      experimentId,
      variants.map(({ key }) => key),
      variants.map(({ name }) => name),
      variants.map(({ allocation }) => allocation),
      variants.map(({ config }) => JSON.stringify(config)),
    ],
  );
}

/** By id (digits) or key; undefined if there is none. `lock` holds it until the transaction ends. */
export async function findExperiment(
  db: Db,
  ref: string,
  lock: 'lock' | 'no_lock' = 'no_lock',
): Promise<ExperimentRecord | undefined> {
  const byId = /^\d/.test(ref);
  if (byId && Number(ref) > 2_147_483_647) return undefined;
  const { rows } = await db.query<Row>(
    `SELECT ${COLUMNS} FROM experiments e WHERE ${byId ? 'e.id = $1::int' : 'e.key = $1'}
     ${lock === 'lock' ? 'FOR UPDATE OF e' : ''}`,
    [ref],
  );
  return rows[0] === undefined ? undefined : fromRow(rows[0]);
}

/** Experiments from the newest on, those with an id below `before`. */
export async function listExperiments(
  db: Db,
  filter: {
    readonly status: ExperimentStatus | null;
    /** A part of the key or the name. */
    readonly query: string | null;
    readonly before: number | null;
    readonly limit: number;
  },
): Promise<readonly ExperimentRecord[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${COLUMNS} FROM experiments e
     WHERE ($1::text IS NULL OR e.status = $1)
       AND ($2::text IS NULL OR strpos(lower(e.key || ' ' || e.name), lower($2)) > 0)
       AND ($3::bigint IS NULL OR e.id < $3)
     ORDER BY e.id DESC LIMIT $4`,
    [filter.status, filter.query, filter.before, filter.limit],
  );
  return rows.map(fromRow);
}

/** Writes every field that may change, and moves the version on. */
export async function updateExperiment(db: Db, experiment: ExperimentRecord): Promise<void> {
  await db.query(
    `UPDATE experiments SET name = $2, description = $3, hypothesis = $4, seed = $5, coverage = $6,
       metrics = $7, analysis = $8, starts_at = $9, ends_at = $10, status = $11, started_at = $12,
       stopped_at = $13, version = version + 1, updated_at = now()
     WHERE id = $1`,
    [
      experiment.id,
      experiment.name,
      experiment.description,
      experiment.hypothesis,
      experiment.seed,
      experiment.coverage,
      JSON.stringify(experiment.metrics),
      JSON.stringify(experiment.analysis),
      experiment.startsAt,
      experiment.endsAt,
      experiment.status,
      experiment.startedAt,
      experiment.stoppedAt,
    ],
  );
}

/** Deletes an experiment with its variants and overrides. */
export async function deleteExperiment(db: Db, id: number): Promise<void> {
  await db.query('DELETE FROM experiments WHERE id = $1', [id]);
}

/** Keeps what the present version assigns by, and is to be decided by. */
export async function insertVersion(db: Db, experiment: ExperimentRecord): Promise<void> {
  const allocations = experiment.variants.map(({ id, allocation }) => ({
    variant_id: id,
    allocation,
  }));
  await db.query(
    `INSERT INTO experiment_versions (experiment_id, version, coverage, allocations, plan)
     VALUES ($1, $2, $3, $4, $5)`,
    [
      experiment.id,
      experiment.version,
      experiment.coverage,
      JSON.stringify(allocations),
      JSON.stringify(planOfExperiment(experiment)),
    ],
  );
}

/** Every version since the first start, in order. */
export async function listVersions(
  db: Db,
  experimentId: number,
): Promise<readonly ExperimentVersion[]> {
  const { rows } = await db.query<{
    version: number;
    coverage: number;
    allocations: { variant_id: number; allocation: number }[];
    effective_at: string;
    plan: ExperimentVersion['plan'];
  }>(
    `SELECT version, coverage, allocations, plan,
       ${rfc3339('effective_at')} AS effective_at
     FROM experiment_versions WHERE experiment_id = $1 ORDER BY version`,
    [experimentId],
  );
  return rows.map((row) => ({
    version: row.version,
    coverage: row.coverage,
    allocations: row.allocations.map(({ variant_id, allocation }) => ({
      variantId: variant_id,
      allocation,
    })),
    effectiveAt: row.effective_at,
    plan: row.plan,
  }));
}

/** Key of the variant that is forced on a user. */
export async function findOverride(
  db: Db,
  experimentId: number,
  userId: string,
): Promise<string | undefined> {
  const { rows } = await db.query<{ key: string }>(
    `SELECT v.key FROM overrides o JOIN variants v ON v.id = o.variant_id
     WHERE o.experiment_id = $1 AND o.user_id = $2`,
    [experimentId, userId],
  );
  return rows[0]?.key;
}

/** Forces a variant on a user. */
export async function upsertOverride(
  db: Db,
  experimentId: number,
  userId: string,
  variantId: number,
): Promise<void> {
  await db.query(
    `INSERT INTO overrides (experiment_id, user_id, variant_id) VALUES ($1, $2, $3)
     ON CONFLICT (experiment_id, user_id) DO UPDATE SET variant_id = excluded.variant_id`,
    [experimentId, userId, variantId],
  );
}

/** Takes an override back. */
export async function deleteOverride(db: Db, experimentId: number, userId: string): Promise<void> {
  await db.query('DELETE FROM overrides WHERE experiment_id = $1 AND user_id = $2', [
    experimentId,
    userId,
  ]);
}

/** Keys of the experiments that use a metric and are not archived, in order. */
export async function listUsing(db: Db, metric: string): Promise<readonly string[]> {
  const { rows } = await db.query<{ key: string }>(
    `SELECT key FROM experiments
     WHERE status <> 'archived' AND metrics @> jsonb_build_array(jsonb_build_object('metric', $1::text))
     ORDER BY key`,
    [metric],
  );
  return rows.map(({ key }) => key);
}

/** Keys of experiments whose time to start or to stop has come. */
export async function listDue(
  db: Db,
): Promise<readonly { readonly key: string; readonly action: 'start' | 'stop' }[]> {
  const { rows } = await db.query<{ key: string; action: 'start' | 'stop' }>(
    `SELECT key, 'start' AS action FROM experiments WHERE status = 'scheduled' AND starts_at <= now()
     UNION ALL
     SELECT key, 'stop' FROM experiments WHERE status IN ('running', 'paused') AND ends_at <= now()
     ORDER BY key LIMIT 100`,
  );
  return rows;
}

function fromRow(row: Row): ExperimentRecord {
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    description: row.description,
    hypothesis: row.hypothesis,
    seed: row.seed,
    status: row.status,
    version: row.version,
    coverage: row.coverage,
    metrics: row.metrics,
    // One that was made before the method had a default says none.
    analysis: { ...row.analysis, method: row.analysis.method ?? DEFAULT_METHOD },
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    startedAt: row.started_at,
    stoppedAt: row.stopped_at,
    variants: row.variants.map(({ is_control, ...variant }) => ({
      ...variant,
      isControl: is_control,
    })),
  };
}

import { BUCKETS, toHundredths } from '@assay/core';
import { z } from 'zod';
import {
  ExperimentStatus,
  jsonObject,
  Key,
  PageQuery,
  Percentage,
  page,
  Timestamp,
  text,
} from './common.ts';
import { ANALYSIS_METHODS, ConfidenceLevel, TOTAL_METRICS } from './results.ts';

const VARIANTS_MAX = 50;

const variantFields = {
  key: Key,
  name: text(200).optional(),
  allocation_pct: Percentage,
  is_control: z.boolean().default(false),
};

const VariantInput = z
  .strictObject({ ...variantFields, config: jsonObject(16_384).default({}) })
  .meta({ id: 'NewVariant' });

/** A change leaves the name and the config of a variant with the same key as they are if absent. */
const VariantChange = z
  .strictObject({ ...variantFields, config: jsonObject(16_384).optional() })
  .meta({ id: 'VariantChange' });
export type VariantChange = z.infer<typeof VariantChange>;

type ShareOfVariant = Pick<VariantChange, 'key' | 'allocation_pct' | 'is_control'>;

/** All shares sum to exactly 100, keys differ, and one variant is the control. */
function variantProblems(
  variants: readonly ShareOfVariant[],
): readonly { readonly path: (string | number)[]; readonly message: string }[] {
  const problems: { path: (string | number)[]; message: string }[] = [];
  const sum = variants.reduce(
    (total, { allocation_pct }) => total + toHundredths(allocation_pct),
    0,
  );
  if (sum !== BUCKETS) {
    const message = `allocation_pct of all variants must sum to exactly 100, not ${sum / 100}`;
    problems.push({ path: [], message });
  }
  const controls = variants.filter(({ is_control }) => is_control).length;
  if (controls !== 1) {
    const message = `exactly one variant must have is_control, not ${controls}`;
    problems.push({ path: [], message });
  }
  const seen = new Set<string>();
  variants.forEach(({ key }, index) => {
    if (seen.has(key)) problems.push({ path: [index, 'key'], message: `"${key}" is used twice` });
    seen.add(key);
  });
  return problems;
}

const listOf = <Item extends z.ZodType<ShareOfVariant>>(item: Item) =>
  z
    .array(item)
    .min(2, 'must have at least two variants')
    .max(VARIANTS_MAX)
    .superRefine((variants, context) => {
      for (const problem of variantProblems(variants)) {
        context.addIssue({ code: 'custom', ...problem });
      }
    });

export const MetricUse = z
  .strictObject({
    metric: Key,
    role: z.enum(['goal', 'secondary', 'guardrail']).default('goal'),
    margin: z.number().positive().max(1).optional(),
  })
  .meta({ id: 'MetricUse' });

/** Compared with nothing, so that they decide nothing. */
const TOTALS: readonly string[] = TOTAL_METRICS;

/** Metrics of an experiment: each once, totals only to be looked at, margins for guardrails. */
const MetricUses = z
  .array(MetricUse)
  .max(100)
  .superRefine((uses, context) => {
    const refuse = (index: number, field: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [index, field], message });
    uses.forEach(({ metric, role, margin }, index) => {
      if (uses.findIndex((other) => other.metric === metric) < index) {
        refuse(index, 'metric', `"${metric}" is used twice`);
      }
      if (TOTALS.includes(metric) && role !== 'secondary') {
        refuse(
          index,
          'metric',
          `"${metric}" is a total, which decides nothing: its role is secondary`,
        );
      }
      if (margin !== undefined && role !== 'guardrail') {
        refuse(index, 'margin', 'is for a guardrail only');
      }
    });
  });

/** What an experiment is analysed by that does not say it. */
export const DEFAULT_METHOD = 'sequential';

const analysisFields = {
  method: z.enum(ANALYSIS_METHODS),
  confidence_level: ConfidenceLevel,
  expected_users: z.number().int().positive().max(1e12).nullable(),
};

export const Analysis = z
  .strictObject({
    method: analysisFields.method.default(DEFAULT_METHOD),
    confidence_level: analysisFields.confidence_level.default(95),
    expected_users: analysisFields.expected_users.default(null),
  })
  .meta({ id: 'Analysis' });

/** A change leaves what it does not name as it is. */
const AnalysisChange = z.strictObject(analysisFields).partial().meta({ id: 'AnalysisChange' });

const fields = {
  name: text(200).min(1),
  description: text(10_000),
  hypothesis: text(10_000),
  coverage_pct: Percentage,
  metrics: MetricUses,
  starts_at: Timestamp.nullable(),
  ends_at: Timestamp.nullable(),
};

const endsAfterStart = {
  check: (value: { starts_at?: string | null | undefined; ends_at?: string | null | undefined }) =>
    !value.starts_at || !value.ends_at || Date.parse(value.starts_at) < Date.parse(value.ends_at),
  error: { error: 'must be later than starts_at', path: ['ends_at'] },
};

export const ExperimentCreate = z
  .strictObject({
    key: Key,
    name: fields.name,
    description: fields.description.default(''),
    hypothesis: fields.hypothesis.default(''),
    seed: text(200).min(1).optional(),
    coverage_pct: fields.coverage_pct.default(100),
    variants: listOf(VariantInput),
    targeting: z.null().default(null),
    layer: z.null().default(null),
    metrics: fields.metrics.default([]),
    starts_at: fields.starts_at.default(null),
    ends_at: fields.ends_at.default(null),
    analysis: Analysis.prefault({}),
  })
  .refine(endsAfterStart.check, endsAfterStart.error)
  .meta({ id: 'ExperimentCreate' });
export type ExperimentCreate = z.infer<typeof ExperimentCreate>;

export const ExperimentPatch = z
  .strictObject({
    name: fields.name,
    description: fields.description,
    hypothesis: fields.hypothesis,
    seed: text(200).min(1),
    coverage_pct: fields.coverage_pct,
    variants: listOf(VariantChange),
    targeting: z.null(),
    layer: z.null(),
    metrics: fields.metrics,
    starts_at: fields.starts_at,
    ends_at: fields.ends_at,
    analysis: AnalysisChange,
  })
  .partial()
  .refine(endsAfterStart.check, endsAfterStart.error)
  .meta({ id: 'ExperimentPatch' });
export type ExperimentPatch = z.infer<typeof ExperimentPatch>;

export const CloneRequest = z
  .strictObject({ key: Key, name: fields.name.optional() })
  .meta({ id: 'CloneRequest' });

export const Variant = z
  .object({
    id: z.number().int(),
    key: z.string(),
    name: z.string(),
    allocation_pct: z.number(),
    is_control: z.boolean(),
    config: z.record(z.string(), z.unknown()),
    buckets: z.tuple([z.number().int(), z.number().int()]),
  })
  .meta({ id: 'Variant' });

export const Experiment = z
  .object({
    id: z.number().int(),
    key: z.string(),
    name: z.string(),
    description: z.string(),
    hypothesis: z.string(),
    seed: z.string(),
    status: ExperimentStatus,
    version: z.number().int(),
    coverage_pct: z.number(),
    variants: z.array(Variant),
    targeting: z.unknown().nullable(),
    layer: z.string().nullable(),
    metrics: z.array(MetricUse),
    starts_at: z.string().nullable(),
    ends_at: z.string().nullable(),
    analysis: Analysis,
    created_at: z.string(),
    updated_at: z.string(),
    started_at: z.string().nullable(),
    stopped_at: z.string().nullable(),
  })
  .meta({ id: 'Experiment' });
export type Experiment = z.infer<typeof Experiment>;

export const ExperimentListQuery = PageQuery.extend({
  status: ExperimentStatus.optional(),
  query: text(200).optional(),
});
export const ExperimentList = page(Experiment).meta({ id: 'ExperimentList' });

export const AuditEntry = z
  .object({
    id: z.number().int(),
    at: z.string(),
    actor: z.string(),
    action: z.string(),
    resource_type: z.string(),
    resource_id: z.string(),
    before: z.unknown(),
    after: z.unknown(),
    request_id: z.string().nullable(),
  })
  .meta({ id: 'AuditEntry' });
export const AuditList = page(AuditEntry).meta({ id: 'AuditList' });

export const OverrideRequest = z.strictObject({ variant: Key }).meta({ id: 'OverrideRequest' });
export const Override = z
  .object({ experiment_id: z.number().int(), user_id: z.string(), variant: z.string() })
  .meta({ id: 'Override' });

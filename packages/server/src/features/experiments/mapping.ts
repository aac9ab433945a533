import type { Experiment, ExperimentCreate, ExperimentPatch, VariantChange } from '@assay/contract';
import { bucketRanges, toHundredths } from '@assay/core';
import { must } from '../../errors.ts';
import type { ExperimentRecord, VariantRecord } from './experiment.ts';
import type { NewExperiment } from './store.ts';

/** An experiment as it is answered. */
export function toExperiment(record: ExperimentRecord): Experiment {
  const ranges = bucketRanges(
    record.coverage,
    record.variants.map(({ allocation }) => allocation),
  );
  return {
    id: record.id,
    key: record.key,
    name: record.name,
    description: record.description,
    hypothesis: record.hypothesis,
    seed: record.seed,
    status: record.status,
    version: record.version,
    coverage_pct: record.coverage / 100,
    variants: record.variants.map((variant, index) => {
      const { from, to } = must(ranges[index], 'a range for each variant');
      const { id, key, name, allocation, isControl, config } = variant;
      return {
        id,
        key,
        name,
        allocation_pct: allocation / 100,
        is_control: isControl,
        config,
        buckets: [from, to],
      };
    }),
    targeting: null,
    layer: null,
    metrics: record.metrics,
    starts_at: record.startsAt,
    ends_at: record.endsAt,
    analysis: record.analysis,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    started_at: record.startedAt,
    stopped_at: record.stoppedAt,
  };
}

/**
 * Variants of a request as they are stored, in the order given.
 *
 * @param present those of the experiment: what a request leaves out of one of them stays, so that
 *   an edit of the shares cannot wipe what the variants are
 */
export function toVariants(
  inputs: readonly VariantChange[],
  present: readonly VariantRecord[],
): readonly Omit<VariantRecord, 'id'>[] {
  return inputs.map((input, position) => {
    const same = present.find(({ key }) => key === input.key);
    return {
      position,
      key: input.key,
      name: input.name ?? same?.name ?? input.key,
      allocation: toHundredths(input.allocation_pct),
      isControl: input.is_control,
      config: input.config ?? same?.config ?? {},
    };
  });
}

/** @param seed used when the request brings none */
export function toNewExperiment(request: ExperimentCreate, seed: string): NewExperiment {
  return {
    key: request.key,
    name: request.name,
    description: request.description,
    hypothesis: request.hypothesis,
    seed: request.seed ?? seed,
    coverage: toHundredths(request.coverage_pct),
    metrics: request.metrics,
    analysis: request.analysis,
    startsAt: request.starts_at,
    endsAt: request.ends_at,
    variants: toVariants(request.variants, []),
  };
}

/** The record with the fields of a change in place; its variants are stored apart. */
export function withPatch(record: ExperimentRecord, patch: ExperimentPatch): ExperimentRecord {
  return {
    ...record,
    name: patch.name ?? record.name,
    description: patch.description ?? record.description,
    hypothesis: patch.hypothesis ?? record.hypothesis,
    seed: patch.seed ?? record.seed,
    coverage: patch.coverage_pct === undefined ? record.coverage : toHundredths(patch.coverage_pct),
    metrics: patch.metrics ?? record.metrics,
    analysis: withAnalysis(record.analysis, patch.analysis ?? {}),
    startsAt: patch.starts_at === undefined ? record.startsAt : patch.starts_at,
    endsAt: patch.ends_at === undefined ? record.endsAt : patch.ends_at,
  };
}

function withAnalysis(
  analysis: ExperimentRecord['analysis'],
  patch: NonNullable<ExperimentPatch['analysis']>,
): ExperimentRecord['analysis'] {
  const { confidence_level, expected_users } = patch;
  return {
    ...analysis,
    ...(patch.method === undefined ? {} : { method: patch.method }),
    ...(confidence_level === undefined ? {} : { confidence_level }),
    ...(expected_users === undefined ? {} : { expected_users }),
  };
}

/** The fields of a change that a started experiment does not take, each with why. */
export function immutableFields(
  record: ExperimentRecord,
  patch: ExperimentPatch,
): readonly { readonly path: string; readonly message: string }[] {
  if (record.startedAt === null) return [];
  const problems: { path: string; message: string }[] = [];
  const message = 'cannot change after the first start; clone the experiment instead';
  if (patch.seed !== undefined && patch.seed !== record.seed) {
    problems.push({ path: 'seed', message });
  }
  if (patch.variants !== undefined) {
    const control = record.variants.find(({ isControl }) => isControl);
    if (patch.variants.length !== record.variants.length) {
      problems.push({ path: 'variants', message: `in number ${message}` });
    }
    record.variants.forEach(({ key }, index) => {
      const given = patch.variants?.[index];
      if (given !== undefined && given.key !== key) {
        problems.push({ path: `variants.${index}.key`, message });
      }
      if (given !== undefined && given.is_control !== (control?.key === given.key)) {
        problems.push({ path: `variants.${index}.is_control`, message });
      }
    });
  }
  return problems;
}

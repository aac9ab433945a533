import { z } from 'zod';

// Whether a result can be believed: the split of the users, and the faults that data can have.

const number = z.number().nullable();

/** How a check turned out. */
export const CHECK_STATUSES = ['ok', 'warning', 'alarm'] as const;
const CheckStatus = z.enum(CHECK_STATUSES);
export type CheckStatus = z.infer<typeof CheckStatus>;

const SrmStatus = z.enum([...CHECK_STATUSES, 'not_enough_data']);

/** The split of the users of one segment. */
const SrmSegment = z
  .object({
    /** The attribute's value as text; null where it is missing. */
    segment: z.string().nullable(),
    status: SrmStatus,
    p_value: number,
    /** Bonferroni's, over all segments of the attribute that could be tested. */
    p_value_adjusted: number,
    /** In the order of the variants, as everywhere here. */
    observed: z.array(z.number()),
    expected: z.array(z.number()),
  })
  .meta({ id: 'SrmSegment' });
export type SrmSegment = z.infer<typeof SrmSegment>;

/** The split within each value of one attribute, the most suspicious first. */
const SrmBySegment = z
  .object({
    by: z.string(),
    /** Segments with enough users for a test. */
    tested: z.number().int(),
    /** At most 100. */
    items: z.array(SrmSegment),
  })
  .meta({ id: 'SrmBySegment' });
export type SrmBySegment = z.infer<typeof SrmBySegment>;

/** Where a mismatch of the split can come from (Fabijan et al., KDD 2019). */
export const SRM_STAGES = [
  'assignment',
  'execution',
  'logging',
  'analysis',
  'interference',
] as const;

/** How a mismatch lies over days, versions, sources and segments. */
export const SRM_PATTERNS = [
  'unexpected_variant',
  'after_reweighting',
  'one_day',
  'one_version',
  'one_source',
  'one_segment',
  'growing',
  'uneven',
  'everywhere',
  'conflicts',
  'filtered',
] as const;

/** A part of the users, as days, versions, sources and segments cut them. */
const SrmPlace = {
  dimension: z.enum(['day', 'version', 'source', 'segment']),
  /** Of a segment: `context.…`; otherwise null. */
  attribute: z.string().nullable(),
  /** A day as a date, a version's number, `hash` or `reported`, a segment's value or null. */
  value: z.string().nullable(),
};

const SrmContribution = z
  .object({
    ...SrmPlace,
    users: z.number().int(),
    share_of_users: z.number(),
    /** Of the deviation of all users; below 0 where this part deviates the other way. */
    share_of_excess: z.number(),
    chi_square: z.number(),
    /** χ² less its degrees of freedom, in standard deviations: by it they are ranked. */
    standardised: z.number(),
    p_value: z.number(),
    /** Bonferroni's, over all parts of its dimension. */
    p_value_adjusted: z.number(),
    /** Key of the variant that deviates most, and by how many percentage points. */
    variant: z.string(),
    deviation_pct_points: z.number(),
  })
  .meta({ id: 'SrmContribution' });
export type SrmContribution = z.infer<typeof SrmContribution>;

const SrmCause = z
  .object({
    pattern: z.enum(SRM_PATTERNS),
    /** Where such a pattern comes from, the likeliest first. */
    stages: z.array(z.enum(SRM_STAGES)),
    /** Where it sits; null when it is not in one place. */
    place: z.object(SrmPlace).nullable(),
    /** What was found and what to look at. */
    message: z.string(),
  })
  .meta({ id: 'SrmCause' });
export type SrmCause = z.infer<typeof SrmCause>;

const SrmRootCause = z
  .object({
    /** At most 10, the strongest first. */
    contributions: z.array(SrmContribution),
    /** Empty while the split is as planned. */
    causes: z.array(SrmCause),
  })
  .meta({ id: 'SrmRootCause' });
export type SrmRootCause = z.infer<typeof SrmRootCause>;

/** Sample ratio mismatch: the split of the assigned users against the planned one. */
export const Srm = z
  .object({
    /** As of now, by χ²: warning below 0.01, alarm below 0.001. */
    status: SrmStatus,
    p_value: number,
    observed: z.array(z.number()),
    expected: z.array(z.number()),
    /** Share of the users less the expected one, for each variant. */
    deviation_pct_points: z.array(z.number()),
    /** Valid however often one looks; an alarm stays one. */
    sequential: z.object({
      status: SrmStatus,
      p_value: number,
      /** That there is a mismatch, when it was as likely as not beforehand. */
      posterior: number,
    }),
    /** All users up to the end of each day; at most 400 points. */
    over_time: z.array(z.object({ time: z.string(), p_value: number, sequential_p_value: number })),
    by_segment: z.array(SrmBySegment),
    root_cause: SrmRootCause.optional(),
  })
  .meta({ id: 'Srm' });
export type Srm = z.infer<typeof Srm>;

/** What a user of results may stumble over, in the order of equal severity. */
export const HEALTH_CHECKS = [
  'srm',
  'srm_segments',
  'conflicts',
  'missing_events',
  'contaminated_covariates',
  'pre_period_imbalance',
  'data_freshness',
  'quarantined_events',
  'plan_changed',
  'too_few_users',
] as const;

const HealthCheck = z
  .object({
    check: z.enum(HEALTH_CHECKS),
    status: CheckStatus,
    message: z.string(),
  })
  .meta({ id: 'HealthCheck' });
export type HealthCheck = z.infer<typeof HealthCheck>;

export const ResultsHealth = z
  .object({
    /** The worst of all checks. */
    status: CheckStatus,
    /** Those that apply, the worst first. */
    checks: z.array(HealthCheck),
    srm: Srm,
    /** Users reported with another variant than the stored one or, where none is stored, than the hash gives. */
    conflicts: z.number().int(),
    quarantined_events: z.number().int(),
    /**
     * Changes after the start of method, level, planned size or end, of which metrics are goals and
     * guardrails and what they mean, and of the shares of the variants, in order; of each
     * at most the last ten.
     */
    plan_changes: z.array(
      z.object({
        field: z.enum([
          'analysis.method',
          'analysis.confidence_level',
          'analysis.expected_users',
          'ends_at',
          'metrics',
          'variants',
        ]),
        /** Key of a goal or guardrail that means something else now; absent for other changes. */
        metric: z.string().optional(),
        /** Of the experiment. */
        version: z.number().int(),
        time: z.string(),
      }),
    ),
    lag_ms: number,
    data_freshness: z.object({
      as_of: z.string().nullable(),
      lag_ms: number,
      status: CheckStatus,
    }),
    /** Goals without any event, although there are users. */
    missing_events: z.array(z.string()),
    /** Metrics whose adjustment by a covariate moved the estimate by more than chance. */
    contaminated_covariates: z.array(z.string()),
    /** Every test of what users did before their assignment. */
    pre_period_imbalance: z.array(
      z.object({
        metric: z.string(),
        variant: z.string(),
        status: CheckStatus,
        p_value: z.number(),
        /** Bonferroni's, over all tests. */
        p_value_adjusted: z.number(),
      }),
    ),
    /** Variants with fewer users than `min_sample`. */
    too_few_users: z.array(z.string()),
  })
  .meta({ id: 'ResultsHealth' });
export type ResultsHealth = z.infer<typeof ResultsHealth>;

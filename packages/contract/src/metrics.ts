import { z } from 'zod';
import { EventType, Key, PageQuery, page, text } from './common.ts';
import { shortFiltersOf } from './filters.ts';
import { VALUE_MAX } from './ingest.ts';

export const METRIC_KINDS = [
  'conversion',
  'count',
  'sum',
  'mean',
  'ratio',
  'quantile',
  'retention',
  'funnel',
] as const;
export type MetricKind = (typeof METRIC_KINDS)[number];

/** Hours after the assignment up to which a window may reach. */
const WINDOW_HOURS_MAX = 24 * 400;
const CUPED_DAYS_MAX = 90;

const within = (number: z.ZodNumber, min: number, max: number, what: string) => {
  const error = `must be ${what} from ${min} to ${max}`;
  return number.min(min, { error }).max(max, { error });
};
const wholeNumber = (min: number, max: number) =>
  within(
    z.int({ error: `must be a whole number from ${min} to ${max}` }),
    min,
    max,
    'a whole number',
  );

/** Conditions on the properties of events. */
const PropertyFilters = shortFiltersOf('properties');

/** The name of a property, taken literally; it counts where it holds a JSON number. */
const ValueProperty = text(200)
  .min(1, 'must not be empty')
  .refine((name) => !name.startsWith('properties.'), {
    error: 'must be the name of the property alone, without "properties."',
  });

const Aggregation = z.enum(['count', 'sum'], { error: 'must be "count" or "sum"' });

const sumsItsProperty = {
  check: (part: { value_property?: string | undefined; aggregation?: string | undefined }) =>
    part.value_property === undefined || part.aggregation !== 'count',
  path: ['aggregation'],
  error: 'must be "sum" where value_property is given; count takes none',
};

const MetricDenominator = z
  .strictObject({
    event_type: EventType,
    filters: PropertyFilters.optional(),
    value_property: ValueProperty.optional(),
    aggregation: Aggregation.optional(),
  })
  .refine(sumsItsProperty.check, sumsItsProperty)
  .meta({ id: 'MetricDenominator' });

const FunnelStep = z
  .strictObject({ event_type: EventType, filters: PropertyFilters.optional() })
  .meta({ id: 'FunnelStep' });

/** The first event of each type decides, so a type can stand for one step only. */
const FunnelSteps = z
  .array(FunnelStep)
  .min(2, 'must have 2 to 10 steps')
  .max(10, 'must have 2 to 10 steps')
  .superRefine((steps, context) => {
    const seen = new Set<string>();
    steps.forEach(({ event_type }, index) => {
      const message = `must differ from those of the other steps; "${event_type}" is used twice`;
      if (seen.has(event_type)) {
        context.addIssue({ code: 'custom', path: [index, 'event_type'], message });
      }
      seen.add(event_type);
    });
  });

/** Hours after the assignment: from the first on, up to and without the second. */
const MetricWindow = z
  .strictObject({
    from_hours: wholeNumber(0, WINDOW_HOURS_MAX).default(0),
    to_hours: wholeNumber(1, WINDOW_HOURS_MAX),
  })
  .refine(({ from_hours, to_hours }) => from_hours < to_hours, {
    path: ['to_hours'],
    error: 'must be larger than from_hours',
  })
  .meta({ id: 'MetricWindow' });

const CAP_PERCENTILE = 'must be a number above 50 and below 100';
const CAP_VALUE = `must be a number above 0, at most ${VALUE_MAX}`;

/** The largest total of a user that counts as it is; of all users' totals, or fixed. */
const MetricCap = z
  .strictObject({
    percentile: z
      .number({ error: CAP_PERCENTILE })
      .gt(50, CAP_PERCENTILE)
      .lt(100, CAP_PERCENTILE)
      .optional(),
    value: z.number({ error: CAP_VALUE }).positive(CAP_VALUE).max(VALUE_MAX, CAP_VALUE).optional(),
  })
  .refine(({ percentile, value }) => (percentile === undefined) !== (value === undefined), {
    error: 'must have either percentile or value',
  })
  .meta({ id: 'MetricCap' });

/** Days before the assignment of which the same measure is the covariate. */
const MetricCuped = z
  .strictObject({ days: wholeNumber(1, CUPED_DAYS_MAX) })
  .meta({ id: 'MetricCuped' });

const QUANTILE = { min: 0.01, max: 0.99 };
const Quantile = within(
  z.number({ error: `must be a number from ${QUANTILE.min} to ${QUANTILE.max}` }),
  QUANTILE.min,
  QUANTILE.max,
  'a number',
);

/** What every metric has. */
const common = {
  name: text(200).min(1, 'must not be empty'),
  description: text(10_000),
  kind: z.enum(METRIC_KINDS, { error: `must be one of ${METRIC_KINDS.join(', ')}` }),
  direction: z.enum(['increase', 'decrease'], { error: 'must be "increase" or "decrease"' }),
};

/** What only some kinds take; see {@link FIELDS_OF_KIND}. */
const ofSomeKinds = {
  event_type: EventType.optional(),
  filters: PropertyFilters.optional(),
  value_property: ValueProperty.optional(),
  aggregation: Aggregation.optional(),
  denominator: MetricDenominator.optional(),
  quantile: Quantile.optional(),
  steps: FunnelSteps.optional(),
  window: MetricWindow.optional(),
  cap: MetricCap.optional(),
  cuped: MetricCuped.optional(),
};
type KindField = keyof typeof ofSomeKinds;
const KIND_FIELDS = Object.keys(ofSomeKinds) as KindField[];

interface FieldsOfKind {
  readonly needs: readonly KindField[];
  readonly takes: readonly KindField[];
}

/** Which fields a kind needs, and which it takes beside them; all others are refused. */
const FIELDS_OF_KIND: Readonly<Record<MetricKind, FieldsOfKind>> = {
  conversion: { needs: ['event_type'], takes: ['filters', 'window', 'cuped'] },
  count: { needs: ['event_type'], takes: ['filters', 'window', 'cap', 'cuped'] },
  sum: { needs: ['event_type'], takes: ['filters', 'value_property', 'window', 'cap', 'cuped'] },
  mean: { needs: ['event_type'], takes: ['filters', 'value_property', 'window', 'cap', 'cuped'] },
  ratio: {
    needs: ['event_type', 'denominator'],
    takes: ['filters', 'value_property', 'aggregation', 'window', 'cap', 'cuped'],
  },
  quantile: { needs: ['event_type', 'quantile'], takes: ['filters', 'value_property', 'window'] },
  retention: { needs: ['event_type', 'window'], takes: ['filters'] },
  funnel: { needs: ['steps'], takes: ['window'] },
};

const takesField = (kind: MetricKind, field: KindField): boolean =>
  FIELDS_OF_KIND[kind].needs.includes(field) || FIELDS_OF_KIND[kind].takes.includes(field);

/** Every field is one that the kind takes, and none that it needs is missing. */
function checkKind(
  metric: { readonly kind: MetricKind } & { readonly [Field in KindField]?: unknown },
  context: z.core.$RefinementCtx,
): void {
  const { kind } = metric;
  const refuse = (field: KindField, message: string): void =>
    context.addIssue({ code: 'custom', path: [field], message });
  for (const field of KIND_FIELDS) {
    const isGiven = metric[field] !== undefined;
    if (isGiven && !takesField(kind, field)) {
      const kinds = METRIC_KINDS.filter((other) => takesField(other, field)).join(', ');
      refuse(field, `is not for a metric of kind ${kind}, only for ${kinds}`);
    } else if (!isGiven && FIELDS_OF_KIND[kind].needs.includes(field)) {
      refuse(field, `is needed for a metric of kind ${kind}`);
    }
  }
}

export const MetricCreate = z
  .strictObject({
    key: Key,
    name: common.name.optional(),
    description: common.description.default(''),
    kind: common.kind,
    ...ofSomeKinds,
    direction: common.direction.default('increase'),
  })
  .superRefine(checkKind)
  .refine(sumsItsProperty.check, sumsItsProperty)
  .meta({ id: 'MetricCreate' });
export type MetricCreate = z.infer<typeof MetricCreate>;

/** A change leaves what it does not name as it is, and takes away what it names with null. */
export const MetricPatch = z
  .strictObject({
    name: common.name,
    description: common.description,
    kind: common.kind,
    event_type: ofSomeKinds.event_type.nullable(),
    filters: ofSomeKinds.filters.nullable(),
    value_property: ofSomeKinds.value_property.nullable(),
    aggregation: ofSomeKinds.aggregation.nullable(),
    denominator: ofSomeKinds.denominator.nullable(),
    quantile: ofSomeKinds.quantile.nullable(),
    steps: ofSomeKinds.steps.nullable(),
    window: ofSomeKinds.window.nullable(),
    cap: ofSomeKinds.cap.nullable(),
    cuped: ofSomeKinds.cuped.nullable(),
    direction: common.direction,
  })
  .partial()
  .meta({ id: 'MetricPatch' });
export type MetricPatch = z.infer<typeof MetricPatch>;

const definition = { key: Key, ...common, ...ofSomeKinds };

/** What a metric means: what is kept of every version. */
export const MetricDefinition = z
  .strictObject(definition)
  .superRefine(checkKind)
  .refine(sumsItsProperty.check, sumsItsProperty);
export type MetricDefinition = z.infer<typeof MetricDefinition>;

export const Metric = z
  .object({
    id: z.number().int(),
    version: z.number().int(),
    ...definition,
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Metric' });
export type Metric = z.infer<typeof Metric>;

export const MetricListQuery = PageQuery.extend({ query: text(200).optional() });
export const MetricList = page(Metric).meta({ id: 'MetricList' });

/** One version of a metric, and when it came to be. */
export const MetricVersion = z
  .object({ version: z.number().int(), ...definition, created_at: z.string() })
  .meta({ id: 'MetricVersion' });
export type MetricVersion = z.infer<typeof MetricVersion>;
export const MetricVersionList = page(MetricVersion).meta({ id: 'MetricVersionList' });

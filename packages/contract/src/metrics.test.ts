import { describe, expect, test } from 'vitest';
import { METRIC_KINDS, MetricCreate, type MetricKind, MetricPatch } from './metrics.ts';

const EVENT = { event_type: 'purchase' };
const WINDOW = { from_hours: 24, to_hours: 168 };
const FILTERS = { 'properties.plan': 'pro', 'properties.seats': [1, 2], 'properties.trial': null };
const ADJUSTED = { window: WINDOW, cap: { percentile: 99 }, cuped: { days: 14 } };
const STEPS = [{ event_type: 'visit', filters: FILTERS }, { event_type: 'cart' }, EVENT];

/** Every kind with all that it takes. */
const FULL: Readonly<Record<MetricKind, Record<string, unknown>>> = {
  conversion: { ...EVENT, filters: FILTERS, window: WINDOW, cuped: { days: 90 } },
  count: { ...EVENT, filters: FILTERS, ...ADJUSTED, cap: { value: 20 } },
  sum: { ...EVENT, filters: FILTERS, value_property: 'net', ...ADJUSTED },
  mean: { ...EVENT, filters: FILTERS, value_property: 'net', ...ADJUSTED },
  ratio: {
    ...EVENT,
    filters: FILTERS,
    value_property: 'net',
    aggregation: 'sum',
    denominator: { event_type: 'visit', filters: FILTERS, value_property: 'n', aggregation: 'sum' },
    ...ADJUSTED,
  },
  quantile: { ...EVENT, filters: FILTERS, value_property: 'ms', quantile: 0.95, window: WINDOW },
  retention: { ...EVENT, filters: FILTERS, window: WINDOW },
  funnel: { steps: STEPS, window: WINDOW },
};

/** Every kind with no more than it needs. */
const LEAST: Readonly<Record<MetricKind, Record<string, unknown>>> = {
  conversion: EVENT,
  count: EVENT,
  sum: EVENT,
  mean: EVENT,
  ratio: { ...EVENT, denominator: { event_type: 'visit' } },
  quantile: { ...EVENT, quantile: 0.5 },
  retention: { ...EVENT, window: { to_hours: 24 } },
  funnel: { steps: [{ event_type: 'visit' }, EVENT] },
};

const FIELDS = Object.assign({}, ...Object.values(FULL)) as Record<string, unknown>;

/** `path: message` of everything that is wrong. */
const problemsOf = (schema: typeof MetricCreate | typeof MetricPatch, fields: object): string[] =>
  schema
    .safeParse(fields)
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
const create = (fields: object) => problemsOf(MetricCreate, { key: 'm', ...fields });

describe.for(METRIC_KINDS)('a metric of kind %s', (kind) => {
  test('is taken with all that it takes, and with no more than it needs', () => {
    expect(create({ kind, ...FULL[kind] })).toEqual([]);
    expect(create({ kind, ...LEAST[kind] })).toEqual([]);
  });

  test('needs each of these', () => {
    for (const field of Object.keys(LEAST[kind])) {
      const { [field]: _, ...rest } = LEAST[kind];
      const problems = create({ kind, ...rest });
      expect(problems).toEqual([`${field}: is needed for a metric of kind ${kind}`]);
    }
  });

  test('takes no field of other kinds', () => {
    for (const field of Object.keys(FIELDS).filter((name) => !(name in FULL[kind]))) {
      const problems = create({ kind, ...LEAST[kind], [field]: FIELDS[field] });
      const kinds = METRIC_KINDS.filter((other) => field in FULL[other]).join(', ');
      expect(problems).toEqual([
        `${field}: is not for a metric of kind ${kind}, only for ${kinds}`,
      ]);
    }
  });
});

const ratio = { kind: 'ratio', ...LEAST.ratio };
const steps = (...event_types: string[]) => ({
  kind: 'funnel',
  steps: event_types.map((event_type) => ({ event_type })),
});
const count = (fields: object) => ({ kind: 'count', ...EVENT, ...fields });
const quantile = (value: unknown) => ({ kind: 'quantile', ...EVENT, quantile: value });
const WRONG: readonly (readonly [Record<string, unknown>, string])[] = [
  [{ kind: 'rate', ...EVENT }, 'kind: must be one of conversion, count, sum, mean, ratio'],
  [count({ key: 'Big' }), 'key: must match ^[a-z]'],
  [count({ name: '' }), 'name: must not be empty'],
  [count({ description: 'x'.repeat(10_001) }), 'description: must have at most 10000'],
  [count({ direction: 'up' }), 'direction: must be "increase" or "decrease"'],
  [count({ event_type: '' }), 'event_type: must not be empty'],
  [count({ event_type: 'a\0b' }), 'event_type: must be valid Unicode without NUL'],
  [count({ unit: 'ms' }), ': Unrecognized key: "unit"'],
  [count({ filters: { plan: 'pro' } }), 'filters.plan: must be "properties." and a name'],
  [
    count({ filters: { 'context.country': 'DE' } }),
    'filters.context.country: must be "properties."',
  ],
  [
    count({ filters: { 'properties.plan': {} } }),
    'filters.properties.plan: must be text, a number',
  ],
  [
    count({ filters: { 'properties.plan': [] } }),
    'filters.properties.plan: must be a list of 1 to',
  ],
  [
    count({
      filters: Object.fromEntries([...Array(21).keys()].map((n) => [`properties.${n}`, n])),
    }),
    'filters: must have at most 20 names',
  ],
  [
    count({
      filters: { 'properties.plan': [...Array(11).keys()].map((n) => `${n % 10}`.repeat(999)) },
    }),
    'filters: must have at most 10000 characters as JSON',
  ],
  [{ kind: 'sum', ...EVENT, value_property: '' }, 'value_property: must not be empty'],
  [
    { kind: 'sum', ...EVENT, value_property: 'properties.net' },
    'value_property: must be the name of the property alone',
  ],
  [{ ...ratio, aggregation: 'mean' }, 'aggregation: must be "count" or "sum"'],
  [
    { ...ratio, aggregation: 'count', value_property: 'net' },
    'aggregation: must be "sum" where value_property is given',
  ],
  [
    { ...ratio, denominator: { ...EVENT, aggregation: 'count', value_property: 'net' } },
    'denominator.aggregation: must be "sum" where value_property is given',
  ],
  [{ ...ratio, denominator: {} }, 'denominator.event_type: '],
  [{ ...ratio, denominator: { ...EVENT, window: WINDOW } }, 'denominator: Unrecognized key'],
  [quantile(0.005), 'quantile: must be a number from 0.01 to 0.99'],
  [quantile(1), 'quantile: must be a number from 0.01 to 0.99'],
  [quantile('0.5'), 'quantile: must be a number from 0.01 to 0.99'],
  [steps('visit'), 'steps: must have 2 to 10 steps'],
  [steps(...'abcdefghijk'), 'steps: must have 2 to 10 steps'],
  [steps('visit', 'cart', 'visit'), 'steps.2.event_type: must differ'],
  [count({ window: { from_hours: 24 } }), 'window.to_hours: must be a whole number from 1 to 9600'],
  [
    count({ window: { from_hours: 24, to_hours: 24 } }),
    'window.to_hours: must be larger than from_hours',
  ],
  [
    count({ window: { from_hours: -1, to_hours: 24 } }),
    'window.from_hours: must be a whole number from 0 to 9600',
  ],
  [
    count({ window: { to_hours: 9_601 } }),
    'window.to_hours: must be a whole number from 1 to 9600',
  ],
  [count({ window: { to_hours: 1.5 } }), 'window.to_hours: must be a whole number from 1 to 9600'],
  [count({ cap: {} }), 'cap: must have either percentile or value'],
  [count({ cap: { percentile: 99, value: 9 } }), 'cap: must have either percentile or value'],
  [count({ cap: { percentile: 50 } }), 'cap.percentile: must be a number above 50 and below 100'],
  [count({ cap: { percentile: 100 } }), 'cap.percentile: must be a number above 50 and below 100'],
  [count({ cap: { value: 0 } }), 'cap.value: must be a number above 0, at most 1e+30'],
  [count({ cap: { value: 1e31 } }), 'cap.value: must be a number above 0, at most 1e+30'],
  [count({ cuped: { days: 0 } }), 'cuped.days: must be a whole number from 1 to 90'],
  [count({ cuped: { days: 91 } }), 'cuped.days: must be a whole number from 1 to 90'],
  [count({ cuped: {} }), 'cuped.days: must be a whole number from 1 to 90'],
];

describe('a metric is refused', () => {
  test.for(WRONG.map(([fields, problem]) => ({ fields, problem })))('$problem', (wrong) => {
    const { fields, problem } = wrong;
    const problems = create(fields);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.slice(0, problem.length)).toBe(problem);
  });
});

describe('a metric', () => {
  test('is meant to increase, has no description, and a window begins at the assignment', () => {
    const { direction, description, window } = MetricCreate.parse({
      key: 'm',
      kind: 'retention',
      ...LEAST.retention,
    });
    expect({ direction, description, window }).toEqual({
      direction: 'increase',
      description: '',
      window: { from_hours: 0, to_hours: 24 },
    });
  });

  test('is changed field by field, null takes one away, and its key stays', () => {
    const patch = { cap: null, window: WINDOW };
    expect(MetricPatch.parse(patch)).toEqual(patch);
    expect(problemsOf(MetricPatch, { kind: null })[0]).toMatch(/^kind: /);
    expect(problemsOf(MetricPatch, { key: 'other' })).toEqual([': Unrecognized key: "key"']);
    expect(problemsOf(MetricPatch, { cap: { percentile: 1 } })).toHaveLength(1);
  });
});

import { BUILT_IN_METRICS } from '@assay/contract';
import { describe, expect, test } from 'vitest';
import { builtInMetric } from './built-ins.ts';

describe('built-in metrics', () => {
  test('are of the events asked for, and have their names', () => {
    const all = BUILT_IN_METRICS.map((name) => builtInMetric(name, ['purchase']));
    expect(all.map(({ key }) => key)).toEqual(BUILT_IN_METRICS);
    expect(JSON.stringify(all).match(/"types":\["purchase"\]/g)).toHaveLength(all.length + 1);
    expect(builtInMetric('event_count', undefined)).toMatchObject({
      kind: 'mean',
      isTotal: true,
      measure: { types: undefined, aggregate: 'count' },
    });
  });

  test('average values over the events that have one', () => {
    expect(builtInMetric('avg_value', undefined)).toMatchObject({
      kind: 'ratio',
      numerator: { aggregate: 'sum', property: null },
      denominator: { aggregate: 'valued', property: null },
    });
  });
});

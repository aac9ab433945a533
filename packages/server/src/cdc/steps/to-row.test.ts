import { describe, expect, it } from 'vitest';
import type { Change } from '../source.ts';
import { toRow } from './to-row.ts';

describe('toRow', () => {
  const event: Change = {
    table: 'events',
    operation: 'insert',
    lsn: 5n,
    unsent: [],
    row: {
      event_id: '550e8400-e29b-41d4-a716-446655440000',
      type: 'kauf "🛒"',
      user_id: "o'neil\\",
      ts: '2026-01-05 10:00:00.123456+00',
      value: '0.1',
      properties: '{"a": 12345678901234567890}',
      experiment_id: null,
      received_at: '2026-01-05 10:00:00+00',
    },
  };

  it('passes digits and JSON through unchanged', () => {
    const step = toRow(event, 1);
    if (step.kind !== 'row') throw new Error(step.kind);
    expect(step.line).toContain('"value":0.1,');
    expect(step.line).toContain('"_version":281474976710661,');
    expect(JSON.parse(step.line)).toMatchObject({
      type: 'kauf "🛒"',
      user_id: "o'neil\\",
      ts: '2026-01-05T10:00:00.123456Z',
      properties: '{"a": 12345678901234567890}',
      experiment_id: null,
    });
  });

  it('sets aside what has no place, and drops the heartbeat', () => {
    expect(toRow({ ...event, row: { ...event.row, value: 'NaN' } }, 1).kind).toBe('dead_letter');
    expect(toRow({ ...event, unsent: ['properties'] }, 1).kind).toBe('dead_letter');
    expect(toRow({ ...event, operation: 'delete' }, 1).kind).toBe('dead_letter');
    expect(toRow({ ...event, table: 'other' }, 1).kind).toBe('dead_letter');
    expect(toRow({ ...event, table: 'cdc_heartbeat' }, 1).kind).toBe('drop');
    const { type: _, ...rest } = event.row;
    expect(toRow({ ...event, row: rest }, 1)).toMatchObject({ reason: 'column type is missing' });
  });

  it('takes every double as PostgreSQL writes it, and nothing else', () => {
    const lineOf = (value: string | null) => toRow({ ...event, row: { ...event.row, value } }, 1);
    for (const value of ['0', '-0', '1e+300', '5e-324', '1.7976931348623157e+308', '-12.5']) {
      const step = lineOf(value);
      expect(step.kind === 'row' && JSON.parse(step.line).value).toBe(Number(value));
    }
    for (const value of ['NaN', 'Infinity', '-Infinity', '', '1,5', '0x10', '1}{']) {
      expect(lineOf(value).kind).toBe('dead_letter');
    }
    expect(lineOf(null)).toMatchObject({ line: expect.stringContaining('"value":null,') });
  });

  it('sets aside what ClickHouse would bend to fit', () => {
    const assignment: Change = {
      table: 'assignments',
      operation: 'update',
      lsn: 5n,
      unsent: [],
      row: {
        experiment_id: '4294967295',
        user_id: 'u',
        variant_id: '1',
        version: '1',
        source: 'hash',
        bucket: '65535',
        assigned_at: '2026-01-05 10:00:00+00',
        context: '{}',
      },
    };
    expect(toRow(assignment, 1).kind).toBe('row');
    for (const [column, value] of [
      ['bucket', '65536'],
      ['bucket', '-1'],
      ['experiment_id', '4294967296'],
      ['user_id', null],
      ['assigned_at', 'infinity'],
      ['assigned_at', '2026-01-05 10:00:00+02'],
      ['assigned_at', '1899-12-31 23:59:59+00'],
      ['assigned_at', '0044-03-15 10:00:00+00 BC'],
    ] as const) {
      expect(toRow({ ...assignment, row: { ...assignment.row, [column]: value } }, 1)).toEqual({
        kind: 'dead_letter',
        reason: `${column} is ${value}, which ClickHouse cannot hold`,
      });
    }
  });

  it('carries a deletion as its key alone', () => {
    const step = toRow(
      {
        table: 'assignments',
        operation: 'delete',
        lsn: 9n,
        unsent: [],
        row: { experiment_id: '1', user_id: 'u' },
      },
      1,
    );
    expect(step.kind === 'row' && JSON.parse(step.line)).toMatchObject({
      experiment_id: 1,
      user_id: 'u',
      _deleted: 1,
    });
  });
});

import type { Answer } from './question.ts';

/**
 * A user's sum below this is zero, in both stores: its square would underflow, which PostgreSQL
 * answers with an error. The contract bounds values from above for the same reason.
 */
export const TINY = 1e-30;

/** The columns that both stores select. */
export interface SumsRow extends Record<string, unknown> {
  readonly variant_id: number;
  readonly users: number;
  readonly converters: number;
  readonly events: number;
  readonly valued: number;
  readonly total: number;
  readonly events_deviation: number;
  readonly events_squares: number;
  readonly total_deviation: number;
  readonly total_squares: number;
  readonly valued_deviation: number;
  readonly valued_squares: number;
  readonly residual: number;
  readonly residual_squares: number;
  readonly residual_product: number;
  readonly shift_events: number;
  readonly shift_total: number;
  readonly shift_valued: number;
  readonly shift_ratio: number;
}

/** Rows in the words of the code. */
export function toSums(rows: readonly SumsRow[]): Pick<Answer, 'sums' | 'shift'> {
  const [first] = rows;
  return {
    shift: {
      events: first?.shift_events ?? 0,
      total: first?.shift_total ?? 0,
      valued: first?.shift_valued ?? 0,
      ratio: first?.shift_ratio ?? 0,
    },
    sums: rows.map((row) => ({
      variantId: row.variant_id,
      users: row.users,
      converters: row.converters,
      events: row.events,
      valued: row.valued,
      total: row.total,
      eventsDeviation: row.events_deviation,
      eventsSquares: row.events_squares,
      totalDeviation: row.total_deviation,
      totalSquares: row.total_squares,
      valuedDeviation: row.valued_deviation,
      valuedSquares: row.valued_squares,
      residual: row.residual,
      residualSquares: row.residual_squares,
      residualProduct: row.residual_product,
    })),
  };
}

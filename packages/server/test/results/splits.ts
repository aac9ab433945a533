import type { Split } from '../../src/features/results/health/split.ts';
import type { VersionCount } from '../../src/features/results/question.ts';

// Splits of made counts, for what is computed of them.

const DAY = 86_400;
/** 2026-01-05. */
export const FIRST_DAY = Date.parse('2026-01-05T00:00:00Z') / 1_000;

/** Users of the variants, in order, who have something in common. */
export interface Cell {
  readonly users: readonly number[];
  readonly version?: number;
  /** From FIRST_DAY on. */
  readonly day?: number;
  readonly source?: 'hash' | 'reported';
  readonly segment?: string | null;
}

const sumsBy = (
  cells: readonly Cell[],
  of: (cell: Cell) => Partial<VersionCount> | undefined,
): readonly VersionCount[] => {
  const sums = new Map<string, VersionCount>();
  for (const cell of cells) {
    const common = of(cell);
    if (common === undefined) continue;
    cell.users.forEach((users, index) => {
      const row = { version: cell.version ?? 1, variantId: index + 1, ...common };
      const key = JSON.stringify(row);
      const before = sums.get(key)?.users ?? 0;
      if (users > 0 || before > 0) sums.set(key, { ...row, users: before + users });
    });
  }
  return [...sums.values()];
};

/** What a store answers of such cells: all users, and these by day, source and segment. */
export const countsOf = (cells: readonly Cell[]): readonly VersionCount[] => [
  ...sumsBy(cells, () => ({})),
  ...sumsBy(cells, ({ day }) => (day === undefined ? {} : { day: FIRST_DAY + day * DAY })).filter(
    (row) => row.day !== undefined,
  ),
  ...sumsBy(cells, ({ source }) => (source === undefined ? undefined : { source })),
  ...sumsBy(cells, ({ segment }) => (segment === undefined ? undefined : { segment })),
];

/**
 * A split of variants `control`, `blue`, `green`, … with the ids 1, 2, 3, …
 *
 * @param shares of each version from 1 on, in percent; they take effect a day after each other
 */
export function splitOf(cells: readonly Cell[], shares: readonly (readonly number[])[]): Split {
  const now = shares.at(-1) ?? [];
  return {
    variants: now.map((share, index) => ({
      id: index + 1,
      position: index,
      key: ['control', 'blue', 'green', 'red'][index] ?? `variant-${index}`,
      name: '',
      allocation: share * 100,
      isControl: index === 0,
      config: {},
    })),
    versions: shares.map((row, index) => ({
      version: index + 1,
      coverage: 10_000,
      allocations: row.map((share, arm) => ({ variantId: arm + 1, allocation: share * 100 })),
      effectiveAt: new Date((FIRST_DAY + index * DAY) * 1_000 + 3_600_000).toISOString(),
      plan: null,
    })),
    counts: countsOf(cells),
  };
}

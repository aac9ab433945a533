/** Users reported with another variant than theirs, of those that are counted. */
export interface Conflicts {
  /** Stored with another variant. */
  readonly assigned: number;
  /** Stored with none, since the hash gives them another; never counted where users are filtered. */
  readonly unassigned: number;
}

export const conflictsOf = ({ assigned, unassigned }: Conflicts): number => assigned + unassigned;

/**
 * The share of the users with conflicts, 0 … 1: of those who are assigned, and of those who would be
 * but for the conflict.
 *
 * @param users assigned; where they are counted a moment behind, they may be fewer than their conflicts
 */
export function conflictShareOf(conflicts: Conflicts, users: number): number {
  const all = Math.max(users, conflicts.assigned) + conflicts.unassigned;
  return all === 0 ? 0 : conflictsOf(conflicts) / all;
}

import { experimentDuration } from '../stats/index.ts';

/** How users come to an experiment. */
export interface Recruitment {
  /**
   * Distinct users by the end of each day, from the first day on, as they were observed: real
   * experiments recruit ever fewer new users a day, since the frequent ones come first. Empty
   * without a history.
   */
  readonly observed: readonly number[];
  /** New users a day, ≥ 0; after the observed days, if there are any. */
  readonly daily: number;
  /** Of these users, how many enter: 0 < share ≤ 1. */
  readonly share: number;
}

/** Users who will have entered after so many days, whole or not. */
export function usersAfter({ observed, daily, share }: Recruitment, days: number): number {
  const history = observed.length;
  const upTo = (day: number): number => (day === 0 ? 0 : (observed[day - 1] ?? 0));
  if (days >= history) return share * (upTo(history) + daily * (days - history));
  const day = Math.floor(days);
  return share * (upTo(day) + (upTo(day + 1) - upTo(day)) * (days - day));
}

/** How long an experiment takes. */
export interface RunningTime {
  readonly days: number;
  /** Rounded up to whole weeks, so that every weekday counts alike, and no shorter than the minimum. */
  readonly daysWholeWeeks: number;
}

const DAYS_PER_WEEK = 7;
/** A hundred years: nobody waits longer. */
const DAYS_MAX = 36_500;

/**
 * Whole days until so many users have entered (STATISTICS specification §7): along the observed
 * curve as far as it goes, then by the daily users. Null when that many do
 * not come within a hundred years.
 *
 * @param users > 0
 * @param minimumDays ≥ 0
 */
export function runningTime(
  recruitment: Recruitment,
  users: number,
  minimumDays: number,
): RunningTime | null {
  const { observed, daily, share } = recruitment;
  const within = observed.findIndex((count) => share * count >= users);
  let days = within + 1;
  if (within < 0) {
    const beyond = experimentDuration({
      totalN: users - usersAfter(recruitment, observed.length),
      dailyUnits: daily,
      trafficShare: share,
    });
    if (beyond.status !== 'ok') return null;
    days = observed.length + beyond.days;
  }
  if (days > DAYS_MAX) return null;
  const weeks = Math.ceil(Math.max(days, minimumDays) / DAYS_PER_WEEK);
  return { days, daysWholeWeeks: weeks * DAYS_PER_WEEK };
}

/**
 * Keys of the advisory locks in PostgreSQL, in one list so that no two are the same. Any numbers
 * will do, as long as processes of every version take the same ones.
 */
export const ADVISORY_LOCKS = {
  migrate: 4_170_001,
  makePartitions: 4_170_002,
  leadCdc: 4_170_003,
  dropPartitions: 4_170_004,
  runCalibrations: 4_170_006,
  queueCalibrations: 4_170_007,
} as const;

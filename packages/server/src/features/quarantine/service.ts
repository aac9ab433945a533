import type { FieldError, RejectionCode } from '@assay/contract';
import { formatInstant } from '@assay/core';
import type { z } from 'zod';
import type { Deps } from '../../deps.ts';
import type { TimeWindow } from '../../retention.ts';
import { deleteQuarantined, insertQuarantined, type QuarantineRow } from './store.ts';

/** Why an item was refused, as it is answered and as it is kept. */
export interface Rejection {
  readonly code: RejectionCode;
  readonly message: string;
  readonly errors?: FieldError[];
}

export interface RejectedItem {
  readonly item: unknown;
  readonly rejection: Rejection;
}

/** Keeps what was refused, so that it can be looked at; resolves when it is stored. */
export async function quarantine(
  { db }: Pick<Deps, 'db'>,
  kind: QuarantineRow['kind'],
  rejected: readonly RejectedItem[],
): Promise<void> {
  if (rejected.length === 0) return;
  await insertQuarantined(
    db,
    rejected.map(({ item, rejection: { code, message } }) => ({
      kind,
      code,
      message,
      experiment: experimentOf(item),
      item,
    })),
  );
}

const KEPT_DAYS = 90;
const DELETE_BATCH = 5_000;

/** Refused items are kept for finding out what a client sends, not for ever. */
export async function trimQuarantine({ db }: Pick<Deps, 'db'>): Promise<void> {
  let deleted: number;
  do deleted = await deleteQuarantined(db, KEPT_DAYS, DELETE_BATCH);
  while (deleted === DELETE_BATCH);
}

/** A rejection that names the fields of an item that its schema does not take. */
export function invalidItem(error: z.ZodError): Rejection {
  const errors = error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          path: [...issue.path, key].join('.'),
          message: 'is not a known field',
        }))
      : [{ path: issue.path.join('.'), message: issue.message }],
  );
  const [first] = errors;
  const where = first === undefined || first.path === '' ? '' : `${first.path}: `;
  return { code: 'invalid_item', message: `${where}${first?.message ?? 'not valid'}`, errors };
}

/** A rejection of one field. */
export function rejectField(code: RejectionCode, path: string, message: string): Rejection {
  return { code, message: `${path}: ${message}`, errors: [{ path, message }] };
}

/** The rejection of a time that no partition takes. */
export function outOfWindow({ from, to }: TimeWindow): Rejection {
  return rejectField(
    'timestamp_out_of_window',
    'timestamp',
    `must be from ${formatInstant(from)} to ${formatInstant(to)}`,
  );
}

function experimentOf(item: unknown): string | null {
  if (typeof item !== 'object' || item === null || !('experiment' in item)) return null;
  const { experiment } = item;
  const ref = typeof experiment === 'number' ? String(experiment) : experiment;
  return typeof ref === 'string' && /^[a-z0-9_-]{1,63}$/.test(ref) ? ref : null;
}

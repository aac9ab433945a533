import type { Experiment } from '@assay/contract';
import { parseInstant } from '@assay/core';
import { must } from '../errors.ts';
import { DAY_MICROS, readStar, STAR_EXPERIMENT, STAR_KEY } from './star.ts';

const BATCH = 1_000;
const TIMEOUT_MS = 30_000;
/** The trial is dated before its loading, so that none of it lies in the future. */
const DAYS_BACK = 75;

/** What loading came to. */
export interface DemoReport {
  readonly exposures: number;
  readonly events: number;
  /** It had been loaded before, and nothing was sent. */
  readonly wasComplete: boolean;
}

/**
 * Loads the STAR trial through the public API alone. It may be stopped and repeated at any point:
 * ids and times depend on the experiment's creation only. The stopped experiment says that all is
 * there.
 *
 * @param baseUrl of the API, without a path
 * @param token with the role editor or admin
 * @param csv text of `data/star-kindergarten.csv`
 * @throws Error with the API's own words
 */
export async function loadDemo(baseUrl: string, token: string, csv: string): Promise<DemoReport> {
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(new URL(path, baseUrl), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = (await response.json()) as T & { readonly detail?: string };
    if (!response.ok) throw new Error(`${method} ${path}: ${answer.detail ?? response.status}`);
    return answer;
  };
  const path = `/v1/experiments/${STAR_KEY}`;
  const list = await call<{ items: Experiment[] }>('GET', `/v1/experiments?query=${STAR_KEY}`);
  const found = list.items.find(({ key }) => key === STAR_KEY);
  let experiment = found ?? (await call<Experiment>('POST', '/v1/experiments', STAR_EXPERIMENT));
  if (experiment.status === 'stopped' || experiment.status === 'archived') {
    return { exposures: 0, events: 0, wasComplete: true };
  }
  if (experiment.status === 'draft') experiment = await call('POST', `${path}/start`);

  const created = must(parseInstant(experiment.created_at), 'a time of the API');
  const start = (Math.floor(created / DAY_MICROS) - DAYS_BACK) * DAY_MICROS;
  const { exposures, events } = readStar(csv, start);
  const send = async (url: string, name: string, items: readonly unknown[]): Promise<void> => {
    for (let at = 0; at < items.length; at += BATCH) {
      const batch = items.slice(at, at + BATCH);
      const answer = await call<{ rejected: number; results: { message?: string }[] }>(
        'POST',
        url,
        {
          [name]: batch,
        },
      );
      const refused = answer.results.find(({ message }) => message !== undefined);
      if (answer.rejected > 0)
        throw new Error(`${url}: ${answer.rejected} rejected: ${refused?.message}`);
    }
  };
  await send('/v1/exposures', 'exposures', exposures);
  await send('/v1/events', 'events', events);
  await call('POST', `${path}/stop`);
  return { exposures: exposures.length, events: events.length, wasComplete: false };
}

import { normalIsf, normalSf } from '../distributions/normal.ts';

/** How the error probability is spent over the course of information. */
export type Spending =
  /** Lan & DeMets 1983, like O'Brien & Fleming: very little at first. */
  | { readonly type: 'obrienFleming' }
  /** Lan & DeMets 1983, like Pocock: nearly evenly. */
  | { readonly type: 'pocock' }
  /** Kim & DeMets 1987: t^param, param > 0. */
  | { readonly type: 'power'; readonly param: number }
  /** Hwang, Shih & DeCani 1990: param below 0 spends late, above 0 early. */
  | { readonly type: 'hsd'; readonly param: number };

/** Whether a spending function has a usable parameter. */
export function isSpending(spending: Spending): boolean {
  switch (spending.type) {
    case 'obrienFleming':
    case 'pocock':
      return true;
    case 'power':
      return spending.param > 0 && Number.isFinite(spending.param);
    case 'hsd':
      return Number.isFinite(spending.param);
  }
}

/**
 * The part of a one-sided budget that is spent up to an information fraction.
 *
 * @param budget of one side, 0 < budget < 1
 * @param fraction of the planned information; all is spent from 1 on
 */
export function spentAlpha(spending: Spending, budget: number, fraction: number): number {
  if (fraction <= 0) return 0;
  if (fraction >= 1) return budget;
  switch (spending.type) {
    case 'obrienFleming':
      return 2 * normalSf(normalIsf(budget / 2) / Math.sqrt(fraction));
    case 'pocock':
      return budget * Math.log1p((Math.E - 1) * fraction);
    case 'power':
      return budget * fraction ** spending.param;
    case 'hsd':
      return spending.param === 0
        ? budget * fraction
        : (budget * Math.expm1(-spending.param * fraction)) / Math.expm1(-spending.param);
  }
}

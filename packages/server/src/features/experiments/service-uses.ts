import { listUsing } from './store.ts';

// What metrics ask of experiments; it is apart from the service, which itself asks the metrics.

/** Keys of the experiments that use a metric and are not archived, in order. */
export const experimentsUsing = listUsing;

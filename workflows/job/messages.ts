import { defineQuery, defineSignal } from '@temporalio/workflow';

/** How a job stands, as its contract's `progress` describes it. */
export const progressQuery = defineQuery<unknown>('progress');

/** From people and `retryFailedBackfills`, to a run that waits: try again what is parked. */
export const retryFailed = defineSignal('retryFailed');

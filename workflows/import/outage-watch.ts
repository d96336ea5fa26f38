import { isOutage, type FailureReason } from '../job/failure-reason.ts';

/**
 * So many final failures in a row, each after minutes of attempts, and nothing that succeeded in between: trying the thousands of
 * others would take days and change nothing.
 */
const FAILURES_IN_A_ROW = 6;

/** Tells when a server is down for good, as far as one run is concerned. */
export class OutageWatch {
  #failures = 0;

  succeeded(): void {
    this.#failures = 0;
  }

  /** @returns whether there is no point in going on */
  failed({ code }: FailureReason): boolean {
    this.#failures = isOutage(code) ? this.#failures + 1 : 0;
    return this.#failures >= FAILURES_IN_A_ROW;
  }
}

/** Why a table was not tried. */
export function notTried(reason: FailureReason): string {
  return `It was not tried, since the last ${FAILURES_IN_A_ROW} attempts failed: ${reason.message}`;
}

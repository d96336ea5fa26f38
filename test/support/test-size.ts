/**
 * How much the tests do whose size is a matter of choice. `TEST_SIZE=full` is for a night: millions of rows and records, and
 * more rounds of kills. Usual runs go through the same steps, and hold the same, with less of each.
 */
/** What only a full run has the time for is passed over in others. */
export const isFull = process.env['TEST_SIZE'] === 'full';

/** Of the size of a usual run, and that of a full one, the one to use. */
export function sized(usual: number, full: number): number {
  return isFull ? full : usual;
}

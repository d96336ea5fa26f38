import { plainLines } from '../../workflows/job/plain-lines.ts';
import { jobOf } from '../../workflows/registry.ts';

const LONGEST_UNKNOWN = 200;
/** Of a result, as many rows as are read. */
const RESULT_ROWS = 50;

/**
 * A job's progress as lines, the first of which tells of the whole.
 *
 * @param answer to the query `progress`; one that its contract does not know is shown as it is
 */
export function progressLines(workflowType: string, answer: unknown, tableRows: number): string[] {
  if (answer === undefined) return [];
  const told = jobOf(workflowType)?.progressTold(answer);
  if (told !== undefined) return plainLines(told, tableRows);
  return plainLines({ headline: JSON.stringify(answer).slice(0, LONGEST_UNKNOWN) }, 0);
}

/** What is in a result for people; nothing where its contract does not know it. */
export function resultLines(workflowType: string, result: unknown): string[] {
  const told = jobOf(workflowType)?.resultTold(result);
  return told === undefined ? [] : plainLines(told, RESULT_ROWS);
}

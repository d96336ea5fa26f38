import { ApplicationFailure, proxyActivities, workflowInfo } from '@temporalio/workflow';
import { jobInput } from '../job/input.ts';
import { JobProgress } from '../job/job-progress.ts';
import {
  tablesContract,
  type TableResult,
  type TablesActivities,
  type TablesInput,
  type TablesProgress,
  type TablesResult,
} from './contract.ts';
import { tablesText } from './text.ts';

/** Hive or HDFS away for some seven minutes are waited for. */
const RETRY = { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 30_000, maximumAttempts: 20 } as const;

const { ensureTextTables, ensureLegacyTables, ensureImportedReadings, ensureStreamedReadings } =
  proxyActivities<TablesActivities>({
    startToCloseTimeout: '1 day',
    heartbeatTimeout: 20_000,
    retry: RETRY,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  });

/** What is made, one after the other. Tables that show others come after them. */
const PARTS: readonly (readonly [phase: string, make: (input: TablesInput) => Promise<TableResult[]>])[] = [
  ['texts', ensureTextTables],
  ['legacy files', () => ensureLegacyTables()],
  ['imported readings', () => ensureImportedReadings()],
  ['readings', () => ensureStreamedReadings()],
];

/**
 * Makes tables in Hive over what lies in HDFS, or brings them to what they have to be. A table that may not be changed is left as it is, the others are made,
 * and then the job fails with what is wrong, its result as the failure's detail.
 *
 * @param given one object, see its contract; nothing counts as `{}`
 * @throws ApplicationFailure, final: `invalid-input`, `table-conflict`; whatever the activities fail with
 */
export async function buildHiveTables(given?: unknown): Promise<TablesResult> {
  const input = jobInput(tablesContract, given);
  const tables: TableResult[] = [];
  let progress: TablesProgress = { phase: 'beginning', tables: 0 };
  const shown = new JobProgress(tablesText, () => progress);
  const tell = (phase: string): void => {
    progress = { phase, tables: tables.length };
    shown.show();
  };
  try {
    for (const [phase, make] of PARTS) {
      tell(phase);
      tables.push(...(await make(input)));
    }
  } finally {
    tell('ended');
  }
  const result: TablesResult = { tables, durationMs: Math.max(0, Date.now() - workflowInfo().startTime.getTime()) };
  const problems = tables.flatMap(({ problem }) => problem ?? []);
  const [first, ...others] = problems;
  if (first === undefined) return result;
  const more = others.length === 0 ? '' : ` ${others.map(({ message }) => message).join(' ')}`;
  throw ApplicationFailure.nonRetryable(`${first.message}${more}`, first.code, result);
}

import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import { shortened } from '../../grid/figures.ts';
import { workName } from '../job/ids.ts';
import { jobInput } from '../job/input.ts';
import { JobProgress } from '../job/job-progress.ts';
import type { Answer } from './answer.ts';
import { queryContract, type QueryActivities, type QueryProgress, type QueryRun } from './contract.ts';
import { untilEnded } from './ended-run.ts';
import { queryText } from './text.ts';

const MOST_SQL = 1_000;

const OPTIONS = {
  startToCloseTimeout: '2 days',
  heartbeatTimeout: 20_000,
  // What is cancelled is cleared away next, so it must have ended.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
} as const;
/** Hive, HDFS or MongoDB away for some seven minutes are waited for. */
const RETRY = { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 30_000, maximumAttempts: 20 } as const;

const { beginQuery, answerQuery, endQuery } = proxyActivities<QueryActivities>({ ...OPTIONS, retry: RETRY });
/** Of a statement that writes nobody knows whether it was run when its connection broke. */
const { answerQuery: answerOnce } = proxyActivities<QueryActivities>({ ...OPTIONS, retry: { maximumAttempts: 1 } });

/**
 * Runs one statement of Hive SQL, and puts its rows into a file of HDFS.
 *
 * @param given one object, see its contract; nothing counts as `{}`
 * @throws ApplicationFailure, final: `invalid-input`, `statement-not-allowed`, `time-limit-passed`, `hdfs-already-exists`; whatever the activities fail with
 */
export async function runHiveQuery(given?: unknown): Promise<Answer> {
  const input = jobInput(queryContract, given);
  const info = workflowInfo();
  const { workflowId, startTime } = info;
  const run: QueryRun = { runName: workName(info), workflowId, startedAt: startTime.toISOString(), input };
  let progress: QueryProgress = { sql: shortened(input.sql, MOST_SQL), phase: 'looking at the statement', rows: 0 };
  const tell = (news: Partial<QueryProgress>): void => {
    progress = { ...progress, ...news };
    shown.show();
  };
  const shown = new JobProgress(queryText, () => progress);
  shown.show();
  return untilEnded(
    async () => {
      const begun = await beginQuery(run);
      tell({ phase: 'running in Hive' });
      const result = await (begun.kind === 'write' ? answerOnce : answerQuery)({ run, begun });
      tell({ phase: 'ended', rows: result.rows });
      return result;
    },
    (ended) => endQuery({ run, ended }),
  );
}

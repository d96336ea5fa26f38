import { z } from 'zod';
import type { JobContract } from '../job/job-contract.ts';
import type { QueueName } from '../job/task-queues.ts';
import { answer, answerInput, type Answer, type AnswerRun, type Begun, type Ended } from './answer.ts';

export { answer } from './answer.ts';
export type { Answer, AnswerColumn, AnswerRun, Begun, Ended, Format } from './answer.ts';

/** Input of `runHiveQuery`; `{}` lists the tables. */
export const queryInput = z.strictObject({
  /** One statement of HiveQL. */
  sql: z.string().min(1).max(100_000).default('SHOW TABLES'),
  ...answerInput,
  /** Let it change data and tables, where `HIVE_QUERY_WRITES` allows that. */
  allowWrites: z.boolean().default(false),
});
export type QueryInput = z.output<typeof queryInput>;

export const QUERY_PHASES = ['looking at the statement', 'running in Hive', 'ended'] as const;

/** Answer to the query `progress` of `runHiveQuery`. */
export const queryProgress = z.object({ sql: z.string(), phase: z.enum(QUERY_PHASES), rows: z.int().nonnegative() });
export type QueryProgress = z.output<typeof queryProgress>;

/** One run, the same in every activity. */
export interface QueryRun extends AnswerRun {
  readonly input: QueryInput;
}

/** What `runHiveQuery` asks of its activities. */
export interface QueryActivities {
  beginQuery(run: QueryRun): Promise<Begun>;
  answerQuery(request: { readonly run: QueryRun; readonly begun: Begun }): Promise<Answer>;
  endQuery(request: { readonly run: QueryRun; readonly ended: Ended }): Promise<void>;
}

export const queryContract = {
  workflowType: 'runHiveQuery',
  summary: 'run a statement of Hive SQL that reads, its rows into a file of HDFS',
  input: queryInput,
  example: {
    sql: 'SELECT sensor_id, COUNT(*) FROM history_postgres.telemetry_readings GROUP BY sensor_id',
    timeLimit: 'PT5M',
  },
  progress: queryProgress,
  result: answer,
  activities: {
    beginQuery: 'jobs',
    answerQuery: 'jobs',
    endQuery: 'jobs',
  } satisfies Readonly<Record<keyof QueryActivities, QueueName>>,
} as const satisfies JobContract<typeof queryInput, typeof queryProgress, typeof answer>;

import { z } from 'zod';
import { REPORT_NAMES, REPORTS } from '../../grid/reports/reports.ts';
import type { JobContract } from '../job/job-contract.ts';
import type { QueueName } from '../job/task-queues.ts';
import { answer, answerInput, type AnswerRun, type Begun, type Ended } from '../query/answer.ts';

/** A day, or a moment with its offset from UTC, not before 1970. */
const moment = z
  .string()
  .regex(
    /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/,
    'must be a date, or a date and time with its offset, such as 2024-03-01 or 2024-03-01T12:00:00Z',
  )
  .refine((text) => Date.parse(text) >= 0, 'is no moment of the calendar since 1970');

/** Reports that a check has to look at: with a parameter that some have not. */
const parameter = (name: 'steps' | 'intervalSeconds') => {
  const found = Object.values(REPORTS)
    .flatMap(({ parameters }) => parameters)
    .find((each) => each.name === name);
  return z
    .int()
    .min(found?.least ?? 1)
    .max(found?.most ?? 1);
};
const usual = (name: 'steps' | 'intervalSeconds'): number =>
  Object.values(REPORTS)
    .flatMap(({ parameters }) => parameters)
    .find((each) => each.name === name)?.usual ?? 1;

/** Input of `runReport`; `{}` is the peak of each day of all sensors. */
export const reportInput = z
  .strictObject({
    report: z.enum(REPORT_NAMES, { error: `must be one of ${REPORT_NAMES.join(', ')}` }).default('peak-per-day'),
    /** Readings of this day (UTC) or moment on. */
    from: moment.optional(),
    /** … and before this one. */
    to: moment.optional(),
    /** Of these sensors; default: of all. */
    sensors: z.array(z.string().min(1).max(128)).max(1_000).default([]),
    /** Of `duration-curve`: steps between the highest and the lowest value. */
    steps: parameter('steps').default(usual('steps')),
    /** Of `forecast-error`: length of the intervals that are compared, seconds. */
    intervalSeconds: parameter('intervalSeconds').default(usual('intervalSeconds')),
    ...answerInput,
  })
  .refine(({ from, to }) => from === undefined || to === undefined || Date.parse(from) < Date.parse(to), {
    message: 'must be later than from',
    path: ['to'],
  });
export type ReportInput = z.output<typeof reportInput>;

/** Result of `runReport`. */
export const reportResult = answer.extend({
  report: z.enum(REPORT_NAMES),
  title: z.string(),
  /** What was asked of it. */
  parameters: z.record(z.string(), z.unknown()),
});
export type ReportResult = z.output<typeof reportResult>;

export const REPORT_PHASES = ['beginning', 'running in Hive', 'ended'] as const;

/** Answer to the query `progress` of `runReport`. */
export const reportProgress = z.object({
  report: z.enum(REPORT_NAMES),
  phase: z.enum(REPORT_PHASES),
  rows: z.int().nonnegative(),
});
export type ReportProgress = z.output<typeof reportProgress>;

/** One run, the same in every activity. */
export interface ReportRun extends AnswerRun {
  readonly input: ReportInput;
}

/** What `runReport` asks of its activities. */
export interface ReportActivities {
  beginReport(run: ReportRun): Promise<Begun>;
  answerReport(request: { readonly run: ReportRun; readonly begun: Begun }): Promise<ReportResult>;
  endReport(request: { readonly run: ReportRun; readonly ended: Ended }): Promise<void>;
}

export const reportContract = {
  workflowType: 'runReport',
  summary: 'run a report over the readings of HDFS, by Hive SQL, and keep what it says',
  input: reportInput,
  example: { report: 'daily-load', from: '2024-03-01', to: '2024-04-01', sensors: ['6'] },
  progress: reportProgress,
  result: reportResult,
  activities: {
    beginReport: 'jobs',
    answerReport: 'jobs',
    endReport: 'jobs',
  } satisfies Readonly<Record<keyof ReportActivities, QueueName>>,
} as const satisfies JobContract<typeof reportInput, typeof reportProgress, typeof reportResult>;

import { Context } from '@temporalio/activity';
import type { KeptDocuments } from '../../connectors/mongodb/kept-documents.ts';
import { REPORTS } from '../../grid/reports/reports.ts';
import type { ReportActivities, ReportInput, ReportResult, ReportRun } from '../../workflows/report/contract.ts';
import { answerStatement } from '../query/answer.ts';
import { auditAnswer, auditEnd } from '../query/audit.ts';
import { begin } from '../query/begin.ts';
import type { QueryDependencies } from '../query/dependencies.ts';
import { ResultPlace } from '../query/result-place.ts';
import { withHeartbeats } from '../running/heartbeats.ts';
import { reportStatement } from './statement.ts';

/** What reports need beside what every statement needs. */
export interface ReportDependencies extends QueryDependencies {
  /** What they have said. */
  readonly reports: KeptDocuments;
  /** Hive database of `readings_all`. */
  readonly database: string;
}

/** The activities of `runReport`, each with what it needs. */
export function createReportActivities(deps: ReportDependencies): ReportActivities {
  return {
    beginReport: (run) =>
      withHeartbeats(async (signal) => {
        const { input } = run;
        const sql = await reportStatement(input, deps.database);
        const subject = { report: input.report, parameters: parametersOf(input) };
        return begin(deps, { run, job: 'runReport', sql, subject, result: input, allowWrites: false }, signal);
      }),
    answerReport: ({ run, begun }) =>
      withHeartbeats(async (signal) => {
        const { input } = run;
        const request = {
          ...{ run, begun, result: input, maxRows: input.maxRows, timeLimitSeconds: input.timeLimit },
          sinceMs: Context.current().info.scheduledTimestampMs,
        };
        const answer = await answerStatement(deps, request, signal);
        const { report } = input;
        const result = { ...answer, report, title: REPORTS[report].title, parameters: parametersOf(input) };
        await keep(deps.reports, run, result);
        await auditAnswer(deps.audit, run, answer);
        return result;
      }),
    endReport: ({ run, ended }) =>
      withHeartbeats(async () => {
        await new ResultPlace(deps, run, run.input).clear({ isResultKept: ended.outcome === 'completed' });
        await auditEnd(deps.audit, run, ended);
      }),
  };
}

/** The newest are found first: ids rise with time. */
async function keep(
  reports: KeptDocuments,
  { startedAt, runName, workflowId }: ReportRun,
  result: ReportResult,
): Promise<void> {
  const { report, title, rows, parameters, ...rest } = result;
  await reports.put(`${startedAt} ${runName}`, {
    title,
    ranAt: startedAt,
    rows,
    ...rest,
    report,
    parameters,
    workflowId,
  });
}

/** What was asked, as far as this report takes it. */
function parametersOf(input: ReportInput): Readonly<Record<string, unknown>> {
  const { from, to, sensors, report } = input;
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(sensors.length === 0 ? {} : { sensors }),
    ...Object.fromEntries(REPORTS[report].parameters.map(({ name }) => [name, input[name]])),
  };
}

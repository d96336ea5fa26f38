import type { KeptDocuments } from '../../connectors/mongodb/kept-documents.ts';
import type { Answer, AnswerRun, Ended } from '../../workflows/query/contract.ts';

/** What is written down of a run before its statement is looked at. */
export interface AuditedRun {
  readonly run: AnswerRun;
  /** Workflow type. */
  readonly job: string;
  /** Of a report its name and parameters. */
  readonly subject?: unknown;
  readonly sql: string;
  /** File that its rows are to be in. */
  readonly path: string;
}

/** An entry for every run: who (the workflow), what, how it ended. Its id rises with time. Written before the statement runs. */
export async function auditBegin(audit: KeptDocuments, { run, job, sql, path, subject }: AuditedRun): Promise<void> {
  const { workflowId, startedAt } = run;
  await audit.put(auditId(run), {
    ...{ workflowId, job, sql, path, startedAt, outcome: 'running' },
    ...(subject === undefined ? {} : { subject }),
  });
}

/** Puts what was answered beside it, for whoever looks at the entry; the rows themselves stay in their file. */
export async function auditAnswer(audit: KeptDocuments, run: AnswerRun, answer: Answer): Promise<void> {
  const { columns, columnCount, rows, isCut, bytes, firstRows, tables, path, schemaPath } = answer;
  const begun = (await audit.find(auditId(run))) ?? {};
  const answered = { columns, columnCount, rows, isCut, bytes, firstRows, tables, path, schemaPath };
  await audit.put(auditId(run), { ...begun, ...answered });
}

/** Completes the entry. */
export async function auditEnd(audit: KeptDocuments, run: AnswerRun, ended: Ended): Promise<void> {
  const { workflowId, startedAt } = run;
  const begun = (await audit.find(auditId(run))) ?? { workflowId, startedAt };
  const durationMs = Math.max(0, Date.now() - Date.parse(startedAt));
  await audit.put(auditId(run), { ...begun, ...ended, durationMs, endedAt: new Date().toISOString() });
}

function auditId({ startedAt, runName }: AnswerRun): string {
  return `${startedAt} ${runName}`;
}

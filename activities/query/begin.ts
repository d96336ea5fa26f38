import { GridError } from '../../grid/errors.ts';
import { admitStatement, type Admitted } from '../../grid/statement/admit.ts';
import { shown } from '../../grid/figures.ts';
import type { Begun } from '../../workflows/query/contract.ts';
import { auditBegin, type AuditedRun } from './audit.ts';
import type { QueryDependencies } from './dependencies.ts';
import { refuseAmongData, ResultPlace, type WantedResult } from './result-place.ts';

/** Tables and views of readings; whoever names them is to see what is committed now. */
const READINGS = ['readings_raw', 'readings_all'];

export interface BeginRequest extends Omit<AuditedRun, 'path'> {
  readonly result: WantedResult;
  readonly allowWrites: boolean;
}

/**
 * Writes the run into the audit, and looks at the statement and at where its rows are to go. Asks Hive nothing that runs.
 *
 * @throws GridError `statement-not-allowed`, `hdfs-already-exists`, `invalid-input`
 */
export async function begin(deps: QueryDependencies, request: BeginRequest, signal: AbortSignal): Promise<Begun> {
  const { run, sql, result, allowWrites } = request;
  const place = new ResultPlace(deps, run, result);
  await auditBegin(deps.audit, { ...request, path: place.path });
  const admitted = admit(sql, allowWrites && deps.mayWrite, allowWrites);
  if (result.resultPath !== undefined) await refuseAmongData(result.resultPath, deps, signal);
  if ((await place.answered()) === undefined) await place.refuseTaken();
  return {
    sql: admitted.sql,
    kind: admitted.kind,
    namesReadings: READINGS.some((name) => admitted.names.has(name)),
  };
}

function admit(sql: string, mayWrite: boolean, wantsWrites: boolean): Admitted {
  const admitted = admitStatement(sql, { mayWrite });
  if ('sql' in admitted) return admitted;
  const remedy =
    wantsWrites && !mayWrite
      ? 'allowWrites has an effect only where the worker is started with HIVE_QUERY_WRITES=on.'
      : 'Correct the statement.';
  throw new GridError(
    'statement-not-allowed',
    `Looking at the statement ${shown(sql.replaceAll(/\s+/g, ' ').slice(0, 1_000), 100)}: ${admitted.reason}. ${remedy}`,
  );
}

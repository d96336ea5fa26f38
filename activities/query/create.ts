import { Context } from '@temporalio/activity';
import type { QueryActivities } from '../../workflows/query/contract.ts';
import { withHeartbeats } from '../running/heartbeats.ts';
import { answerStatement } from './answer.ts';
import { auditAnswer, auditEnd } from './audit.ts';
import { begin } from './begin.ts';
import type { QueryDependencies } from './dependencies.ts';
import { ResultPlace } from './result-place.ts';

/** The activities of `runHiveQuery`, each with what it needs. */
export function createQueryActivities(deps: QueryDependencies): QueryActivities {
  return {
    beginQuery: (run) =>
      withHeartbeats((signal) => {
        const { input } = run;
        return begin(
          deps,
          { run, job: 'runHiveQuery', sql: input.sql, result: input, allowWrites: input.allowWrites },
          signal,
        );
      }),
    answerQuery: ({ run, begun }) =>
      withHeartbeats(async (signal) => {
        const { input } = run;
        const sinceMs = Context.current().info.scheduledTimestampMs;
        const answer = await answerStatement(
          deps,
          { run, begun, result: input, maxRows: input.maxRows, timeLimitSeconds: input.timeLimit, sinceMs },
          signal,
        );
        await auditAnswer(deps.audit, run, answer);
        return answer;
      }),
    endQuery: ({ run, ended }) =>
      withHeartbeats(async () => {
        await new ResultPlace(deps, run, run.input).clear({ isResultKept: ended.outcome === 'completed' });
        await auditEnd(deps.audit, run, ended);
      }),
  };
}

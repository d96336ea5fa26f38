import type { WordsActivities } from '../../workflows/words/contract.ts';
import { withHeartbeats } from '../running/heartbeats.ts';
import { answerWords } from './answer-words.ts';
import { CountDirectory } from './count-directory.ts';
import type { WordsDependencies } from './dependencies.ts';
import { dropStatements } from './statements.ts';
import { surveyTexts } from './survey-texts.ts';
import { tallyWords } from './tally-words.ts';

/** The activities of `countWords`, each with what it needs. */
export function createWordsActivities(deps: WordsDependencies): WordsActivities {
  return {
    surveyTexts: (request) => withHeartbeats((signal) => surveyTexts(deps, request, signal)),
    tallyWords: (run) => withHeartbeats((signal) => tallyWords(deps, run, signal)),
    answerWords: (request) => withHeartbeats((signal) => answerWords(deps, request, signal)),
    discardCount: ({ countId }) =>
      withHeartbeats(async (signal) => {
        for (const statement of dropStatements({ database: deps.database, countId })) {
          await deps.hive.execute(statement, { signal });
        }
        await new CountDirectory(deps.hdfs, deps.analysisDirectory, countId).remove();
      }),
  };
}

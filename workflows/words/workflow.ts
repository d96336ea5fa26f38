import { ApplicationFailure, CancellationScope, proxyActivities, workflowInfo } from '@temporalio/workflow';
import { failureReason } from '../job/failure-reason.ts';
import { workName } from '../job/ids.ts';
import { jobInput } from '../job/input.ts';
import { JobProgress } from '../job/job-progress.ts';
import {
  wordsContract,
  type Surveyed,
  type WordsActivities,
  type WordsProgress,
  type WordsResult,
  type WordsRun,
} from './contract.ts';
import { wordsText } from './text.ts';

/** Hive or HDFS away for some seven minutes are waited for. */
const RETRY = { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 30_000, maximumAttempts: 20 } as const;

const { surveyTexts, tallyWords, answerWords, discardCount } = proxyActivities<WordsActivities>({
  startToCloseTimeout: '30 days',
  heartbeatTimeout: 20_000,
  retry: RETRY,
  // What is cancelled is cleared away next, so it must have ended.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});

/** Files that change while they are counted are looked at again so often. */
const MOST_ROUNDS = 4;

/**
 * Counts words of texts in HDFS, or of a Hive table, by Hive SQL: looks at the files, lets Hive count, and asks it for the answers.
 *
 * @param given one object, see its contract; nothing counts as `{}`
 * @throws ApplicationFailure, final: `invalid-input`, `not-countable`, `files-changed`; whatever the activities fail with
 */
export async function countWords(given?: unknown): Promise<WordsResult> {
  const input = jobInput(wordsContract, given);
  const info = workflowInfo();
  const run: WordsRun = { countId: workName(info), input };
  let progress: WordsProgress = {
    of: input.table ?? input.path ?? '',
    phase: 'looking at the files',
    files: 0,
    bytes: 0,
    skippedFiles: 0,
  };
  const tell = (news: Partial<WordsProgress>): void => {
    progress = { ...progress, ...news };
    shown.show();
  };
  const shown = new JobProgress(wordsText, () => progress);
  shown.show();
  try {
    return await count(run, tell, info.startTime.getTime());
  } finally {
    tell({ phase: 'ended' });
    await CancellationScope.nonCancellable(() => discardCount(run));
  }
}

async function count(
  run: WordsRun,
  tell: (news: Partial<WordsProgress>) => void,
  startedMs: number,
): Promise<WordsResult> {
  let thorough = false;
  for (let round = 1; ; round++) {
    tell({ phase: 'looking at the files' });
    const surveyed = await surveyTexts({ run, thorough });
    if (surveyed.kept !== undefined) return surveyed.kept;
    const { of, files, bytes, skippedFiles } = surveyed;
    tell({ of, files, bytes, skippedFiles, phase: 'counting' });
    const isCounted = await counted(run, surveyed, { thorough, isLast: round === MOST_ROUNDS });
    if (isCounted === 'again') continue;
    if (isCounted === 'again, thoroughly') {
      thorough = true;
      continue;
    }
    tell({ phase: 'answering' });
    return await answerWords({ run, startedMs });
  }
}

/** Whether the words were counted; else how the files have to be looked at again. */
async function counted(
  run: WordsRun,
  { countable, of }: Surveyed,
  { thorough, isLast }: { readonly thorough: boolean; readonly isLast: boolean },
): Promise<'counted' | 'again' | 'again, thoroughly'> {
  if (!countable) return 'counted';
  try {
    const { distrusted } = await tallyWords(run);
    if (distrusted === 0) return 'counted';
    if (!isLast) return 'again';
  } catch (error) {
    const { code } = failureReason(error);
    if (isLast || CancellationScope.current().consideredCancelled) throw error;
    if (code === 'files-changed') return 'again';
    // Hive gives up all files for one that it cannot decompress.
    if (code === 'hive-refused' && !thorough && run.input.table === undefined) return 'again, thoroughly';
    throw error;
  }
  throw ApplicationFailure.nonRetryable(
    `Counting the words of ${of}: its files change faster than they are counted. Count again when nobody writes to them.`,
    'files-changed',
  );
}

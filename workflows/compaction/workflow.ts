import { ApplicationFailure, CancellationScope, proxyActivities, workflowInfo } from '@temporalio/workflow';
import { workName } from '../job/ids.ts';
import { jobInput } from '../job/input.ts';
import { JobProgress } from '../job/job-progress.ts';
import {
  compactionContract,
  type CompactionActivities,
  type CompactionProgress,
  type CompactionResult,
  type CompactionRun,
} from './contract.ts';
import { compactionText } from './text.ts';

/** Hive or HDFS away for some seven minutes are waited for. */
const RETRY = { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 30_000, maximumAttempts: 20 } as const;

const { planCompaction, readCompaction, compactDays, publishCompaction, discardCompaction, refreshReadings } =
  proxyActivities<CompactionActivities>({
    startToCloseTimeout: '30 days',
    heartbeatTimeout: 20_000,
    retry: RETRY,
    // What is cancelled is cleared away next, so it must have ended.
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  });

/** Each lost round is one that another compaction has won. */
const MOST_ROUNDS = 4;

/**
 * Writes the readings of committed files together, by event day and each once, and lets the views show them in one step: plans what is covered, lets
 * Hive read it, writes the days that it touches in batches, and publishes all of it at once. Views are refreshed first.
 *
 * @param given one object, see its contract; nothing counts as `{}`
 * @throws ApplicationFailure, final: `invalid-input`, `master-data-incomplete`, `views-overtaken`; whatever the activities fail with
 */
export async function compactReadings(given?: unknown): Promise<CompactionResult> {
  const input = jobInput(compactionContract, given);
  const info = workflowInfo();
  let progress: CompactionProgress = { phase: 'planning', files: 0, bytes: 0, readings: 0, daysDone: 0, days: 0 };
  const tell = (news: Partial<CompactionProgress>): void => {
    progress = { ...progress, ...news };
    shown.show();
  };
  const shown = new JobProgress(compactionText, () => progress);
  shown.show();
  try {
    // The views exist from the first night on, whether or not there is something to compact.
    await refreshReadings();
    for (let round = 1; round <= MOST_ROUNDS; round++) {
      const run: CompactionRun = { id: `${workName(info)}_${round}`, input };
      const result = await compact(run, info.startTime.getTime(), tell);
      if (result !== undefined) return result;
    }
    throw ApplicationFailure.nonRetryable(
      `Compacting readings: ${MOST_ROUNDS} times another compaction was published first. Start it again when no other runs.`,
      'views-overtaken',
    );
  } finally {
    tell({ phase: 'ended' });
  }
}

/** Undefined: another compaction was quicker. */
async function compact(
  run: CompactionRun,
  startedMs: number,
  tell: (news: Partial<CompactionProgress>) => void,
): Promise<CompactionResult | undefined> {
  let isInterrupted = true;
  try {
    tell({ phase: 'planning', daysDone: 0, days: 0 });
    const { isUpToDate, files, bytes, readings } = await planCompaction(run);
    tell({ files, bytes, readings });
    if (!isUpToDate) {
      tell({ phase: 'reading' });
      const { days, batches } = await readCompaction(run);
      tell({ phase: 'writing days', days });
      let daysDone = 0;
      for (let batch = 0; batch < batches; batch++) {
        daysDone += (await compactDays({ run, batch })).days;
        tell({ daysDone });
      }
    }
    tell({ phase: 'publishing' });
    const { result } = await publishCompaction({ run, startedMs });
    isInterrupted = false;
    return result;
  } finally {
    await CancellationScope.nonCancellable(() => discardCompaction({ run, isInterrupted }));
  }
}

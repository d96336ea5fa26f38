import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import { inLanes } from '../../grid/lanes.ts';
import { jobInput } from '../job/input.ts';
import { JobProgress } from '../job/job-progress.ts';
import {
  NOTHING_REPLAYED,
  replayContract,
  type ReplayActivities,
  type Replayed,
  type ReplayProgress,
  type ReplayResult,
  type ReplayTally,
} from './contract.ts';
import { replayText } from './text.ts';

const { selectTelemetry, replayContent } = proxyActivities<ReplayActivities>({
  startToCloseTimeout: '365 days',
  heartbeatTimeout: 20_000,
  retry: { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 30_000, maximumAttempts: 20 },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});

/** Files that are replayed at once. */
const LANES = 2;
const MOST_REASONS = 20;

/**
 * Sends the readings of legacy files into the stream, each once, however often it is asked to.
 *
 * @param given one object, see its contract; nothing counts as `{}`
 * @throws ApplicationFailure, final: `invalid-input`, `legacy-not-found`, `legacy-conflict`; whatever the activities fail with
 */
export async function replayLegacyTelemetry(given?: unknown): Promise<ReplayResult> {
  const input = jobInput(replayContract, given);
  let progress: ReplayProgress = {
    of: input.file ?? input.query?.path ?? input.class ?? '',
    phase: 'selecting',
    contentsLeft: 0,
    tally: NOTHING_REPLAYED,
  };
  const shown = new JobProgress(replayText, () => progress);
  const tell = (news: Partial<ReplayProgress>): void => {
    progress = { ...progress, ...news };
    shown.show();
  };
  shown.show();
  const queue = [...(await selectTelemetry(input))];
  const reasons = new Map<string, ReplayResult['reasons'][number]>();
  // Each lane has its share of what all together may send.
  const readingsPerSecond = Math.max(1, Math.floor(input.readingsPerSecond / Math.min(LANES, queue.length || 1)));
  let left = queue.length;
  tell({ phase: 'replaying', contentsLeft: left });
  await inLanes(
    LANES,
    () => queue.shift(),
    async (content) => {
      const replayed = await replayContent({ content, input: { ...input, readingsPerSecond } });
      addReasons(reasons, replayed);
      tell({ contentsLeft: --left, tally: sumOf(progress.tally, replayed.tally) });
    },
  );
  tell({ phase: 'ended' });
  return {
    ...progress.tally,
    dryRun: input.dryRun,
    reasons: [...reasons.values()].sort((one, other) => other.readings - one.readings).slice(0, MOST_REASONS),
    durationMs: Math.max(0, Date.now() - workflowInfo().startTime.getTime()),
  };
}

function sumOf(one: ReplayTally, other: ReplayTally): ReplayTally {
  return {
    contents: one.contents + other.contents,
    sent: one.sent + other.sent,
    sentBefore: one.sentBefore + other.sentBefore,
    rejected: one.rejected + other.rejected,
    outOfRange: one.outOfRange + other.outOfRange,
  };
}

function addReasons(reasons: Map<string, ReplayResult['reasons'][number]>, replayed: Replayed): void {
  for (const { code, readings, example } of replayed.reasons) {
    const before = reasons.get(code);
    reasons.set(code, { code, readings: readings + (before?.readings ?? 0), example: before?.example ?? example });
  }
}

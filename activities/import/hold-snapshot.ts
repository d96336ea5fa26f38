import { Context } from '@temporalio/activity';
import { setTimeout as delay } from 'node:timers/promises';
import { GridError } from '../../grid/errors.ts';
import type { ImportRun } from '../../workflows/import/activity-contract.ts';
import type { HeldSnapshot, SqlSource } from '../../grid/history/sql-source.ts';
import { endOfCancelled } from '../running/cancellation.ts';
import { closing } from './closing.ts';
import type { ImportDependencies } from './dependencies.ts';
import { withHeartbeats } from '../running/heartbeats.ts';

/** How often the server is asked whether the snapshot is still held. */
const CHECK_MS = 1_500;

/**
 * The keeper of a run's snapshot: takes one, tells the workflow, and holds it until it is cancelled. When the transaction
 * is lost it takes another and tells of that; when it cannot, it fails, and Temporal tries it again.
 *
 * Modes: `taking` → `holding` → `taking` (lost) …; from both → `released` when the workflow cancels it, which is how it
 * ends well; or it fails: `shutting-down` when the worker stops, so that another one takes a snapshot at once.
 */
export async function holdSnapshot(deps: ImportDependencies, run: ImportRun): Promise<void> {
  const { cancellationSignal: cancelled } = Context.current();
  try {
    await withHeartbeats((signal) =>
      closing(deps.openSource(run.source), async (source) => {
        for (;;) await holdOne(deps, run, source, signal);
      }),
    );
  } catch (error) {
    const isReleased = cancelled.aborted && !(endOfCancelled(cancelled) instanceof GridError);
    if (!isReleased) throw error;
  }
}

/** Holds one snapshot for as long as it lasts. */
async function holdOne(
  deps: ImportDependencies,
  run: ImportRun,
  source: SqlSource,
  signal: AbortSignal,
): Promise<void> {
  const { logger, observer } = deps;
  const held = await source.hold(signal);
  const { snapshot } = held;
  try {
    await deps.signalSnapshot(run, { snapshot });
    observer.snapshotTaken(run.source);
    logger.info({ runId: run.runId, source: run.source, snapshot }, 'a snapshot is held');
    for (;;) {
      await delay(CHECK_MS, undefined, { signal });
      await held.check(signal);
    }
  } catch (error) {
    if (!(error instanceof GridError && error.code === 'snapshot-lost')) throw error;
    observer.snapshotLost(run.source);
    logger.warn(
      { error, runId: run.runId, source: run.source, snapshot },
      'the snapshot was lost; another one is taken',
    );
  } finally {
    await released(deps, held);
  }
}

/** A transaction that cannot be ended properly ends with its connection. */
async function released({ logger }: ImportDependencies, held: HeldSnapshot): Promise<void> {
  try {
    await held.release();
  } catch (error) {
    logger.debug({ error, snapshot: held.snapshot }, 'releasing a snapshot failed');
  }
}

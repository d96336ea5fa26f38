import { Context } from '@temporalio/activity';
import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import { orLate } from '../../../runtime/waiting/time-limit.ts';
import type { SplitStretch, StretchResult } from '../../../workflows/import/activity-contract.ts';
import type { SourceSnapshot } from '../../../grid/history/sql-source.ts';
import type { StretchHeartbeat } from '../../../workflows/import/contract.ts';
import { AttemptDirectory } from './attempt-directory.ts';
import { endOfCancelled } from '../../running/cancellation.ts';
import { confirmPlan } from '../plan/confirm-plan.ts';
import type { ImportDependencies } from '../dependencies.ts';
import { RateLimit } from './rate-limit.ts';
import { SplitCopier } from './split-copier.ts';
import { StretchRecords } from './stretch-records.ts';
import { tableName } from '../table-names.ts';
import { WorkDirectory } from '../staging/work-directory.ts';
import { splitRecordSchema, type SplitRecord, type WorkPlan } from '../plan/work-plan.ts';
import { stretchStanding } from '../stretch-standing.ts';

/** How often the server is told that the attempt lives, and what it has done. */
const HEARTBEAT_MS = 1_000;
/** Time for tidying up once the activity was cancelled; what is left then goes with the work directory. */
const TIDYING_MS = 4_000;
/** Times that a split may fail its verification in a row. */
const MAX_VERIFICATION_FAILURES = 3;

/** What the next attempt needs of this one. */
const heartbeatSchema = z.object({ planId: z.string(), records: z.array(splitRecordSchema) });
type Heartbeat = z.output<typeof heartbeatSchema> &
  StretchHeartbeat & {
    /** For people who look at the pending activity. */
    readonly copying?: { readonly split: number; readonly textBytes: number };
  };

/** An attempt, once it knows what there is to do. */
interface Attempt {
  readonly work: WorkDirectory;
  readonly plan: WorkPlan;
  readonly directory: AttemptDirectory;
  readonly records: StretchRecords;
}

/**
 * Brings the splits of a stretch to one snapshot, in order. Of each split:
 * no record of it, or its file is not in `data/` – it is copied;
 * a record at this snapshot – it is done;
 * a record at another snapshot – the database computes its digest at this one: equal, the file is kept; else it is copied again.
 *
 * So it may be run any number of times, and goes on where it was stopped: records are written to `splits/` now and then, when it
 * ends and when it fails; what was not written yet is in the heartbeats. {@link AttemptDirectory} says why an attempt that
 * Temporal has given up does no harm.
 *
 * @throws GridError `fenced`, `snapshot-lost`, `table-changed`, … as the connectors do, `split-unverifiable`; one that
 * concerns a split has its number in `details.split`
 */
export async function bringSplits(deps: ImportDependencies, stretch: SplitStretch): Promise<StretchResult> {
  const { cancellationSignal: signal, info } = Context.current();
  const heart = new Heart(stretch, info.heartbeatDetails);
  let attempt: Attempt | undefined;
  try {
    attempt = await begin(deps, stretch, info.heartbeatDetails);
    heart.attempt = attempt;
    const brought = await bringAll(deps, stretch, attempt, heart, signal);
    await attempt.records.finish();
    await attempt.directory.delete();
    return resultOf(stretch, attempt.records, brought);
  } catch (error) {
    const tidying = tidyUp(deps, stretch, attempt);
    await (signal.aborted ? orLate(TIDYING_MS, tidying) : tidying);
    throw endOfCancelled(signal) ?? error;
  } finally {
    heart.stop();
  }
}

/** Sends the heartbeats of an attempt; the activity's context hears of a cancellation by them. */
class Heart {
  attempt: Attempt | undefined;
  copier: SplitCopier | undefined;
  readonly #stretch: SplitStretch;
  readonly #timer: NodeJS.Timeout;

  /** @param inherited what the attempt before told, which stays told until there is more */
  constructor(stretch: SplitStretch, inherited: unknown) {
    this.#stretch = stretch;
    const context = Context.current();
    this.#timer = setInterval(() => {
      context.heartbeat(this.#details() ?? inherited);
    }, HEARTBEAT_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #details(): Heartbeat | undefined {
    if (this.attempt === undefined) return undefined;
    const { plan, records } = this.attempt;
    const copying = this.copier?.copying;
    return {
      planId: plan.planId,
      records: [...records.pending],
      standing: stretchStanding(this.#stretch, plan.plan, records, this.copier),
      ...(copying === undefined ? {} : { copying }),
    };
  }
}

async function begin(deps: ImportDependencies, stretch: SplitStretch, heartbeatDetails: unknown): Promise<Attempt> {
  const work = new WorkDirectory(deps.hdfs, deps.options.importsDirectory, stretch.run, stretch.table);
  const plan = await planOf(work, stretch);
  // First the directory, then the look at what is there: see AttemptDirectory.
  const directory = await AttemptDirectory.open(deps.hdfs, work, stretch);
  const inherited = inheritedRecords(heartbeatDetails, plan);
  const records = await StretchRecords.open(work, plan, stretch, stretch.snapshot, inherited);
  return { work, plan, directory, records };
}

async function planOf(work: WorkDirectory, stretch: SplitStretch): Promise<WorkPlan> {
  const plan = await work.readPlan();
  if (plan === undefined) {
    throw new GridError(
      'fenced',
      `Importing ${tableName(stretch.table)}: there is no plan in ${work.root}. The work was given up; start the import again.`,
    );
  }
  if (stretch.to > plan.plan.splits.length) {
    throw new GridError(
      'table-changed',
      `Importing splits ${stretch.from} to ${stretch.to - 1} of ${tableName(stretch.table)}: its plan in ${work.root} has only ${plan.plan.splits.length}. It was planned anew meanwhile; start the import again.`,
    );
  }
  return plan;
}

function inheritedRecords(heartbeatDetails: unknown, plan: WorkPlan): readonly SplitRecord[] {
  const parsed = heartbeatSchema.safeParse(heartbeatDetails);
  return parsed.success && parsed.data.planId === plan.planId ? parsed.data.records : [];
}

function* splitsOf({ from, to, skip }: SplitStretch): Generator<number> {
  const skipped = new Set(skip);
  for (let split = from; split < to; split++) if (!skipped.has(split)) yield split;
}

interface Brought {
  readonly snapshot: SourceSnapshot;
  readonly kept: number;
}

/** Opens a reader and brings all splits; a split that fails its verification is tried again with a new reader. */
async function bringAll(
  deps: ImportDependencies,
  stretch: SplitStretch,
  attempt: Attempt,
  heart: Heart,
  signal: AbortSignal,
): Promise<Brought> {
  const { snapshot: asked, maxBytesPerSecond } = stretch;
  if (asked !== undefined && [...splitsOf(stretch)].every((split) => attempt.records.isDoneAt(split, asked))) {
    return { snapshot: asked, kept: 0 };
  }
  const limit = maxBytesPerSecond === undefined ? undefined : new RateLimit(maxBytesPerSecond);
  const failures = new Map<unknown, number>();
  let kept = 0;
  const source = deps.openSource(stretch.run.source);
  try {
    for (;;) {
      const reader = await source.read(asked, signal);
      try {
        const { work, plan, directory, records } = attempt;
        await confirmPlan(deps, { stretch, work, plan, reader, signal });
        const copier = new SplitCopier({
          ...{ deps, stretch, plan: plan.plan, reader, records, attempt: directory, limit, signal },
        });
        heart.copier = copier;
        for (const split of splitsOf(stretch)) if ((await copier.bring(split)) === 'kept') kept++;
        return { snapshot: copier.snapshot, kept };
      } catch (error) {
        if (signal.aborted || !isVerificationFailure(error)) throw error;
        deps.observer.splitFailedVerification({ source: stretch.run.source, table: stretch.table });
        deps.logger.warn({ error, table: tableName(stretch.table) }, 'a split failed its verification');
        const split = error.details?.['split'];
        const count = (failures.get(split) ?? 0) + 1;
        failures.set(split, count);
        if (count >= MAX_VERIFICATION_FAILURES) throw unverifiable(error, count);
      } finally {
        heart.copier = undefined;
        await reader.close();
      }
    }
  } finally {
    await source.close();
  }
}

function isVerificationFailure(error: unknown): error is GridError {
  return (
    error instanceof GridError &&
    (error.code === 'import-verification-failed' || error.code === 'hdfs-verification-failed')
  );
}

function unverifiable(error: GridError, count: number): GridError {
  return new GridError(
    'split-unverifiable',
    `${error.message} It failed ${count} times in a row. Look for failing memory, disks or network equipment between the database, this machine and HDFS.`,
    { cause: error, details: error.details },
  );
}

function resultOf(stretch: SplitStretch, records: StretchRecords, { snapshot, kept }: Brought): StretchResult {
  let [splits, rows, textBytes, fileBytes] = [0, 0, 0, 0];
  for (const split of splitsOf(stretch)) {
    const record = records.done(split);
    splits++;
    rows += record?.rows ?? 0;
    textBytes += record?.textBytes ?? 0;
    fileBytes += record?.fileBytes ?? 0;
  }
  return { snapshot, splits, rows, textBytes, fileBytes, kept };
}

/** Keeps what is done for the next attempt, and deletes what is half done. The error that brought us here matters more than one of these. */
async function tidyUp(deps: ImportDependencies, stretch: SplitStretch, attempt: Attempt | undefined): Promise<void> {
  if (attempt === undefined) return;
  const results = await Promise.allSettled([attempt.records.flush(), attempt.directory.delete()]);
  for (const result of results) {
    if (result.status === 'fulfilled') continue;
    const error: unknown = result.reason;
    deps.logger.warn({ error, table: tableName(stretch.table) }, 'tidying up after a stretch of splits failed');
  }
}

import { asGridError, GridError, type ErrorCode } from '../../../grid/errors.ts';
import type { SplitStretch } from '../../../workflows/import/activity-contract.ts';
import type { CopiedSplit, SnapshotReader, SourceSnapshot, TablePlan } from '../../../grid/history/sql-source.ts';
import type { AttemptDirectory } from './attempt-directory.ts';
import type { ImportDependencies, SplitOutcome } from '../dependencies.ts';
import { PartWriter } from './part-writer.ts';
import type { RateLimit } from './rate-limit.ts';
import type { StretchRecords } from './stretch-records.ts';
import { tableName } from '../table-names.ts';
import type { SplitRecord } from '../plan/work-plan.ts';

/** Errors that say nothing about the split during which they came up. */
const NOT_OF_A_SPLIT: readonly ErrorCode[] = [
  'snapshot-lost',
  'table-changed',
  'unknown-table',
  'source-denied',
  'fenced',
  'shutting-down',
];

export interface SplitCopierOptions {
  readonly deps: Pick<ImportDependencies, 'hdfs' | 'observer'>;
  readonly stretch: SplitStretch;
  readonly plan: TablePlan;
  readonly reader: SnapshotReader;
  readonly records: StretchRecords;
  readonly attempt: AttemptDirectory;
  readonly limit: RateLimit | undefined;
  readonly signal: AbortSignal;
}

/** Brings splits, one after the other, to the snapshot of one reader. */
export class SplitCopier {
  /** The snapshot that splits are brought to. */
  readonly snapshot: SourceSnapshot;
  readonly #options: SplitCopierOptions;
  #copying: { split: number; textBytes: number } | undefined;

  constructor(options: SplitCopierOptions) {
    this.#options = options;
    this.snapshot = options.stretch.snapshot ?? options.reader.snapshot;
  }

  /** The split being copied, and how far. */
  get copying(): { readonly split: number; readonly textBytes: number } | undefined {
    return this.#copying;
  }

  /** @throws GridError with `details.split`, unless it says nothing about the split */
  async bring(split: number): Promise<SplitOutcome['outcome']> {
    const { records, deps, stretch, signal } = this.#options;
    const began = performance.now();
    try {
      signal.throwIfAborted();
      let outcome: SplitOutcome['outcome'] = 'found';
      if (!records.isDoneAt(split, this.snapshot)) {
        const kept = await this.#keptOf(split);
        outcome = kept === undefined ? 'copied' : 'kept';
        await records.add(kept ?? (await this.#copy(split)));
      }
      const { rows = 0, textBytes = 0, fileBytes = 0 } = records.done(split) ?? {};
      const { table, run } = stretch;
      const seconds = (performance.now() - began) / 1000;
      deps.observer.splitDone({ source: run.source, table, outcome, rows, textBytes, fileBytes, seconds });
      return outcome;
    } catch (error) {
      throw this.#ofSplit(error, split);
    }
  }

  /** The split's record at this snapshot, if the file of another one holds the same rows. */
  async #keptOf(split: number): Promise<SplitRecord | undefined> {
    const { records, reader, plan, signal } = this.#options;
    const earlier = records.done(split);
    if (earlier === undefined) return undefined;
    const now = await reader.digest(plan, split, signal);
    if (now.rows !== earlier.rows || now.digest !== earlier.digest) return undefined;
    return { ...earlier, ...this.#moment(), verified: true };
  }

  async #copy(split: number): Promise<SplitRecord> {
    const { deps, plan, reader, stretch, attempt, records, limit, signal } = this.#options;
    const { verify } = stretch.run.input;
    const rowBytes = plan.estimatedBytes / Math.max(1, plan.estimatedRows);
    const copying = { split, textBytes: 0 };
    this.#copying = copying;
    let part: PartWriter | undefined;
    const abortPart = (): void => void part?.abort();
    signal.addEventListener('abort', abortPart, { once: true });
    try {
      const copied = await reader.copy(
        plan,
        split,
        async (chunk) => {
          signal.throwIfAborted();
          part ??= await PartWriter.create(deps.hdfs, attempt.newFile(split), rowBytes);
          await limit?.take(chunk.length, signal);
          await part.write(chunk);
          copying.textBytes += chunk.length;
        },
        { verify, signal },
      );
      this.#checkLength(split, copied, copying.textBytes);
      const record = {
        split,
        ...this.#moment(),
        rows: copied.rows,
        textBytes: copied.textBytes,
        digest: copied.digest,
        verified: verify,
      };
      if (part === undefined) {
        if (records.hasFile(split)) await attempt.clear(split);
        return { ...record, fileBytes: 0 };
      }
      const written = await part.close();
      signal.throwIfAborted();
      await attempt.putInPlace(split, written);
      return { ...record, fileBytes: written.fileBytes, fileId: written.fileId };
    } catch (error) {
      await part?.abort();
      throw error;
    } finally {
      this.#copying = undefined;
      signal.removeEventListener('abort', abortPart);
    }
  }

  #moment(): Pick<SplitRecord, 'snapshotId' | 'position' | 'takenAt'> {
    const { id, position, takenAt } = this.snapshot;
    return { snapshotId: id, position, takenAt };
  }

  #checkLength(split: number, copied: CopiedSplit, textBytes: number): void {
    if (copied.textBytes === textBytes && copied.rows > 0 === textBytes > 0) return;
    throw new GridError(
      'import-verification-failed',
      `Copying split ${split} of ${tableName(this.#options.stretch.table)}: ${copied.rows} rows of ${copied.textBytes} bytes were read, ${textBytes} bytes were given to HDFS. It is copied again.`,
    );
  }

  #ofSplit(error: unknown, split: number): unknown {
    // The end of a cancelled activity is decided elsewhere.
    if (this.#options.signal.aborted) return error;
    const known = asGridError(error, `Importing split ${split} of ${tableName(this.#options.stretch.table)}`);
    if (known.code === 'hdfs-not-found') {
      return new GridError(
        'fenced',
        `Importing split ${split} of ${tableName(this.#options.stretch.table)}: its directories were taken away. Another attempt has taken over, or the work was given up.`,
        { cause: known },
      );
    }
    if (NOT_OF_A_SPLIT.includes(known.code)) return known;
    return new GridError(known.code, known.message, { cause: known, details: { ...known.details, split } });
  }
}

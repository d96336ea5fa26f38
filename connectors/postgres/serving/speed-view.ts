import type { Aggregate } from '../../../grid/aggregate/aggregate.ts';
import { RESOLUTIONS, windowLengthMs, type Resolution } from '../../../grid/aggregate/window.ts';
import { GridError } from '../../../grid/errors.ts';
import { AGGREGATE_COLUMNS } from './aggregate-columns.ts';
import type { ServingDatabase, ServingTransaction } from './serving-database.ts';
import { speedStatements, type SpeedRow, type SpeedStatements } from './speed-statements.ts';

/** A partition of Kafka. */
export interface SpeedPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Where the windows of a partition stand. Moments are epoch milliseconds. */
export interface SpeedPosition {
  /** Everything before it is in the views. */
  readonly nextOffset: number;
  readonly segmentFirstOffset: number;
  /** See `SegmentCutter`. */
  readonly segmentNumber: number;
  /** Event time that is passed: no reading is expected to be older. */
  readonly watermarkMs: number | undefined;
  /** How many transactions have changed the partition's rows. */
  readonly changeNumber: number;
  /** Windows that end up to it are marked as final. */
  readonly finalizedUntilMs: number | undefined;
  readonly published: PublishedChanges;
}

/** Up to where revisions are in Kafka, which nobody waits for: all of changes up to a number. */
export interface PublishedChanges {
  readonly change: number;
  /** Changes behind it are of this segment or later ones … */
  readonly segment: number;
  /** … or made windows final that end behind this. */
  readonly untilMs: number | undefined;
}

/** What readings add to a window. */
export interface WindowDelta {
  readonly sensorId: string;
  readonly aspect: string;
  readonly unit: string;
  readonly resolution: Resolution;
  readonly startMs: number;
  /** Not empty. */
  readonly aggregate: Aggregate;
  /** Whether the window had been final. */
  readonly isLate: boolean;
}

/** What a transaction changed: the rows as they are now, and the position, which has the change's number. */
export interface SpeedChange {
  readonly position: SpeedPosition;
  readonly rows: readonly SpeedRow[];
}

interface PositionRow {
  readonly next_offset: number;
  readonly segment_first_offset: number;
  readonly segment_number: number;
  readonly watermark_ms: number | null;
  readonly change_number: number;
  readonly finalized_until_ms: number | null;
  readonly published_change: number;
  readonly published_segment: number;
  readonly published_until_ms: number | null;
}

/** The rows of one partition in `speed_view`, which move together with its position: whoever has another idea of that changes nothing. */
export class SpeedView {
  readonly #database: ServingDatabase;
  readonly #statements: SpeedStatements;

  constructor(database: ServingDatabase) {
    this.#database = database;
    this.#statements = speedStatements(database.schema);
  }

  /**
   * Where reading goes on, behind the boundary of the batch view in any case.
   *
   * @throws GridError `serving-database-unavailable`, `serving-database-refused`, as all others do
   */
  open(partition: SpeedPartition): Promise<SpeedPosition> {
    const of = [partition.topic, partition.partition];
    return this.#database.inTransaction(`Opening the windows of ${nameOf(partition)}`, async (transaction) => {
      await transaction.query(this.#statements.makePosition, of);
      const [row] = await transaction.query<PositionRow>(this.#statements.lockPosition, of);
      if (row === undefined) throw new GridError('defect', `There is no position of ${nameOf(partition)}.`);
      const position = positionOf(row);
      const covered = await this.boundary(partition, transaction);
      if (covered === undefined || covered < position.nextOffset) return position;
      await transaction.query(this.#statements.passBoundary, [...of, covered + 1]);
      return { ...position, nextOffset: covered + 1, segmentFirstOffset: covered + 1 };
    });
  }

  /** The last offset that the published batch view covers; undefined when it covers none. */
  async boundary(
    { topic, partition }: SpeedPartition,
    statements: Pick<ServingDatabase, 'query'> = this.#database,
  ): Promise<number | undefined> {
    const [row] = await statements.query<{ last_offset: number }>(this.#statements.boundary, [topic, partition]);
    return row?.last_offset;
  }

  /**
   * Adds to windows of the segment that `before` is in, and moves the position, in one transaction.
   *
   * @param deltas made when there is a connection for them
   * @param endsSegment whether `after.segmentFirstOffset` begins the next segment
   * @throws GridError `fenced` when the position is not `before`: another worker, or a batch view, has moved it
   */
  fold(
    partition: SpeedPartition,
    before: SpeedPosition,
    after: Omit<SpeedPosition, 'changeNumber'>,
    deltas: () => readonly WindowDelta[],
    endsSegment: boolean,
  ): Promise<SpeedChange> {
    const of = [partition.topic, partition.partition];
    return this.#change(partition, 'Adding to windows', async (transaction) => {
      const position = await this.#move(transaction, partition, before, after);
      if (endsSegment) {
        await transaction.query(this.#statements.endSegment, [...of, before.segmentFirstOffset, after.nextOffset - 1]);
      }
      const added = deltas();
      const rows =
        added.length === 0
          ? []
          : await transaction.query<SpeedRow>(this.#statements.fold, [
              ...[...of, before.segmentFirstOffset, position.changeNumber],
              ...parametersOf(added),
            ]);
      return { position, rows };
    });
  }

  /**
   * Marks windows as final whose end the watermark has passed, at most so many; `finalizedUntilMs` of the position tells whether that was all.
   *
   * @throws GridError `fenced`
   */
  finalize(partition: SpeedPartition, before: SpeedPosition, most: number): Promise<SpeedChange> {
    const { watermarkMs, finalizedUntilMs } = before;
    if (watermarkMs === undefined) return Promise.resolve({ position: before, rows: [] });
    return this.#change(partition, 'Making windows final', async (transaction) => {
      let position = await this.#move(transaction, partition, before, before);
      const rows: SpeedRow[] = [];
      for (const resolution of RESOLUTIONS) {
        const length = windowLengthMs(resolution);
        const made = await transaction.query<SpeedRow>(this.#statements.finalize, [
          ...[partition.topic, partition.partition, position.changeNumber, resolution],
          ...[finalizedUntilMs === undefined ? null : finalizedUntilMs - length, watermarkMs - length],
          most - rows.length,
        ]);
        rows.push(...made);
      }
      if (rows.length < most) {
        position = await this.#move(transaction, partition, position, { ...position, finalizedUntilMs: watermarkMs });
      }
      return { position, rows };
    });
  }

  /** Moves the position without a change of rows: the watermark, and what is published. */
  async note(partition: SpeedPartition, before: SpeedPosition, after: SpeedPosition): Promise<SpeedPosition> {
    return this.#change(partition, 'Noting the position', (transaction) =>
      this.#move(transaction, partition, before, after),
    );
  }

  /**
   * Rows that have changed since what is published, as they are now, in the order of their changes: some of the next ones, the rows of one change always
   * together.
   *
   * @param upTo the number of the last change, and the watermark as it stood with it
   */
  changedSince(
    { topic, partition }: SpeedPartition,
    published: PublishedChanges,
    upTo: { readonly change: number; readonly watermarkMs: number | undefined },
    about: number,
  ): Promise<readonly SpeedRow[]> {
    return this.#database.query<SpeedRow>(this.#statements.changed, [
      ...[topic, partition, published.change, upTo.change, published.segment],
      ...[published.untilMs ?? null, upTo.watermarkMs ?? null, about],
    ]);
  }

  /**
   * Removes rows that the published batch view covers, at most so many: those that are final, and whose last change is published.
   *
   * @returns whether there may be more
   */
  async removeCovered(partition: SpeedPartition, published: PublishedChanges, most: number): Promise<boolean> {
    const covered = await this.boundary(partition);
    if (covered === undefined) return false;
    const of = [partition.topic, partition.partition, covered];
    return this.#change(partition, 'Removing windows that the batch view covers', async (transaction) => {
      const removed = await transaction.query<{ removed: number }>(
        `WITH r AS (${this.#statements.remove} RETURNING 1) SELECT count(*)::float8 AS removed FROM r`,
        [...of, published.change, most],
      );
      if ((removed[0]?.removed ?? 0) >= most) return true;
      await transaction.query(this.#statements.removeSegments, of);
      return false;
    });
  }

  #change<T>(
    partition: SpeedPartition,
    what: string,
    work: (transaction: ServingTransaction) => Promise<T>,
  ): Promise<T> {
    return this.#database.inTransaction(`${what} of ${nameOf(partition)}`, work);
  }

  async #move(
    transaction: ServingTransaction,
    partition: SpeedPartition,
    before: SpeedPosition,
    after: Omit<SpeedPosition, 'changeNumber'>,
  ): Promise<SpeedPosition> {
    const moved = await transaction.query(this.#statements.move, [
      ...[partition.topic, partition.partition, before.nextOffset, before.changeNumber],
      ...[after.nextOffset, after.segmentFirstOffset, after.segmentNumber, after.watermarkMs ?? null],
      ...[after.finalizedUntilMs ?? null, after.published.change, after.published.segment],
      after.published.untilMs ?? null,
    ]);
    if (moved.length === 0) {
      throw new GridError(
        'fenced',
        `Moving the windows of ${nameOf(partition)} on from offset ${before.nextOffset}: another worker, or a batch view that was published, has moved them. They are opened anew.`,
      );
    }
    return { ...after, changeNumber: before.changeNumber + 1 };
  }
}

function nameOf({ topic, partition }: SpeedPartition): string {
  return `${topic}/${partition}`;
}

/** An array for each column. */
function parametersOf(deltas: readonly WindowDelta[]): unknown[] {
  return [
    deltas.map(({ sensorId }) => sensorId),
    deltas.map(({ aspect }) => aspect),
    deltas.map(({ unit }) => unit),
    deltas.map(({ resolution }) => resolution),
    deltas.map(({ startMs }) => startMs / 1_000),
    deltas.map(({ isLate }) => isLate),
    ...AGGREGATE_COLUMNS.map(({ of }) => deltas.map(({ aggregate }) => of(aggregate))),
  ];
}

function positionOf(row: PositionRow): SpeedPosition {
  return {
    nextOffset: row.next_offset,
    segmentFirstOffset: row.segment_first_offset,
    segmentNumber: row.segment_number,
    watermarkMs: row.watermark_ms ?? undefined,
    changeNumber: row.change_number,
    finalizedUntilMs: row.finalized_until_ms ?? undefined,
    published: {
      change: row.published_change,
      segment: row.published_segment,
      untilMs: row.published_until_ms ?? undefined,
    },
  };
}

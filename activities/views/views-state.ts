import type { ServingDatabase } from '../../connectors/postgres/serving/serving-database.ts';
import type { PartitionInViews } from './boundary.ts';

/** What the serving database has of the views when a build is planned. */
export interface ViewsState {
  /** The newest build; null before the first. */
  readonly newestBuild: string | null;
  readonly partitions: ReadonlyMap<number, PartitionInViews>;
}

/** Reads it in one snapshot. */
export async function readViewsState(serving: ServingDatabase, topic: string): Promise<ViewsState> {
  const { schema } = serving;
  return serving.inTransaction('Planning batch views', async (transaction) => {
    await transaction.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const [newest] = await transaction.query<{ id: string | null }>(`SELECT max(id) AS id FROM ${schema}.batch_build`);
    const boundaries = await transaction.query<{ partition: number; last_offset: string }>(
      `SELECT partition, last_offset FROM ${schema}.batch_boundary WHERE topic = $1`,
      [topic],
    );
    const positions = await transaction.query<{ partition: number; next_offset: string }>(
      `SELECT partition, next_offset FROM ${schema}.speed_position WHERE topic = $1`,
      [topic],
    );
    const segments = await transaction.query<{ partition: number; last_offset: string }>(
      `SELECT s.partition, s.last_offset FROM ${schema}.speed_segment s
       LEFT JOIN ${schema}.batch_boundary b ON b.topic = s.topic AND b.partition = s.partition
       WHERE s.topic = $1 AND s.last_offset > coalesce(b.last_offset, -1)`,
      [topic],
    );
    const partitions = new Map<number, { boundary?: number; nextOffset?: number; segmentEnds: Set<number> }>();
    const of = (partition: number) => {
      const known = partitions.get(partition) ?? { segmentEnds: new Set<number>() };
      partitions.set(partition, known);
      return known;
    };
    for (const { partition, last_offset } of boundaries) of(partition).boundary = Number(last_offset);
    for (const { partition, next_offset } of positions) of(partition).nextOffset = Number(next_offset);
    for (const { partition, last_offset } of segments) of(partition).segmentEnds.add(Number(last_offset));
    return {
      newestBuild: newest?.id ?? null,
      partitions: new Map(
        [...partitions].map(([partition, { boundary, nextOffset, segmentEnds }]) => [
          partition,
          { boundary, nextOffset, segmentEnds },
        ]),
      ),
    };
  });
}

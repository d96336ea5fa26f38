import { qualifiedName, quoteIdentifier, quoteString } from '../../../connectors/hive/hive.ts';
import { GridError } from '../../../grid/errors.ts';
import { figuresOf, type DayFigures } from '../day-figures.ts';
import type { ReadingsDependencies } from '../dependencies.ts';
import { listedFiles } from '../file-list.ts';
import { linesTableStatement, othersReadTableStatement, othersTableStatement } from '../line-statements.ts';
import { executeRepeatable } from '../repeatable.ts';
import { readOthers } from '../read-others.ts';
import { FIGURES_SQL, numberedLinesSql, numberedOthersSql, STORED_SQL, STORED_TYPES } from '../reading-statements.ts';
import type { PlannedSegment } from './plan-segment.ts';

/** What Hive has read of a segment. */
export interface ReadSegment {
  readonly otherForms: number;
  readonly unreadable: number;
  readonly days: readonly { readonly day: string; readonly figures: DayFigures }[];
}

/** Directories of a segment. */
export class SegmentDirectory {
  readonly path: string;
  /** Where the list of its files lies. */
  readonly linksDirectory: string;

  constructor(path: string, linksDirectory = `${path}/links`) {
    this.path = path;
    this.linksDirectory = linksDirectory;
  }

  /** Its readings, each line of its files one, as ORC. */
  get rowsDirectory(): string {
    return `${this.path}/rows`;
  }

  /** Lines in another than the usual form, as Hive finds them, … */
  get othersDirectory(): string {
    return `${this.path}/others`;
  }

  /** … and what they say. */
  get othersReadDirectory(): string {
    return `${this.path}/others-read`;
  }
}

/** Tables that a segment is read with; the rows stay where they are when these are dropped. */
export function segmentTables(workDatabase: string, id: string) {
  const table = (name: string): string => qualifiedName(workDatabase, `readings_${name}_${id}`);
  return {
    lines: table('lines'),
    rows: table('rows'),
    others: table('others'),
    othersRead: table('others_read'),
  } as const;
}

export function dropSegmentTables(workDatabase: string, id: string): readonly string[] {
  return Object.values(segmentTables(workDatabase, id)).map((table) => `DROP TABLE IF EXISTS ${table}`);
}

export function databaseStatement(database: string): string {
  return `CREATE DATABASE IF NOT EXISTS ${quoteIdentifier(database)}`;
}

/** See `PlannedSegment.placing`. */
const PLACING_SQL = `SUM(CRC32(CONCAT(CAST(kafka_partition AS STRING), '+', CAST(first_offset AS STRING))))`;

/** A table that owns nothing of what it is over. */
export function storedTableStatement(name: string, location: string): string {
  return `CREATE EXTERNAL TABLE ${name} (${STORED_TYPES}) STORED AS ORC LOCATION ${quoteString(location)} TBLPROPERTIES ('external.table.purge'='false', 'discover.partitions'='false')`;
}

/**
 * Lets Hive read the listed files into a table, `segmentTables().rows`, which is left for the caller. Lines of another than the canonical form are
 * read here, as the sink has read them. Begun anew by whoever tries it again.
 *
 * @throws GridError `master-data-incomplete`: there are not as many readings as the commit log says; `hdfs-verification-failed`: Hive took readings
 * for those of other files, to be tried again
 */
export async function readSegment(
  { hdfs, hive, workDatabase, topic, topicsDirectory }: ReadingsDependencies,
  {
    id,
    directory,
    planned,
  }: {
    readonly id: string;
    readonly directory: SegmentDirectory;
    readonly planned: Pick<PlannedSegment, 'records' | 'files' | 'placing'>;
  },
  signal: AbortSignal,
): Promise<ReadSegment> {
  const call = { signal };
  const tables = segmentTables(workDatabase, id);
  await hive.execute(databaseStatement(workDatabase), call);
  for (const statement of dropSegmentTables(workDatabase, id)) await hive.execute(statement, call);
  for (const path of [directory.rowsDirectory, directory.othersDirectory, directory.othersReadDirectory]) {
    await hdfs.delete(path, { recursive: true });
  }
  await hive.execute(storedTableStatement(tables.rows, directory.rowsDirectory), call);
  if (planned.files === 0) return { otherForms: 0, unreadable: 0, days: [] };
  const dialect = await hive.dialect(call);
  const files = listedFiles(hdfs, directory.linksDirectory);
  await hive.execute(await linesTableStatement(tables.lines, dialect, files), call);
  await hive.execute(othersTableStatement(tables.others, directory.othersDirectory), call);
  await executeRepeatable(
    hive,
    [
      `FROM (${numberedLinesSql(tables.lines, dialect)}) numbered`,
      `INSERT OVERWRITE TABLE ${tables.rows} SELECT ${STORED_SQL} WHERE other IS NULL`,
      `INSERT OVERWRITE TABLE ${tables.others} SELECT kafka_partition, first_offset, place, other WHERE other IS NOT NULL`,
    ].join('\n'),
    signal,
  );
  const others = await readOthers(hdfs, directory, signal);
  if (others.lines > others.unreadable) {
    await hive.execute(othersReadTableStatement(tables.othersRead, directory.othersReadDirectory), call);
    await hive.execute(
      `INSERT INTO TABLE ${tables.rows} SELECT ${STORED_SQL} FROM (${numberedOthersSql(tables.othersRead)}) numbered`,
      call,
    );
  }
  const found = await hive.rows(
    `SELECT event_day, COUNT(kafka_partition), ${PLACING_SQL}, ${FIGURES_SQL} FROM ${tables.rows} GROUP BY event_day`,
    call,
  );
  const days = found
    .map(([day, placed, placing, ...figures]) => ({
      day: day ?? '',
      placed: Number(placed),
      placing: BigInt(placing ?? 0),
      figures: figuresOf(figures),
    }))
    .sort((a, b) => (a.day < b.day ? -1 : 1));
  const rows = days.reduce((sum, { figures }) => sum + figures.readings, 0);
  const placed = days.reduce((sum, day) => sum + day.placed, 0);
  if (rows + others.unreadable !== planned.records || placed !== rows) {
    throw new GridError(
      'master-data-incomplete',
      `Reading the files of ${topicsDirectory}/${topic} into Hive: ${rows + others.unreadable} readings were found (${placed} in files with offsets in their names), and the commit log names ${planned.records}. Look for files that were removed or changed by hand: ${topicsDirectory}/${topic}/_commits tells each with its length. The tables show what they have shown before.`,
    );
  }
  // Tasks that run in one process with those of other statements have been seen to know no file, or another statement's. Of lines that cannot be read
  // nothing is known.
  const placing = days.reduce((sum, day) => sum + day.placing, 0n);
  if (others.unreadable === 0 && String(placing) !== planned.placing) {
    throw new GridError(
      'hdfs-verification-failed',
      `Reading the files of ${topicsDirectory}/${topic} into Hive: readings were taken for those of other files than they lie in. They are read again.`,
    );
  }
  return {
    otherForms: others.lines,
    unreadable: others.unreadable,
    days: days.map(({ day, figures }) => ({ day, figures })),
  };
}

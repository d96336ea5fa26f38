import {
  qualifiedName,
  quoteIdentifier,
  quoteString,
  readableName,
  type HiveClient,
} from '../../connectors/hive/hive.ts';
import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { inLanes } from '../../grid/lanes.ts';
import { hiveDatabase } from '../../grid/history/hive-name.ts';
import { SOURCE_NAMES, type SourceName } from '../../grid/history/sql-source.ts';
import { readNewestCommit } from '../import/publish/commit-log.ts';
import { claimantsOfReadings } from '../import/publish/name-claims.ts';
import { ensureView, type Ensured, type ViewDefinition } from './ensure-view.ts';
import { unlessMissing } from './metastore.ts';
import { daySql, epochMsSql, exactValueSql, READING_COLUMNS, unitSql } from './reading-columns.ts';

/** The view that shows the readings of all imported tables together. */
export const IMPORTED_READINGS = 'readings_imported';

/** Commit records read at once. */
const LANES = 4;
/** More branches than this no planner takes. */
const MOST_VIEWS = 1_000;

export interface ImportedReadingsOptions {
  readonly hdfs: HdfsClient;
  readonly hive: HiveClient;
  /** Where the view is. */
  readonly database: string;
  readonly importsDirectory: string;
  readonly hiveDatabasePrefix: string;
}

/** The view of readings over one imported table. */
export interface ReadingsView {
  readonly database: string;
  readonly name: string;
  /** Qualified name of the view over the table itself. */
  readonly sourceTable: string;
}

export interface EnsuredReadings extends Ensured {
  /** Imported tables whose readings are shown, by name. */
  readonly sources: readonly string[];
  /** Those that the commits name, but Hive does not show yet. */
  readonly missing: readonly string[];
}

interface ReadingsDefinition extends ViewDefinition {
  readonly sources: readonly string[];
  readonly missing: readonly string[];
}

/**
 * Makes the view `readings_imported`, or brings it to what is imported now: the readings of every imported table that is telemetry, with the columns
 * {@link READING_COLUMNS}. Without any it is there all the same, and empty. Nothing is written where it is as it has to be.
 *
 * Which tables there are is what the import's commits say, as far as Hive shows it: names alone would take a table that is called `x__readings` for
 * readings, and a view over one that is missing could not be made.
 *
 * @throws GridError `table-conflict`: somebody else's table or view has its name; `hdfs-…`, `hive-…`
 */
export async function ensureImportedReadings(
  options: ImportedReadingsOptions,
  signal: AbortSignal,
): Promise<EnsuredReadings> {
  const { hive, database } = options;
  const { definition, ...ensured } = await ensureView(
    hive,
    async (): Promise<ReadingsDefinition> => {
      const [shown, missing] = await shownReadings(options, signal);
      const sources = shown.map(({ sourceTable }) => sourceTable);
      return { ...importedReadingsView(database, shown), sources, missing };
    },
    { signal },
  );
  return { ...ensured, sources: definition.sources, missing: definition.missing };
}

/** Views of readings that can be queried, by name, and the names of those that are committed, but not in Hive. */
async function shownReadings(
  options: ImportedReadingsOptions,
  signal: AbortSignal,
): Promise<readonly [shown: readonly ReadingsView[], missing: readonly string[]]> {
  const shown: ReadingsView[] = [];
  const missing: string[] = [];
  for (const source of SOURCE_NAMES) {
    const committed = await committedReadings(options, source, signal);
    if (committed.length === 0) continue;
    const database = quoteIdentifier(hiveDatabase(options.hiveDatabasePrefix, source));
    const rows = await unlessMissing(() => options.hive.rows(`SHOW VIEWS IN ${database}`, { signal }));
    const known = new Set((rows ?? []).map(([name]) => name));
    for (const view of committed) {
      if (known.has(view.name) && shown.length < MOST_VIEWS) shown.push(view);
      else missing.push(readableName(view.database, view.name));
    }
  }
  return [shown, missing];
}

/** Views of readings that the newest commits of a source's tables name. */
async function committedReadings(
  { hdfs, importsDirectory, hiveDatabasePrefix }: ImportedReadingsOptions,
  source: SourceName,
  signal: AbortSignal,
): Promise<readonly ReadingsView[]> {
  const database = hiveDatabase(hiveDatabasePrefix, source);
  const tables = (await claimantsOfReadings(hdfs, importsDirectory, source)).values();
  const views: ReadingsView[] = [];
  await inLanes(
    LANES,
    () => tables.next().value,
    async (table) => {
      signal.throwIfAborted();
      const commit = await readNewestCommit(hdfs, importsDirectory, source, table);
      if (commit?.readings === undefined) return;
      views.push({ database, name: commit.readings, sourceTable: readableName(database, commit.hiveTable) });
    },
  );
  return views.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The definition of the view over some views of readings; over none it has no rows. */
export function importedReadingsView(database: string, views: readonly ReadingsView[]): ViewDefinition {
  const given = 'sensor_id, temporal_aspect, unit, modality, event_time, created_at, correlation_id';
  const rows = views.map(
    (view) =>
      `SELECT ${given}, ${quoteString(view.sourceTable)} AS source_table FROM ${qualifiedName(view.database, view.name)}`,
  );
  const nulls = given
    .split(', ')
    .map((name) => `CAST(NULL AS ${name === 'event_time' ? 'TIMESTAMP' : 'STRING'}) AS ${name}`);
  const nothing = `SELECT ${nulls.join(', ')}, CAST(NULL AS STRING) AS source_table FROM (SELECT 1 AS one) nothing WHERE one = 0`;
  const made: Readonly<Record<(typeof READING_COLUMNS)[number][0], string>> = {
    sensor_id: 'sensor_id',
    aspect: 'temporal_aspect',
    unit: unitSql(`COALESCE(unit, '')`),
    value_text: 'modality',
    value: exactValueSql('modality'),
    event_time: 'event_time',
    event_ms: epochMsSql('created_at'),
    created_at: 'created_at',
    correlation_id: 'correlation_id',
    origin: `'import'`,
    source_table: 'source_table',
    kafka_partition: 'CAST(NULL AS INT)',
    first_offset: 'CAST(NULL AS BIGINT)',
    place: 'CAST(NULL AS BIGINT)',
    event_day: daySql('event_time'),
  };
  const fields = READING_COLUMNS.map(([name]) => `${made[name]} AS ${name}`).join(', ');
  return {
    database,
    name: IMPORTED_READINGS,
    columns: READING_COLUMNS,
    about: 'Readings of all imported tables',
    select: `SELECT ${fields} FROM (${rows.length === 0 ? nothing : rows.join(' UNION ALL ')}) imported`,
  };
}

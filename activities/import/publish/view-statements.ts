/** HiveQL that shows a committed table. Pure: a commit's statements are always the same. */
import { createHash } from 'node:crypto';
import { qualifiedName, quoteIdentifier, quoteString } from '../../../connectors/hive/hive.ts';
import { GridError } from '../../../grid/errors.ts';
import {
  GENERATION_COLUMN,
  hiveColumnNames,
  hiveDatabase,
  hiveRunsDatabase,
  hiveRunsTable,
  RANK_COLUMN,
  RUN_COLUMN,
} from '../../../grid/history/hive-name.ts';
import { segmentName, type CommittedColumn, type CommittedRun, type ImportCommit } from './commit.ts';

/** Metastores keep a column's comment in 256 characters. */
const MAX_COMMENT_LENGTH = 250;

/** Property of a view: the digest of the statement that it was made by. */
export const DEFINITION_PROPERTY = 'powergrid.definition';

/** Property of the view over a table: the generation that it shows. */
export const GENERATION_PROPERTY = 'powergrid.generation';

/** A view as it has to be. */
export interface ViewDefinition {
  readonly database: string;
  readonly name: string;
  /** Stands in the view's {@link DEFINITION_PROPERTY}. */
  readonly digest: string;
  /** Makes or replaces it. */
  readonly statement: string;
}

/** A column of the view over a table. */
export interface ViewColumn extends CommittedColumn {
  readonly hiveName: string;
}

/** The columns of the view: those of the newest run. */
export function viewColumns(commit: ImportCommit): readonly ViewColumn[] {
  const newest = commit.runs.at(-1);
  const columns = newest === undefined ? [] : columnsOf(commit, newest.columns);
  const names = hiveColumnNames(columns.map(({ name }) => name));
  return columns.map((column, index) => ({ ...column, hiveName: names[index] ?? column.name }));
}

/** Databases of a source's views, and of the tables under them. */
export function databaseStatements(prefix: string, commit: ImportCommit): readonly string[] {
  const { source, database, product } = commit;
  const about = quoteString(`${database} (${product}), imported`.slice(0, MAX_COMMENT_LENGTH));
  return [hiveRunsDatabase(prefix, source), hiveDatabase(prefix, source)].map(
    (name) => `CREATE DATABASE IF NOT EXISTS ${quoteIdentifier(name)} COMMENT ${about}`,
  );
}

/** Ending of the tables whose binary columns are text, which the view decodes. */
export const ENCODED_SUFFIX = '_base64';

/**
 * Qualified name of the table that holds the runs with one list of columns. Its binary columns are declared STRING: where vectorized, or
 * in a window function, Hive reads a BINARY field of text wrong after a field with escapes (it decodes base64 that is not there,
 * or leaves it as it is). The view decodes them.
 */
export function runsTable(prefix: string, commit: ImportCommit, columns: string): string {
  const name = hiveRunsTable(commit.hiveTable, columns);
  return qualifiedName(
    hiveRunsDatabase(prefix, commit.source),
    hasBinary(commit, columns) ? name + ENCODED_SUFFIX : name,
  );
}

/** The table that earlier versions have made for the same runs, with columns of the type BINARY; undefined: it is the same one. */
export function formerRunsTable(prefix: string, commit: ImportCommit, columns: string): string | undefined {
  if (!hasBinary(commit, columns)) return undefined;
  return qualifiedName(hiveRunsDatabase(prefix, commit.source), hiveRunsTable(commit.hiveTable, columns));
}

/** The property {@link GENERATION_PROPERTY} of the commit's view: another one means that it reads other tables or another generation. */
export function shownGeneration(commit: ImportCommit): string {
  const generation = generationOf(commit);
  return commit.runs.some(({ columns }) => hasBinary(commit, columns)) ? `${generation}${ENCODED_SUFFIX}` : generation;
}

function hasBinary(commit: ImportCommit, columns: string): boolean {
  return columnsOf(commit, columns).some(isBinary);
}

function isBinary({ hiveType }: Pick<CommittedColumn, 'hiveType'>): boolean {
  return hiveType.toUpperCase() === 'BINARY';
}

/** The type of a column as it lies in the files. */
function fileType(column: Pick<CommittedColumn, 'hiveType'>): string {
  return isBinary(column) ? 'STRING' : column.hiveType;
}

/** Makes the table for the runs with one list of columns; `location` is never read, each partition has its own. */
export function runsTableStatement(prefix: string, commit: ImportCommit, columns: string, location: string): string {
  const list = columnsOf(commit, columns);
  const names = hiveColumnNames(list.map(({ name }) => name));
  const fields = list.map((column, index) => `${quoteIdentifier(names[index] ?? '')} ${fileType(column)}`);
  return [
    `CREATE EXTERNAL TABLE IF NOT EXISTS ${runsTable(prefix, commit, columns)} (${fields.join(', ')})`,
    `PARTITIONED BY (${GENERATION_COLUMN} STRING, ${RUN_COLUMN} STRING)`,
    `ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe' WITH SERDEPROPERTIES (`,
    // `\N` of NULL is known by its own, so that the text \N (escaped as \\N) is none.
    String.raw`'field.delim'='\t', 'escape.delim'='\\', 'serialization.escape.crlf'='true', 'serialization.null.format'='\\N')`,
    `STORED AS TEXTFILE LOCATION ${quoteString(location)}`,
    // Files are the import's to delete, and partitions its to name.
    `TBLPROPERTIES ('external.table.purge'='false', 'discover.partitions'='false')`,
  ].join('\n');
}

/** Adds runs, all of the same list of columns, in one step. */
export function addPartitionsStatement(
  prefix: string,
  commit: ImportCommit,
  columns: string,
  runs: readonly CommittedRun[],
): string {
  const partitions = runs.map((run) => `PARTITION (${partitionOf(run)}) LOCATION ${quoteString(run.directory)}`);
  return `ALTER TABLE ${runsTable(prefix, commit, columns)} ADD IF NOT EXISTS\n${partitions.join('\n')}`;
}

/** Takes runs, all of the same list of columns, out of the metastore; their files stay. */
export function dropPartitionsStatement(
  prefix: string,
  commit: ImportCommit,
  columns: string,
  runs: readonly CommittedRun[],
): string {
  const partitions = runs.map((run) => `PARTITION (${partitionOf(run)})`);
  return `ALTER TABLE ${runsTable(prefix, commit, columns)} DROP IF EXISTS ${partitions.join(', ')}`;
}

function partitionOf(run: CommittedRun): string {
  return `${GENERATION_COLUMN}=${quoteString(run.generation)}, ${RUN_COLUMN}=${quoteString(segmentName(run))}`;
}

/**
 * The view that is queried. It names a generation, not runs: a run that is added to it shows at once, and whole, when its
 * partition is there; a full run shows when the view is replaced. Without a merged run it is a plain SELECT, so that Hive
 * can count and read without sorting.
 */
export function tableView(prefix: string, commit: ImportCommit): ViewDefinition {
  const columns = viewColumns(commit);
  const names = columns.map(({ hiveName }) => quoteIdentifier(hiveName)).join(', ');
  const decoded = columns.map(decodedField).join(', ');
  const merged = commit.runs.some(({ mode }) => mode === 'merge');
  const lists = [...new Set(commit.runs.map((run) => run.columns))];
  const generation = generationOf(commit);
  const rows = lists
    .map((list) => {
      const fields = fieldsOf(commit, list, columns);
      const chosen = merged ? [...fields.map(aliased), RUN_COLUMN] : fields.map(decodedAndAliased);
      return `SELECT ${chosen.join(', ')} FROM ${runsTable(prefix, commit, list)} WHERE ${GENERATION_COLUMN}=${quoteString(generation)}`;
    })
    .join('\nUNION ALL\n');
  const key = columns.filter(({ name }) => commit.key.includes(name)).map(({ hiveName }) => quoteIdentifier(hiveName));
  const select = merged
    ? [
        `SELECT ${decoded} FROM (`,
        `SELECT ${names}, ROW_NUMBER() OVER (PARTITION BY ${key.join(', ')} ORDER BY ${RUN_COLUMN} DESC) AS ${RANK_COLUMN}`,
        `FROM (\n${rows}\n) all_runs`,
        `) ranked WHERE ${RANK_COLUMN} = 1`,
      ].join('\n')
    : rows;
  const heads = columns.map((column) => `${quoteIdentifier(column.hiveName)} COMMENT ${commentOn(column)}`);
  const about = `Rows of ${commit.table.schema}.${commit.table.name}, imported from ${commit.database}`;
  const properties = { [GENERATION_PROPERTY]: shownGeneration(commit) };
  return definition(hiveDatabase(prefix, commit.source), commit.hiveTable, {
    columns: heads,
    about,
    select,
    properties,
  });
}

/** What all runs of a commit share. */
export function generationOf(commit: Pick<ImportCommit, 'runs'>): string {
  return commit.runs[0]?.generation ?? '';
}

/** Completes a view's statement; its digest is over all of it that says what the view is. */
export function definition(
  database: string,
  name: string,
  view: {
    readonly columns: readonly string[];
    readonly about: string;
    readonly select: string;
    readonly properties?: Readonly<Record<string, string>>;
  },
): ViewDefinition {
  const columns = view.columns.join(', ');
  const digest = createHash('sha256').update(`${columns}\n${view.select}`).digest('hex');
  const properties = Object.entries({ ...view.properties, [DEFINITION_PROPERTY]: digest });
  const statement = [
    `CREATE OR REPLACE VIEW ${qualifiedName(database, name)} (${columns})`,
    `COMMENT ${quoteString(view.about.slice(0, MAX_COMMENT_LENGTH))}`,
    `TBLPROPERTIES (${properties.map(([property, value]) => `${quoteString(property)}=${quoteString(value)}`).join(', ')})`,
    `AS ${view.select}`,
  ].join('\n');
  return { database, name, digest, statement };
}

/** A column of the view, and the expression that gives it, not yet decoded, of the runs with one list of columns. */
interface ViewField {
  readonly column: ViewColumn;
  readonly expression: string;
}

/** Fields of the runs with one list of columns as the view's: by name, NULL for a column that came later. */
function fieldsOf(commit: ImportCommit, list: string, columns: readonly ViewColumn[]): ViewField[] {
  const own = columnsOf(commit, list);
  const names = hiveColumnNames(own.map(({ name }) => name));
  return columns.map((column) => {
    const ownName = names[own.findIndex(({ name }) => name === column.name)];
    const expression = ownName === undefined ? `CAST(NULL AS ${fileType(column)})` : quoteIdentifier(ownName);
    return { column, expression };
  });
}

function aliased({ column, expression }: ViewField): string {
  const alias = quoteIdentifier(column.hiveName);
  return expression === alias ? alias : `${expression} AS ${alias}`;
}

function decodedAndAliased({ column, expression }: ViewField): string {
  return aliased({ column, expression: isBinary(column) ? `UNBASE64(${expression})` : expression });
}

/** A column of what {@link aliased} fields give. */
function decodedField(column: ViewColumn): string {
  return decodedAndAliased({ column, expression: quoteIdentifier(column.hiveName) });
}

function commentOn({ name, hiveName, sourceType }: ViewColumn): string {
  const text = name === hiveName ? sourceType : `${name} ${sourceType}`;
  return quoteString(text.slice(0, MAX_COMMENT_LENGTH));
}

/** Columns of a list that the commit names. */
export function columnsOf(
  commit: Pick<ImportCommit, 'columnLists' | 'table'>,
  list: string,
): readonly CommittedColumn[] {
  const columns = commit.columnLists[list];
  if (columns !== undefined) return columns;
  throw new GridError(
    'commit-log-corrupt',
    `Publishing ${commit.table.schema}.${commit.table.name}: the commit record lacks the list of columns ${list}. Move its _commits away to import the table as if for the first time.`,
  );
}

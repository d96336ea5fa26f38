import { qualifiedName, readableName, type HiveCallOptions, type HiveClient } from '../../connectors/hive/hive.ts';
import { GridError } from '../../grid/errors.ts';

export interface Column {
  readonly name: string;
  /** As Hive writes it: `decimal(38,18)`. */
  readonly type: string;
}

/** A table or view as the metastore has it. */
export interface FoundTable {
  /** `EXTERNAL_TABLE`, `MANAGED_TABLE`, `VIRTUAL_VIEW`, … */
  readonly kind: string;
  /** Without those of partitions. */
  readonly columns: readonly Column[];
  readonly partitionColumns: readonly Column[];
  /** `hdfs://namenode:9000/…`; empty for a view. */
  readonly location: string;
  readonly inputFormat: string;
  readonly serde: string;
  readonly serdeProperties: ReadonlyMap<string, string>;
  readonly properties: ReadonlyMap<string, string>;
  /** What was given after AS; empty for a table. */
  readonly viewText: string;
}

export interface TableName {
  readonly database: string;
  readonly name: string;
}

export const EXTERNAL = 'EXTERNAL_TABLE';
export const VIEW = 'VIRTUAL_VIEW';

/** Undefined: there is no table or view of this name, or not even its database. */
export async function describeTable(
  hive: HiveClient,
  { database, name }: TableName,
  call: HiveCallOptions,
): Promise<FoundTable | undefined> {
  const rows = await unlessMissing(() => hive.rows(`DESCRIBE FORMATTED ${qualifiedName(database, name)}`, call));
  return rows && parseDescription(rows);
}

/** Where the files of a partition lie, and how they are read. Undefined: there is no such partition. */
export async function describePartition(
  hive: HiveClient,
  { database, name }: TableName,
  partition: string,
  call: HiveCallOptions,
): Promise<Pick<FoundTable, 'location' | 'serdeProperties'> | undefined> {
  const sql = `DESCRIBE FORMATTED ${qualifiedName(database, name)} PARTITION (${partition})`;
  const rows = await unlessMissing(() => hive.rows(sql, call));
  return rows && parseDescription(rows);
}

/** Makes the database, unless it is there. */
export async function ensureDatabase(hive: HiveClient, database: string, call: HiveCallOptions): Promise<void> {
  // Asked first: an embedded metastore makes databases slowly, and one at a time.
  if ((await hive.rows(`SHOW DATABASES LIKE '${database}'`, call)).length > 0) return;
  await hive.execute(`CREATE DATABASE IF NOT EXISTS \`${database}\` COMMENT 'Tables over what lies in HDFS'`, call);
}

/** What `call` gives, or undefined when Hive does not know the table or database. */
export async function unlessMissing<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof GridError && error.code === 'hive-not-found';
}

/** A table is there that is not as it has to be, and that nobody but its owner may change. */
export function tableConflict(attempt: string, { database, name }: TableName, problem: string): GridError {
  const table = readableName(database, name);
  return new GridError('table-conflict', `${attempt} ${table}: ${problem}`);
}

/** Reads the rows of DESCRIBE FORMATTED: columns, then sections with headings, whose lines are a name, a value, or an indented property. */
export function parseDescription(rows: readonly (readonly (string | null)[])[]): FoundTable {
  const columns: Column[] = [];
  const partitionColumns: Column[] = [];
  const details = new Map<string, string>();
  const properties = new Map<string, string>();
  const serdeProperties = new Map<string, string>();
  let section: 'columns' | 'partition' | 'details' | 'properties' | 'serde' | 'other' = 'columns';
  for (const [first, second, third] of rows) {
    const name = (first ?? '').trim();
    const value = (second ?? '').trimEnd();
    if (name === '# col_name') continue;
    if (name.startsWith('# ')) {
      if (name === '# Partition Information') section = 'partition';
      else section = /^# (?:Detailed|Storage|View)\b/.test(name) ? 'details' : 'other';
    } else if (name === 'Table Parameters:' || name === 'Partition Parameters:') section = 'properties';
    else if (name === 'Storage Desc Params:') section = 'serde';
    else if (name !== '' && section === 'columns') columns.push({ name, type: value });
    else if (name !== '' && section === 'partition') partitionColumns.push({ name, type: value });
    else if (name.endsWith(':')) details.set(name.slice(0, -1), value);
    else if (name === '' && value !== '' && section === 'properties')
      properties.set(unescaped(value), propertyValue(third));
    else if (name === '' && value !== '' && section === 'serde') serdeProperties.set(value, propertyValue(third));
  }
  return {
    kind: details.get('Table Type') ?? '',
    columns,
    partitionColumns,
    location: details.get('Location') ?? '',
    inputFormat: details.get('InputFormat') ?? '',
    serde: details.get('SerDe Library') ?? '',
    serdeProperties,
    properties,
    viewText: details.get('Original Query') ?? '',
  };
}

function propertyValue(text: string | null | undefined): string {
  return unescaped((text ?? '').trimEnd());
}

const ESCAPED: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['b', '\b'],
  ['f', '\f'],
]);

/** Hive writes properties as Java would in a literal. */
function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|([^]))/g, (_, unit: string | undefined, character: string | undefined) =>
    unit === undefined
      ? (ESCAPED.get(character ?? '') ?? character ?? '')
      : String.fromCharCode(Number.parseInt(unit, 16)),
  );
}

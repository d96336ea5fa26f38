/** What a table over files has to be, the HiveQL that makes it so, and what there is to do where it is not. Pure. */
import { qualifiedName, quoteIdentifier, quoteString } from '../../connectors/hive/hive.ts';
import type { GridError } from '../../grid/errors.ts';
import { EXTERNAL, tableConflict, type Column, type FoundTable, type TableName } from './metastore.ts';

/** How the files of a table are read; all are text. */
export interface TableFormat {
  readonly serdeProperties: Readonly<Record<string, string>>;
}

/** The directories of a table that shows several: each is a partition, whose value is its path. */
export interface DirectoryPartitions {
  readonly column: string;
  /** All that the table has to show; kept in its properties. */
  readonly directories: readonly string[];
  /** Of these, what is there. */
  readonly present: readonly string[];
}

export interface TableDefinition extends TableName {
  readonly about: string;
  /** New ones come last. */
  readonly columns: readonly (Column & { readonly comment: string })[];
  readonly format: TableFormat;
  /** An HDFS path. */
  readonly location: string;
  readonly partitions?: DirectoryPartitions;
}

export interface FoundPartition {
  readonly directory: string;
  readonly location: string;
  readonly serdeProperties: ReadonlyMap<string, string>;
}

/** A statement that brings a table nearer to its definition. */
export interface Step {
  readonly outcome: 'created' | 'evolved' | 'mended';
  readonly statement: string;
  readonly columnsAdded?: readonly string[];
  /** Absent where the outcome says it all. */
  readonly note?: string;
}

/** Property of what this job has made: the table's name. */
export const TABLE_PROPERTY = 'powergrid.table';
/** Property of a table with partitions: the directories that it has to show, as JSON. */
export const DIRECTORIES_PROPERTY = 'powergrid.directories';

const SERDE = 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe';
const INPUT_FORMAT = 'org.apache.hadoop.mapred.TextInputFormat';
/** Files are not Hive's to delete, and partitions not its to find. */
const FIXED_PROPERTIES = { 'external.table.purge': 'false', 'discover.partitions': 'false' } as const;

export function createStatement(definition: TableDefinition): string {
  const { columns, partitions, format, location, about } = definition;
  const fields = columns.map(({ name, type, comment }) => fieldOf(name, type, comment));
  return [
    `CREATE EXTERNAL TABLE IF NOT EXISTS ${nameOf(definition)} (${fields.join(', ')}) COMMENT ${quoteString(about)}`,
    ...(partitions === undefined ? [] : [`PARTITIONED BY (${quoteIdentifier(partitions.column)} STRING)`]),
    `ROW FORMAT SERDE '${SERDE}' WITH SERDEPROPERTIES (${propertiesOf(format.serdeProperties)})`,
    `STORED AS TEXTFILE LOCATION ${quoteString(location)}`,
    `TBLPROPERTIES (${propertiesOf(wantedProperties(definition))})`,
  ].join('\n');
}

/**
 * What is to be done so that a table is as its definition says; nothing where it is.
 *
 * @param found undefined: there is no table of this name
 * @throws GridError `table-conflict`: it is somebody else's table, or one that cannot become this one without being read otherwise than before
 */
export function stepsTo(
  definition: TableDefinition,
  found: FoundTable | undefined,
  partitions: readonly FoundPartition[],
): readonly Step[] {
  if (found === undefined) {
    return [
      { outcome: 'created', statement: createStatement(definition) },
      ...partitionSteps(definition, undefined, []),
    ];
  }
  refuseForeign(definition, found);
  return [
    ...columnSteps(definition, found),
    ...formatSteps(definition, found),
    ...locationSteps(definition, found),
    ...propertySteps(definition, found),
    ...partitionSteps(definition, found, partitions),
  ];
}

/** Directories that a table was last told to show. */
export function recordedDirectories(found: FoundTable | undefined): readonly string[] | undefined {
  const text = found?.properties.get(DIRECTORIES_PROPERTY);
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (!Array.isArray(parsed)) return undefined;
    const directories = parsed.filter((one) => typeof one === 'string');
    return directories.length > 0 && directories.length === parsed.length ? directories : undefined;
  } catch {
    return undefined;
  }
}

/** The directory that a line of SHOW PARTITIONS names. */
export function directoryOf(partition: string, { column }: Pick<DirectoryPartitions, 'column'>): string {
  const value = partition.startsWith(`${column}=`) ? partition.slice(column.length + 1) : partition;
  return value.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** `directory='/texts'`. */
export function partitionOf({ column }: Pick<DirectoryPartitions, 'column'>, directory: string): string {
  return `${quoteIdentifier(column)}=${quoteString(directory)}`;
}

/** Whether a location that Hive tells is the HDFS path. */
export function isAt(location: string, path: string): boolean {
  return location.replace(/^hdfs:\/\/[^/]*/, '').replace(/(?<=.)\/$/, '') === path;
}

function refuseForeign(definition: TableDefinition, { kind, properties }: FoundTable): void {
  const way = 'Drop or rename it, or set another HIVE_DATABASE.';
  if (kind !== EXTERNAL) {
    const what = kind === 'VIRTUAL_VIEW' ? 'a view' : kind === 'MANAGED_TABLE' ? 'a managed table' : `a ${kind}`;
    throw tableConflict('Making the table', definition, `there is ${what} of this name, which stays as it is. ${way}`);
  }
  if (!properties.has(TABLE_PROPERTY)) {
    const problem = `there is a table of this name that somebody else has made, and it stays as it is. ${way}`;
    throw tableConflict('Making the table', definition, problem);
  }
}

function changeConflict(definition: TableDefinition, { properties }: FoundTable, problem: string): GridError {
  const isPurged = properties.get('external.table.purge')?.toLowerCase() === 'true';
  const remedy = isPurged
    ? 'Set its property external.table.purge to false, since its files would go with it; then drop it'
    : 'Drop it (its files stay)';
  return tableConflict(
    'Changing the table',
    definition,
    `${problem}, so its files would be read otherwise than before; it stays as it is. ${remedy}, and it is made anew.`,
  );
}

function columnSteps(definition: TableDefinition, found: FoundTable): Step[] {
  const refuse = (problem: string): never => {
    throw changeConflict(definition, found, problem);
  };
  const added: TableDefinition['columns'][number][] = [];
  for (const [at, wanted] of definition.columns.entries()) {
    const there = found.columns[at];
    if (there === undefined) {
      added.push(wanted);
      continue;
    }
    if (there.name !== wanted.name) {
      const elsewhere = found.columns.findIndex(({ name }) => name === wanted.name);
      refuse(
        elsewhere === -1
          ? `the column ${wanted.name} ${wanted.type} is missing, and in its place stands ${there.name} ${there.type}`
          : `the column ${wanted.name} ${wanted.type} has moved to place ${elsewhere + 1}, and in its place ${at + 1} stands ${there.name} ${there.type}`,
      );
    }
    if (there.type !== wanted.type) {
      refuse(`the column ${wanted.name} is of the type ${there.type}, and has to be ${wanted.type}`);
    }
  }
  const partitionColumns = found.partitionColumns.map(({ name, type }) => `${name} ${type}`).join(', ');
  const wantedPartitions = definition.partitions === undefined ? '' : `${definition.partitions.column} string`;
  if (partitionColumns !== wantedPartitions) {
    refuse(`it is partitioned by (${partitionColumns}), and has to be by (${wantedPartitions})`);
  }
  if (added.length === 0) return [];
  const fields = added.map(({ name, type, comment }) => fieldOf(name, type, comment)).join(', ');
  // Partitions that are there have lists of columns of their own.
  const cascade = definition.partitions === undefined ? '' : ' CASCADE';
  return [
    {
      outcome: 'evolved',
      statement: `ALTER TABLE ${nameOf(definition)} ADD COLUMNS (${fields})${cascade}`,
      columnsAdded: added.map(({ name }) => name),
    },
  ];
}

function formatSteps(definition: TableDefinition, found: FoundTable): Step[] {
  const { serde, inputFormat, serdeProperties } = found;
  if (serde !== SERDE || inputFormat !== INPUT_FORMAT) {
    throw changeConflict(
      definition,
      found,
      `it is read by ${serde} and ${inputFormat}, and has to be by ${SERDE} and ${INPUT_FORMAT}`,
    );
  }
  if (hasFormat(definition, serdeProperties)) return [];
  return [
    {
      outcome: 'mended',
      statement: `ALTER TABLE ${nameOf(definition)} SET SERDEPROPERTIES (${propertiesOf(definition.format.serdeProperties)})`,
      note: 'how its fields are told apart had been altered by hand, and is put back',
    },
  ];
}

function hasFormat({ format }: TableDefinition, found: ReadonlyMap<string, string>): boolean {
  return Object.entries(format.serdeProperties).every(([name, value]) => found.get(name) === value);
}

function locationSteps(definition: TableDefinition, { location }: FoundTable): Step[] {
  if (isAt(location, definition.location)) return [];
  return [
    {
      outcome: 'mended',
      statement: `ALTER TABLE ${nameOf(definition)} SET LOCATION ${quoteString(definition.location)}`,
      note: `it showed ${location} in place of ${definition.location}, which it shows again`,
    },
  ];
}

function propertySteps(definition: TableDefinition, { properties }: FoundTable): Step[] {
  const wanted = Object.entries(wantedProperties(definition));
  const different = wanted.filter(([name, value]) => properties.get(name) !== value);
  if (different.length === 0) return [];
  const statement = `ALTER TABLE ${nameOf(definition)} SET TBLPROPERTIES (${propertiesOf(Object.fromEntries(different))})`;
  const isByHand = different.some(([name]) => Object.hasOwn(FIXED_PROPERTIES, name));
  return isByHand
    ? [
        {
          outcome: 'mended',
          statement,
          note: 'that dropping it keeps its files had been altered by hand, and is put back',
        },
      ]
    : [{ outcome: 'evolved', statement, note: 'it is told other directories to show' }];
}

function partitionSteps(
  definition: TableDefinition,
  found: FoundTable | undefined,
  partitions: readonly FoundPartition[],
): Step[] {
  const wanted = definition.partitions;
  if (wanted === undefined) return [];
  const former = new Set(recordedDirectories(found));
  const there = new Map(partitions.map((partition) => [partition.directory, partition]));
  const add = (directory: string): string =>
    `ALTER TABLE ${nameOf(definition)} ADD IF NOT EXISTS PARTITION (${partitionOf(wanted, directory)}) LOCATION ${quoteString(directory)}`;
  const drop = (directory: string): string =>
    `ALTER TABLE ${nameOf(definition)} DROP IF EXISTS PARTITION (${partitionOf(wanted, directory)})`;
  const steps: Step[] = [];
  for (const directory of wanted.present) {
    const partition = there.get(directory);
    if (partition === undefined) {
      const isByHand = former.has(directory);
      const note = isByHand ? `${directory} was missing in what it shows, and is shown again` : `${directory} is shown`;
      const outcome = found === undefined ? 'created' : isByHand ? 'mended' : 'evolved';
      steps.push({ outcome, statement: add(directory), ...(found === undefined ? {} : { note }) });
    } else if (!isAt(partition.location, directory) || !hasFormat(definition, partition.serdeProperties)) {
      const note = `the partition of ${directory} had been altered by hand (it lay at ${partition.location}), and is put back`;
      steps.push({ outcome: 'mended', statement: drop(directory), note });
      steps.push({ outcome: 'mended', statement: add(directory) });
    }
  }
  for (const { directory } of partitions) {
    if (wanted.present.includes(directory)) continue;
    const isGone = wanted.directories.includes(directory);
    const isByHand = !isGone && !former.has(directory);
    const note = isGone
      ? `${directory} is not there any more; it is shown again when it is back`
      : `${directory} is not shown any more${isByHand ? '; it had been added by hand' : ''}`;
    steps.push({ outcome: isGone || isByHand ? 'mended' : 'evolved', statement: drop(directory), note });
  }
  return steps;
}

function wantedProperties({ name, partitions }: TableDefinition): Readonly<Record<string, string>> {
  return {
    ...FIXED_PROPERTIES,
    [TABLE_PROPERTY]: name,
    ...(partitions === undefined ? {} : { [DIRECTORIES_PROPERTY]: asciiJson(partitions.directories) }),
  };
}

/** A metastore's columns may hold no more than ASCII. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function propertiesOf(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${quoteString(name)}=${quoteString(value)}`)
    .join(', ');
}

function fieldOf(name: string, type: string, comment: string): string {
  return `${quoteIdentifier(name)} ${type} COMMENT ${quoteString(comment)}`;
}

function nameOf({ database, name }: TableName): string {
  return qualifiedName(database, name);
}

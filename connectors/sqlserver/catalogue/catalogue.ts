import { createHash } from 'node:crypto';
import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import type { TableId, TableOrigin } from '../../../grid/history/sql-source.ts';
import type { Session } from '../session/session.ts';
import { literal, tableReference } from '../sql-text.ts';
import { originOf } from './origin.ts';
import type { Row } from '../session/wire-row.ts';
import { nameOfTable } from '../../../grid/history/table-name.ts';

/** A column as the catalogue describes it. */
export interface CatalogueColumn {
  readonly name: string;
  /** Its number in the table, which no other column gets when it is dropped. */
  readonly number: string;
  /** The built-in type below any alias: `decimal`; of a CLR type its own name: `geography`. */
  readonly type: string;
  /** Bytes; -1 for `(max)`. */
  readonly maxLength: number;
  readonly precision: number;
  readonly scale: number;
  readonly collation: string | null;
  readonly nullable: boolean;
  readonly computed: boolean;
  readonly columnSet: boolean;
  /** A CLR type that is not one of SQL Server's own. */
  readonly userClrType: boolean;
  /** Always Encrypted: the server does not know its values. */
  readonly encrypted: boolean;
  /** Masked for the user that reads. */
  readonly masked: boolean;
  /** Computed anew at each reading, with a result that may differ. */
  readonly changing: boolean;
}

export interface KeyColumn {
  readonly name: string;
  readonly descending: boolean;
}

export interface TableIndex {
  readonly primary: boolean;
  readonly unique: boolean;
  readonly clustered: boolean;
  readonly columns: readonly KeyColumn[];
}

export interface TableDescription {
  readonly table: TableId;
  readonly identity: string;
  readonly origin: TableOrigin;
  readonly columns: readonly CatalogueColumn[];
  readonly indexes: readonly TableIndex[];
  readonly estimatedRows: number;
  readonly estimatedBytes: number;
}

const text = z.string();
const flag = z.string().transform((value) => value === '1');
const wholeNumber = z
  .string()
  .regex(/^-?\d{1,19}$/)
  .transform(Number);

const columnRow = z
  .tuple([
    text,
    text.nullable(),
    text,
    wholeNumber,
    wholeNumber,
    wholeNumber,
    text.nullable(),
    flag,
    flag,
    flag,
    flag,
    flag,
    text,
  ])
  .transform(
    ([
      name,
      base,
      own,
      maxLength,
      precision,
      scale,
      collation,
      nullable,
      computed,
      columnSet,
      clr,
      userDefined,
      number,
    ]) => ({
      name,
      number,
      type: clr || base === null ? own : base,
      maxLength,
      precision,
      scale,
      collation,
      nullable,
      computed,
      columnSet,
      userClrType: clr && userDefined,
    }),
  );
const indexRow = z.tuple([wholeNumber, flag, flag, wholeNumber, flag, text]);
const secrecyRow = z.tuple([text, flag, flag, flag]);

/** Rows of the catalogue, checked once, here. */
export function catalogueRows<T>(schema: z.ZodType<T>, rows: readonly Row[], what: string): T[] {
  const parsed = z.array(schema).safeParse(rows);
  if (parsed.success) return parsed.data;
  throw new GridError(
    'unsupported-server',
    `Reading ${what} from SQL Server's catalogue: ${z.prettifyError(parsed.error).slice(0, 300)}. The server answers unlike SQL Server 2016 and later.`,
  );
}

const CLUSTERED = 1;
const ON = (expression: string): string => `CONVERT(varchar(1), CONVERT(int, ${expression}))`;

/** Statements, for a table whose object id is known. All values come back as text. */
export const TABLES = `SELECT CONVERT(nvarchar(128), s.name), CONVERT(nvarchar(128), t.name)
FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id WHERE t.is_ms_shipped = 0`;

export const READABLE_TABLES = `SELECT CONVERT(nvarchar(128), s.name), CONVERT(nvarchar(128), t.name),
CONVERT(varchar(5), HAS_PERMS_BY_NAME(QUOTENAME(s.name) + N'.' + QUOTENAME(t.name), N'OBJECT', N'SELECT'))
FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id WHERE t.is_ms_shipped = 0`;

const tableStatement = (table: TableId): string =>
  `SELECT CONVERT(nvarchar(128), s.name), CONVERT(nvarchar(128), t.name), CONVERT(varchar(20), t.object_id), CONVERT(varchar(30), t.create_date, 121)
FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id
WHERE s.name = ${literal(table.schema)} AND t.name = ${literal(table.name)}`;

const columnsStatement = (objectId: string): string =>
  `SELECT CONVERT(nvarchar(128), c.name), CONVERT(nvarchar(128), b.name), CONVERT(nvarchar(128), u.name),
CONVERT(varchar(10), c.max_length), CONVERT(varchar(10), c.precision), CONVERT(varchar(10), c.scale), CONVERT(nvarchar(128), c.collation_name),
${ON('c.is_nullable')}, ${ON('c.is_computed')}, ${ON('c.is_column_set')}, ${ON('u.is_assembly_type')}, ${ON('u.is_user_defined')}, CONVERT(varchar(10), c.column_id)
FROM sys.columns AS c JOIN sys.types AS u ON u.user_type_id = c.user_type_id
LEFT JOIN sys.types AS b ON b.user_type_id = c.system_type_id
WHERE c.object_id = ${objectId} ORDER BY c.column_id`;

/** What older and other servers may not know of a column. */
const secrecyStatement = (objectId: string, table: TableId): string =>
  `SELECT CONVERT(nvarchar(128), c.name),
CASE WHEN c.encryption_type IS NULL THEN '0' ELSE '1' END,
CASE WHEN c.is_masked = 1 AND ISNULL(HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), N'DATABASE', N'UNMASK'), 0) = 0
AND ISNULL(HAS_PERMS_BY_NAME(${literal(tableReference(table))}, N'OBJECT', N'UNMASK'), 0) = 0 THEN '1' ELSE '0' END,
CASE WHEN c.is_computed = 1 AND COLUMNPROPERTY(c.object_id, c.name, 'IsDeterministic') = 0 THEN '1' ELSE '0' END
FROM sys.columns AS c WHERE c.object_id = ${objectId}`;

/** B-tree indexes without a filter: only those order all rows. */
const indexesStatement = (objectId: string): string =>
  `SELECT CONVERT(varchar(10), i.index_id), ${ON('i.is_primary_key')}, ${ON('i.is_unique')}, CONVERT(varchar(5), i.type), ${ON('k.is_descending_key')}, CONVERT(nvarchar(128), c.name)
FROM sys.indexes AS i
JOIN sys.index_columns AS k ON k.object_id = i.object_id AND k.index_id = i.index_id
JOIN sys.columns AS c ON c.object_id = k.object_id AND c.column_id = k.column_id
WHERE i.object_id = ${objectId} AND i.type IN (1, 2) AND i.has_filter = 0 AND i.is_disabled = 0 AND k.key_ordinal > 0
ORDER BY i.index_id, k.key_ordinal`;

const partitionsStatement = (objectId: string): string =>
  `SELECT CONVERT(varchar(20), p.rows), CONVERT(varchar(20), p.partition_number), CONVERT(varchar(20), p.hobt_id)
FROM sys.partitions AS p WHERE p.object_id = ${objectId} AND p.index_id IN (0, 1) ORDER BY p.partition_number`;

const pagesStatement = (objectId: string): string =>
  `SELECT CONVERT(varchar(20), SUM(a.used_pages)) FROM sys.partitions AS p
JOIN sys.allocation_units AS a ON a.container_id = p.partition_id
WHERE p.object_id = ${objectId} AND p.index_id IN (0, 1)`;

const PAGE_BYTES = 8_192;

/**
 * What a server's catalogue tells beside what all tell. It is found out before any transaction, since a server may end the
 * transaction in which it was asked for something that it does not know.
 */
export interface CatalogueAbilities {
  readonly secrecy: boolean;
  readonly partitions: boolean;
  readonly pages: boolean;
}

/** Statements that a server without the ability does not take; on no table. */
export const CATALOGUE_PROBES: Readonly<Record<keyof CatalogueAbilities, string>> = {
  secrecy: secrecyStatement('0', { schema: 'dbo', name: 'none' }),
  partitions: partitionsStatement('0'),
  pages: pagesStatement('0'),
};

/** The way in which this version asks for values; plans of another way are no plans any more. */
const PLAN_VERSION = 2;

/**
 * Describes a table.
 *
 * @throws GridError `unknown-table`
 */
export async function describeTable(
  session: Session,
  table: TableId,
  abilities: CatalogueAbilities,
  signal: AbortSignal,
): Promise<TableDescription> {
  const attempt = `Reading the description of ${nameOfTable(table)} from SQL Server`;
  const found = catalogueRows(
    z.tuple([text, text, z.string().regex(/^-?\d+$/), text]),
    await session.query(tableStatement(table), attempt, signal),
    'a table',
  ).find(([schema, name]) => schema === table.schema && name === table.name);
  if (found === undefined) {
    throw new GridError(
      'unknown-table',
      `${attempt}: there is no such table, or the user may not see it. Check its name, its case included, and the right to read it.`,
    );
  }
  const [, , objectId, createdAt] = found;
  const plain = catalogueRows(columnRow, await session.query(columnsStatement(objectId), attempt, signal), 'columns');
  const asked = async <T>(isKnown: boolean, schema: z.ZodType<T>, statement: string): Promise<T[]> =>
    isKnown ? catalogueRows(schema, await session.query(statement, attempt, signal), 'details') : [];
  const secrecy = new Map(
    (await asked(abilities.secrecy, secrecyRow, secrecyStatement(objectId, table))).map(([name, ...rest]) => [
      name,
      rest,
    ]),
  );
  const columns = plain.map((column): CatalogueColumn => {
    const [encrypted = false, masked = false, changing = false] = secrecy.get(column.name) ?? [];
    return { ...column, encrypted, masked, changing };
  });
  const indexes = indexesFrom(
    catalogueRows(indexRow, await session.query(indexesStatement(objectId), attempt, signal), 'indexes'),
  );
  const number = wholeNumber.nullable();
  const partitionRow = z.tuple([number, text, text]);
  const partitions = await asked(abilities.partitions, partitionRow, partitionsStatement(objectId));
  const [pages] = await asked(abilities.pages, z.tuple([number]), pagesStatement(objectId));
  const shape = createHash('sha256')
    .update(JSON.stringify([columns, indexes.filter(({ primary }) => primary)]))
    .digest('hex');
  const origin = originOf(
    `${objectId}/${createdAt}`,
    partitions.map(([, number, heap]) => `${number}:${heap}`),
    columns,
  );
  const stored = createHash('sha256').update(JSON.stringify(origin.parts)).digest('hex');
  return {
    table,
    identity: `${PLAN_VERSION}/${origin.table}/${stored.slice(0, 32)}/${shape.slice(0, 32)}`,
    origin,
    columns,
    indexes,
    estimatedRows: partitions.reduce((sum, [rows]) => sum + Math.max(0, rows ?? 0), 0),
    estimatedBytes: Math.max(0, pages?.[0] ?? 0) * PAGE_BYTES,
  };
}

function indexesFrom(rows: readonly z.output<typeof indexRow>[]): TableIndex[] {
  const byId = new Map<number, TableIndex & { readonly columns: KeyColumn[] }>();
  for (const [id, primary, unique, type, descending, name] of rows) {
    const index = byId.get(id) ?? { primary, unique, clustered: type === CLUSTERED, columns: [] };
    index.columns.push({ name, descending });
    byId.set(id, index);
  }
  return [...byId.values()];
}

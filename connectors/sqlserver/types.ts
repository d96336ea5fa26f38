import type { ColumnRemark, ImportColumn, OnUnsupported } from '../../grid/history/sql-source.ts';
import type { CatalogueColumn } from './catalogue.ts';
import { columnReference } from './sql-text.ts';
import {
  dateText,
  datetime2Text,
  datetimeText,
  decimalText,
  floatText,
  isoWithOffset,
  moneyText,
  smalldatetimeText,
  timeText,
  variantText,
  xmlText,
} from './text-expressions.ts';

/** What a server can do that types depend on. */
export interface TypeAbilities {
  /** Types whose values the server does not send as they are stored, each with what gave it away. */
  readonly inexact: ReadonlyMap<string, string>;
  /** Money's decimals are kept only by way of decimal(19,4). */
  readonly moneyByDecimal?: boolean;
}

/** How a column's value comes from the server. */
type Mapping =
  | { readonly kind: 'kept'; readonly hiveType: string; readonly value: string }
  /** Not kept as a type of its own; `value` is the text that can be kept of it, where there is any. */
  | { readonly kind: 'unsupported'; readonly reason: string; readonly value?: string };

/** How a field is made of the value that comes, and what stands for it in the row's hash. */
export type FieldKind =
  /** As they are stored. */
  | 'integer'
  | 'boolean'
  | 'guid'
  | 'binary'
  /** Text that needs no escapes, as the server writes the value. */
  | 'plain'
  /** Any text. */
  | 'text';

/** What kind a column is of, by its types alone. */
export function fieldKind({ hiveType, sourceType: type }: Pick<ImportColumn, 'hiveType' | 'sourceType'>): FieldKind {
  switch (hiveType) {
    case 'BINARY':
      return 'binary';
    case 'BOOLEAN':
      return 'boolean';
    case 'SMALLINT':
    case 'INT':
    case 'BIGINT':
      return 'integer';
    case 'STRING':
      if (type === 'uniqueidentifier') return 'guid';
      return /^(?:time|datetimeoffset)\(/.test(type) ? 'plain' : 'text';
    default:
      return 'plain';
  }
}

/** The catalogue's own way to write a column's type: `decimal(38,10)`, `nvarchar(max)`, `datetime2(7)`. */
export function sourceType(column: CatalogueColumn): string {
  const { type, maxLength, precision, scale } = column;
  switch (type) {
    case 'decimal':
    case 'numeric':
      return `${type}(${precision},${scale})`;
    case 'char':
    case 'varchar':
    case 'binary':
    case 'varbinary':
      return `${type}(${maxLength < 0 ? 'max' : maxLength})`;
    case 'nchar':
    case 'nvarchar':
      return `${type}(${maxLength < 0 ? 'max' : maxLength / 2})`;
    case 'time':
    case 'datetime2':
    case 'datetimeoffset':
      return `${type}(${scale})`;
    case 'timestamp':
      // Its other name says what it is; it has nothing to do with time.
      return 'rowversion';
    default:
      return type;
  }
}

const kept = (hiveType: string, value: string): Mapping => ({ kind: 'kept', hiveType, value });

function mapping(column: CatalogueColumn, abilities: TypeAbilities): Mapping {
  const value = columnReference(column.name);
  if (column.encrypted)
    return { kind: 'unsupported', reason: 'it is encrypted (Always Encrypted) and the server has no key to it' };
  if (column.masked) {
    return { kind: 'unsupported', reason: 'its values are masked for this user; grant UNMASK, or leave it out' };
  }
  if (column.changing) {
    return {
      kind: 'unsupported',
      reason: 'it is computed anew at each reading with a result that may differ, so it is no data',
    };
  }
  if (column.userClrType) {
    return {
      kind: 'unsupported',
      reason: 'it is a CLR type of this database, whose text need not say all that the value holds',
      value: `CONVERT(nvarchar(max), ${value}.ToString())`,
    };
  }
  const inexact = abilities.inexact.get(column.type);
  if (inexact !== undefined) {
    const reason = `this server does not send ${column.type} as it is stored (${inexact})`;
    const text = roughText(column.type, value);
    return { kind: 'unsupported', reason, ...(text === undefined ? {} : { value: text }) };
  }
  switch (column.type) {
    case 'bit':
      return kept('BOOLEAN', value);
    case 'tinyint':
    case 'smallint':
      // tinyint is 0 to 255: more than Hive's TINYINT holds.
      return kept('SMALLINT', value);
    case 'int':
      return kept('INT', value);
    case 'bigint':
      return kept('BIGINT', value);
    case 'decimal':
    case 'numeric':
      return kept(`DECIMAL(${column.precision},${column.scale})`, decimalText(value));
    case 'money':
      return kept('DECIMAL(19,4)', moneyText(value, abilities.moneyByDecimal));
    case 'smallmoney':
      return kept('DECIMAL(10,4)', moneyText(value, abilities.moneyByDecimal));
    case 'float':
      return kept('DOUBLE', floatText(value));
    case 'real':
      return kept('FLOAT', floatText(value));
    case 'date':
      return kept('DATE', dateText(value));
    case 'datetime':
      return kept('TIMESTAMP', datetimeText(value));
    case 'smalldatetime':
      return kept('TIMESTAMP', smalldatetimeText(value));
    case 'datetime2':
      return kept('TIMESTAMP', datetime2Text(value));
    case 'time':
      return kept('STRING', timeText(value));
    case 'datetimeoffset':
      return kept('STRING', isoWithOffset(value));
    case 'char':
    case 'varchar':
      return kept('STRING', `CONVERT(${unicodeType(column)}, ${value})`);
    case 'nchar':
    case 'nvarchar':
      return kept('STRING', value);
    case 'text':
    case 'ntext':
    case 'json':
      return kept('STRING', `CONVERT(nvarchar(max), ${value})`);
    case 'xml':
      return kept('STRING', xmlText(value));
    case 'uniqueidentifier':
      return kept('STRING', value);
    case 'binary':
    case 'varbinary':
      return kept('BINARY', value);
    case 'timestamp':
      return kept('BINARY', `CONVERT(binary(8), ${value})`);
    case 'image':
    case 'geometry':
    case 'geography':
      return kept('BINARY', `CONVERT(varbinary(max), ${value})`);
    case 'hierarchyid':
      return kept('STRING', `CONVERT(nvarchar(max), ${value}.ToString())`);
    case 'sql_variant':
      return kept('STRING', variantText(value));
    case 'vector':
      return {
        kind: 'unsupported',
        reason: 'its text has 8 significant digits where 9 are needed to tell all values apart',
        value: `CONVERT(nvarchar(max), ${value})`,
      };
    default:
      return { kind: 'unsupported', reason: 'its type is not known' };
  }
}

/** What can be kept of a value that the server does not write exactly; undefined where that is no text. */
function roughText(type: string, value: string): string | undefined {
  switch (type) {
    case 'float':
    case 'real':
    case 'money':
    case 'smallmoney':
      return `CONVERT(nvarchar(32), ${value}, 2)`;
    case 'decimal':
    case 'numeric':
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
      return `CONVERT(nvarchar(41), ${value})`;
    case 'date':
    case 'datetime':
    case 'smalldatetime':
    case 'datetime2':
    case 'time':
    case 'datetimeoffset':
      return `CONVERT(nvarchar(34), ${value}, 121)`;
    default:
      return undefined;
  }
}

/** Unicode of a column of a code page. */
function unicodeType({ maxLength }: CatalogueColumn): string {
  return maxLength < 0 || maxLength > 4_000 ? 'nvarchar(max)' : `nvarchar(${maxLength})`;
}

/** Columns as they are imported, with what is said of those that are not imported as their own type. */
export interface MappedColumns {
  readonly columns: readonly ImportColumn[];
  readonly remarks: readonly ColumnRemark[];
}

/** Decides what becomes of each column. Columns that are refused are in the remarks only: the caller refuses the table. */
export function mapColumns(
  columns: readonly CatalogueColumn[],
  onUnsupported: OnUnsupported,
  abilities: TypeAbilities,
): MappedColumns {
  const imported: ImportColumn[] = [];
  const remarks: ColumnRemark[] = [];
  for (const column of columns) {
    const type = sourceType(column);
    const remark = (reason: string, done: ColumnRemark['done']): void => {
      remarks.push({ column: column.name, sourceType: type, reason, done });
    };
    if (column.columnSet) {
      remark('it repeats the sparse columns, which are imported themselves', 'left out');
      continue;
    }
    const mapped = mapping(column, abilities);
    if (mapped.kind === 'kept') {
      imported.push({
        name: column.name,
        sourceType: type,
        hiveType: mapped.hiveType,
        expression: mapped.value,
      });
    } else if (onUnsupported === 'skip') {
      remark(mapped.reason, 'left out');
    } else if (onUnsupported === 'text' && mapped.value !== undefined) {
      remark(mapped.reason, 'kept as text');
      imported.push({ name: column.name, sourceType: type, hiveType: 'STRING', expression: mapped.value });
    } else {
      remark(mapped.reason, 'refused');
    }
  }
  return { columns: imported, remarks };
}

/** Whether only `(max)` holds the column's values. */
export function isLargeField({ sourceType: type, expression }: ImportColumn): boolean {
  return expression.includes('(max)') || type.endsWith('(max)');
}

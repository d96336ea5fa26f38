import type { ColumnRemark, ImportColumn, OnUnsupported } from '../../grid/history/sql-source.ts';
import type { CatalogueColumn } from './catalogue.ts';
import { columnReference } from './sql-text.ts';
import { hiveEscaped, variantText } from './text-expressions.ts';

/** What a server can do that types depend on. */
export interface TypeAbilities {
  /** `CONVERT(varchar, <float>, 3)` gives all 17 digits (SQL Server 2016 and later). */
  readonly exactFloats: boolean;
}

/** How a column's value becomes the text of a Hive field. */
type Mapping =
  | { readonly kind: 'kept'; readonly hiveType: string; readonly text: string }
  /** Not kept as a type of its own; `text` is what can be kept of it, where that is anything. */
  | { readonly kind: 'unsupported'; readonly reason: string; readonly text?: string };

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

const kept = (hiveType: string, text: string): Mapping => ({ kind: 'kept', hiveType, text });

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
      text: hiveEscaped(`CONVERT(nvarchar(max), ${value}.ToString())`),
    };
  }
  switch (column.type) {
    case 'bit':
      return kept('BOOLEAN', `CASE WHEN ${value} = 1 THEN 'true' WHEN ${value} = 0 THEN 'false' END`);
    case 'tinyint':
    case 'smallint':
      // tinyint is 0 to 255: more than Hive's TINYINT holds.
      return kept('SMALLINT', `CONVERT(varchar(6), ${value})`);
    case 'int':
      return kept('INT', `CONVERT(varchar(11), ${value})`);
    case 'bigint':
      return kept('BIGINT', `CONVERT(varchar(20), ${value})`);
    case 'decimal':
    case 'numeric':
      return kept(`DECIMAL(${column.precision},${column.scale})`, `CONVERT(varchar(41), ${value})`);
    case 'money':
      // The default style keeps two of its four decimal places; style 2 keeps all.
      return kept('DECIMAL(19,4)', `CONVERT(varchar(22), ${value}, 2)`);
    case 'smallmoney':
      return kept('DECIMAL(10,4)', `CONVERT(varchar(13), ${value}, 2)`);
    case 'float':
    case 'real':
      if (!abilities.exactFloats) {
        return {
          kind: 'unsupported',
          reason: 'this server cannot write all digits of a floating-point number (CONVERT style 3 is missing)',
          text: `CONVERT(varchar(32), ${value}, 2)`,
        };
      }
      return kept(column.type === 'float' ? 'DOUBLE' : 'FLOAT', `CONVERT(varchar(32), ${value}, 3)`);
    case 'date':
      return kept('DATE', `CONVERT(varchar(10), ${value}, 23)`);
    case 'datetime':
      return kept('TIMESTAMP', `CONVERT(varchar(23), ${value}, 121)`);
    case 'smalldatetime':
      return kept('TIMESTAMP', `CONVERT(varchar(19), ${value}, 120)`);
    case 'datetime2':
      return kept('TIMESTAMP', `CONVERT(varchar(27), ${value}, 121)`);
    case 'time':
      return kept('STRING', `CONVERT(varchar(16), ${value}, 121)`);
    case 'datetimeoffset':
      return kept('STRING', isoWithOffset(value));
    case 'char':
    case 'varchar':
    case 'nchar':
    case 'nvarchar':
      return kept('STRING', hiveEscaped(`CONVERT(${unicodeType(column)}, ${value})`));
    case 'text':
    case 'ntext':
    case 'json':
      return kept('STRING', hiveEscaped(`CONVERT(nvarchar(max), ${value})`));
    case 'xml':
      return kept('STRING', hiveEscaped(`CONVERT(nvarchar(max), ${value}, 1)`));
    case 'uniqueidentifier':
      return kept('STRING', `CONVERT(varchar(36), ${value})`);
    case 'binary':
    case 'varbinary': {
      const large = column.maxLength < 0 || column.maxLength * 2 > 4_000;
      return kept(
        'BINARY',
        `CONVERT(${large ? 'nvarchar(max)' : `varchar(${column.maxLength * 2 + 2})`}, ${value}, 2)`,
      );
    }
    case 'timestamp':
      return kept('BINARY', `CONVERT(varchar(18), CONVERT(binary(8), ${value}), 2)`);
    case 'image':
    case 'geometry':
    case 'geography':
      return kept('BINARY', `CONVERT(nvarchar(max), CONVERT(varbinary(max), ${value}), 2)`);
    case 'hierarchyid':
      return kept('STRING', hiveEscaped(`CONVERT(nvarchar(max), ${value}.ToString())`));
    case 'sql_variant':
      return kept('STRING', hiveEscaped(variantText(value, abilities.exactFloats)));
    case 'vector':
      return {
        kind: 'unsupported',
        reason: 'its text has 8 significant digits where 9 are needed to tell all values apart',
        text: hiveEscaped(`CONVERT(nvarchar(max), ${value})`),
      };
    default:
      return { kind: 'unsupported', reason: 'its type is not known' };
  }
}

/** `2024-02-29T23:59:59.1234567+05:30` of a datetimeoffset: as precise as the column, with its own offset. */
export function isoWithOffset(value: string): string {
  const spaced = `CONVERT(varchar(34), ${value}, 121)`;
  return `STUFF(REPLACE(REPLACE(${spaced}, ' +', '+'), ' -', '-'), 11, 1, 'T')`;
}

/** Unicode of a character column. Escapes can double the length, and beyond 4,000 characters only `(max)` is not cut. */
function unicodeType({ type, maxLength }: CatalogueColumn): string {
  const characters = type.startsWith('n') ? maxLength / 2 : maxLength;
  return maxLength < 0 || characters > 2_000 ? 'nvarchar(max)' : `nvarchar(${characters})`;
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
        expression: neverNull(mapped.text),
      });
    } else if (onUnsupported === 'skip') {
      remark(mapped.reason, 'left out');
    } else if (onUnsupported === 'text' && mapped.text !== undefined) {
      remark(mapped.reason, 'kept as text');
      imported.push({ name: column.name, sourceType: type, hiveType: 'STRING', expression: neverNull(mapped.text) });
    } else {
      remark(mapped.reason, 'refused');
    }
  }
  return { columns: imported, remarks };
}

/** Every text above is at least two characters wide, so that ISNULL, which takes the type of its first argument, keeps `\N` whole. */
function neverNull(text: string): string {
  return `ISNULL(${text}, '\\N')`;
}

/** Most characters that a field can have; undefined where only `(max)` holds it. */
export function fieldCharacters({ sourceType: type, expression }: ImportColumn): number | undefined {
  if (expression.includes('(max)')) return undefined;
  const length = Number(/^n?(?:var)?(?:char|binary)\((\d+)\)$/.exec(type)?.[1] ?? 0);
  // Escapes double a text at most, and so does hexadecimal.
  return length > 0 ? Math.max(2, length * 2) : 41;
}

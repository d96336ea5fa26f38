import type { CatalogueColumn } from '../catalogue/catalogue.ts';
import { sourceType } from './types.ts';
import { literal } from '../sql-text.ts';

/**
 * How a value of an ordered type is written as text and made a value again, both by the database. A boundary need not come
 * back as the very value it was read from: both neighbours of a boundary use the same expression, so no row lies in two
 * splits or in none, whatever it rounds to.
 */
export interface OrderedType {
  /** The type to convert to, with a collation where it has one: `varchar(20) COLLATE Latin1_General_CI_AS`. */
  readonly declaration: string;
  /** CONVERT style of both directions; undefined where none is needed. */
  readonly style?: number;
}

/** Undefined for types that have no order, or none that can be written as text. */
export function orderedType(column: CatalogueColumn): OrderedType | undefined {
  const declaration = sourceType(column);
  switch (column.type) {
    case 'bit':
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'decimal':
    case 'numeric':
    case 'uniqueidentifier':
      return { declaration };
    case 'money':
    case 'smallmoney':
      return { declaration, style: 2 };
    case 'float':
    case 'real':
      return { declaration, style: 3 };
    case 'date':
    case 'datetime':
    case 'smalldatetime':
    case 'datetime2':
    case 'time':
    case 'datetimeoffset':
      return { declaration, style: 121 };
    case 'binary':
    case 'varbinary':
      return column.maxLength < 0 ? undefined : { declaration, style: 1 };
    case 'timestamp':
      return { declaration: 'binary(8)', style: 1 };
    case 'char':
    case 'varchar':
    case 'nchar':
    case 'nvarchar':
      if (column.maxLength < 0) return undefined;
      return { declaration: `${declaration}${collationClause(column.collation)}` };
    default:
      return undefined;
  }
}

/** The text of a column's value. */
export function orderedText(value: string, type: OrderedType): string {
  // A rowversion can be written only as the binary that it is.
  const plain = type.declaration === 'binary(8)' ? `CONVERT(binary(8), ${value})` : value;
  return `CONVERT(nvarchar(4000), ${plain}${style(type)})`;
}

/** The value of such a text. */
export function orderedValue(text: string, type: OrderedType): string {
  const [declaration = '', collation] = type.declaration.split(' COLLATE ');
  // The code page that a varchar is made in is that of the collation which the text carries.
  const source = collation === undefined ? literal(text) : `${literal(text)} COLLATE ${collation}`;
  return `CONVERT(${declaration}, ${source}${style(type)})`;
}

const style = (type: OrderedType): string => (type.style === undefined ? '' : `, ${type.style}`);

function collationClause(collation: string | null): string {
  return collation !== null && /^\w+$/.test(collation) ? ` COLLATE ${collation}` : '';
}

import { looksLikeTime } from './times.ts';

export type CellType =
  | 'empty'
  | 'integer'
  | 'decimal'
  /** A decimal comma. */
  | 'decimal-comma'
  | 'time'
  | 'word'
  | 'text';

const INTEGER = /^[+-]?\d{1,30}$/;
const DECIMAL =
  /^[+-]?(?:\d{1,30}\.\d{0,30}|\.\d{1,30}|\d{1,3}(?:,\d{3}){1,8}(?:\.\d{1,30})?)(?:[eE][+-]?\d{1,3})?$|^[+-]?\d{1,30}[eE][+-]?\d{1,3}$/;
const DECIMAL_COMMA =
  /^[+-]?(?:\d{1,30},\d{0,30}|,\d{1,30}|\d{1,3}(?:\.\d{3}){1,8}(?:,\d{1,30})?|\d{1,3}(?:[  ']\d{3}){1,8}(?:,\d{1,30})?)(?:[eE][+-]?\d{1,3})?$/;
/** What stands for a missing value. */
const MISSING = /^(?:|-{1,3}|nan|na|n\/a|null|none|\\n|#n\/a|#nv|\?|bad|inf|-inf)$/i;
const WORD = /^[\p{L}\p{N}_.:/#@+%°&*²³µ()[\]-]{1,64}$/u;
const LONGEST = 80;

/** What a cell holds, by its form alone. */
export function cellType(cell: string): CellType {
  const trimmed = cell.trim();
  if (trimmed.length > LONGEST) return 'text';
  if (MISSING.test(trimmed)) return 'empty';
  if (INTEGER.test(trimmed)) return 'integer';
  if (DECIMAL.test(trimmed)) return 'decimal';
  if (DECIMAL_COMMA.test(trimmed)) return 'decimal-comma';
  if (looksLikeTime(trimmed)) return 'time';
  return WORD.test(trimmed) ? 'word' : 'text';
}

export const isNumeric = (type: CellType): boolean =>
  type === 'integer' || type === 'decimal' || type === 'decimal-comma';

const PLAIN = /^-?(?:0|[1-9]\d{0,29})(?:\.\d{1,30})?$/;

/**
 * A number as JSON writes it, with the same digits; undefined: it is none.
 *
 * @param decimal what stands before the fraction; the other one may group thousands
 */
export function jsonNumber(cell: string, decimal: '.' | ','): string | undefined {
  const trimmed = cell.trim();
  if (decimal === '.' && PLAIN.test(trimmed)) return trimmed;
  const plain =
    decimal === ','
      ? trimmed.replace(/[.  '](?=\d{3}(?:\D|$))/g, '').replace(',', '.')
      : trimmed.replace(/,(?=\d{3}(?:\D|$))/g, '');
  const match = /^([+-]?)(\d{0,30})(?:\.(\d{0,30}))?([eE][+-]?\d{1,3})?$/.exec(plain);
  if (match === null) return undefined;
  const [, sign = '', integer = '', fraction = '', exponent = ''] = match;
  if (integer === '' && fraction === '') return undefined;
  const whole = integer.replace(/^0+(?=\d)/, '') || '0';
  return `${sign === '-' ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}${exponent}`;
}

import { literal, quoted } from '../sql-text.ts';

/** A column's type as the catalogue has it; of a domain, the type below it. */
export interface ColumnType {
  /** Schema of the type. */
  readonly schema: string;
  readonly name: string;
  /** `pg_type.typtype`: b(ase), c(omposite), e(num), r(ange), m(ultirange). */
  readonly kind: string;
  readonly isArray: boolean;
  /** `atttypmod`, -1 for none. */
  readonly modifier: number;
}

/** What Hive's type cannot hold of the column's values. */
export interface Unkeepable {
  /** SQL condition that holds for such a value, not for NULL. */
  readonly test: (column: string) => string;
  /** Values, in the order of the type, between which everything can be kept; absent: all of that side can. */
  readonly lowest?: string;
  /** Beyond the last that can be kept. */
  readonly beyond: string;
  readonly reason: string;
}

/** How a column reads in Hive. */
export interface ColumnForm {
  readonly hiveType: string;
  /** SQL that gives the text of a value that is not NULL, escapes not yet done. */
  readonly text: (column: string) => string;
  /**
   * A value whose type's output function gives the same text, with the name of its type: `concat_ws` then needs no text made
   * in between. Absent when there is none.
   */
  readonly output?: { readonly of: (column: string) => string; readonly type: string };
  /** Whether the text may contain what has to be escaped: backslash, TAB, LF, CR. */
  readonly escape: boolean;
  readonly unkeepable?: Unkeepable;
}

/** A text of the error that a value raises which was none when the table was planned. */
export const OUT_OF_RANGE = 'cannot be kept as its Hive type:';

const asText = (column: string): string => `${column}::text`;
/** By the type's output function, where a cast to text does something else. */
const asOutput = (column: string): string => `concat(${column})`;
const itself = (column: string): string => column;
const plain = (hiveType: string): ColumnForm => ({ hiveType, text: asText, escape: false });
const number = (type: string, hiveType: string): ColumnForm => ({ ...plain(hiveType), output: { of: itself, type } });

const DATE_RANGE = {
  lowest: '0001-01-01',
  beyond: '10000-01-01',
};
const outside =
  (type: string) =>
  (column: string): string =>
    `(${column} < '${DATE_RANGE.lowest}'::${type} OR ${column} >= '${DATE_RANGE.beyond}'::${type})`;
const moment = (type: string, hiveType: string, output = { of: itself, type }): ColumnForm => ({
  hiveType,
  text: (column) => asText(output.of(column)),
  output,
  escape: false,
  unkeepable: {
    test: outside(type),
    lowest: `'${DATE_RANGE.lowest}'::${type}`,
    beyond: `'${DATE_RANGE.beyond}'::${type}`,
    reason: `infinity, a year before 1 or after 9999, which Hive's ${hiveType} cannot hold`,
  },
});

/** Types of pg_catalog that are more to Hive than text. */
const TYPED: ReadonlyMap<string, ColumnForm> = new Map(
  Object.entries<ColumnForm>({
    // Its output is `t`, its text `true`.
    bool: plain('BOOLEAN'),
    int2: number('int2', 'SMALLINT'),
    int4: number('int4', 'INT'),
    int8: number('int8', 'BIGINT'),
    oid: number('oid', 'BIGINT'),
    float4: number('float4', 'FLOAT'),
    float8: number('float8', 'DOUBLE'),
    date: moment('date', 'DATE'),
    timestamp: moment('timestamp', 'TIMESTAMP'),
    timestamptz: moment('timestamptz', 'TIMESTAMP', {
      of: (column) => `timezone('UTC', ${column})`,
      type: 'timestamp',
    }),
    // Lines of 76 characters are the encoding's habit, not the value's.
    bytea: {
      hiveType: 'BINARY',
      text: (column) => `translate(encode(${column}, 'base64'), E'\\n', '')`,
      escape: false,
    },
  }),
);

/** Types of pg_catalog whose text never needs escapes. */
const SAFE_TEXT = new Set([
  ...['numeric', 'time', 'timetz', 'interval', 'uuid', 'inet', 'cidr', 'macaddr', 'macaddr8', 'bit', 'varbit'],
  ...['point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle', 'pg_lsn', 'xid', 'xid8', 'cid', 'tid'],
  ...['int4range', 'int8range', 'numrange', 'tsrange', 'tstzrange', 'daterange', 'txid_snapshot', 'pg_snapshot'],
]);

/** Types of pg_catalog whose cast to text is not their output: CHAR(n) loses its padding, addresses get a mask, … */
const NOT_BY_CAST = new Set(['bpchar', 'char', 'name', 'inet', 'cidr', 'xml']);

/** Largest precision of Hive's DECIMAL. */
const MAX_PRECISION = 38;

/**
 * The Hive type and text of a PostgreSQL type. What has no counterpart is kept as the text that PostgreSQL gives it.
 *
 * @param moneyDigits fraction digits of the type `money`, which depend on the server's `lc_monetary`.
 */
export function columnForm(type: ColumnType, moneyDigits: number): ColumnForm {
  if (type.schema === 'pg_catalog' && type.kind === 'b' && !type.isArray) {
    const typed = TYPED.get(type.name);
    if (typed !== undefined) return typed;
    if (type.name === 'numeric') return numericForm(type.modifier);
    if (type.name === 'money') {
      return { hiveType: `DECIMAL(19,${moneyDigits})`, text: (column) => `${column}::numeric::text`, escape: false };
    }
  }
  return textForm(type);
}

/** Whether a value is its text, so that it can be compared as it is. */
export function isPlainText({ schema, name, kind, isArray }: ColumnType): boolean {
  return schema === 'pg_catalog' && kind === 'b' && !isArray && (name === 'text' || name === 'varchar');
}

/** A column that is kept as text though its type has a counterpart. */
export function textForm(type: ColumnType): ColumnForm {
  const builtIn = type.schema === 'pg_catalog';
  const byCast = type.kind !== 'b' || type.isArray || (builtIn && !NOT_BY_CAST.has(type.name));
  const isMoment = builtIn && ['date', 'timestamp', 'timestamptz'].includes(type.name);
  return {
    hiveType: 'STRING',
    text: byCast ? asText : asOutput,
    escape: !(builtIn && !type.isArray && (SAFE_TEXT.has(type.name) || isMoment)),
  };
}

/** `numeric(p,s)`: the modifier is ((p << 16) | s) + 4, s of 11 bits with sign (PostgreSQL's `numeric.c`). */
function numericForm(modifier: number): ColumnForm {
  if (modifier < 4) return plain('STRING');
  const precision = ((modifier - 4) >> 16) & 0xffff;
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
  if (precision > MAX_PRECISION || scale < 0 || scale > precision) return plain('STRING');
  return {
    hiveType: `DECIMAL(${precision},${scale})`,
    text: asText,
    output: { of: itself, type: 'numeric' },
    escape: false,
    unkeepable: {
      test: (column) => `${column} = 'NaN'::numeric`,
      // In PostgreSQL's order NaN is the greatest.
      beyond: `'NaN'::numeric`,
      reason: `NaN, which Hive's DECIMAL cannot hold`,
    },
  };
}

export interface Field {
  /** Whether the column cannot be NULL. */
  readonly neverNull: boolean;
  /** Texts that most of its values are, and that need no escapes. */
  readonly frequent: readonly string[];
  /** Whether all values are known to be kept by the Hive type. */
  readonly proven: boolean;
}

/**
 * SQL that gives a column's field in Hive's text format as `concat_ws` writes it, never NULL. Unless all are `proven`, a value
 * that came after the table was planned, and that its Hive type cannot hold, raises an error with {@link OUT_OF_RANGE} in it
 * instead of turning to NULL in Hive.
 */
export function fieldExpression(name: string, form: ColumnForm, { neverNull, frequent, proven }: Field): string {
  const column = `r.${quoted(name)}`;
  const text = form.escape ? unlessFrequent(form.text(column), frequent) : form.text(column);
  const raise = `(${literal(`${name} ${OUT_OF_RANGE} `)} || ${column}::text)::int4::text`;
  if (neverNull) {
    const { of, type } = form.output ?? { of: () => text, type: 'text' };
    if (form.unkeepable === undefined || proven) return of(column);
    return `CASE WHEN ${form.unkeepable.test(column)} THEN ${raise}::${type} ELSE ${of(column)} END`;
  }
  if (form.unkeepable !== undefined && !proven) {
    return `CASE WHEN ${column} IS NULL THEN '\\N' WHEN ${form.unkeepable.test(column)} THEN ${raise} ELSE ${text} END`;
  }
  // concat() takes NULL for an empty text; it is used for base types only, whose IS NULL means what it says.
  if (form.text === asOutput) return `CASE WHEN ${column} IS NULL THEN '\\N' ELSE ${text} END`;
  return `coalesce(${text}, '\\N')`;
}

function unlessFrequent(text: string, frequent: readonly string[]): string {
  if (frequent.length === 0) return escaped(text);
  return `CASE WHEN ${text} COLLATE "C" IN (${frequent.map(literal).join(', ')}) THEN ${text} ELSE ${escaped(text)} END`;
}

/**
 * Hive's escapes. The collation is the cheapest one, and one under which replace() is allowed whatever the column's is.
 * Four calls of replace() cost less than any test whether they are needed: regular expression, LIKE, translate().
 */
export function escaped(text: string): string {
  const steps = [
    [`'\\'`, `'\\\\'`],
    [`E'\\t'`, `E'\\\\\\t'`],
    [`E'\\n'`, `'\\n'`],
    [`E'\\r'`, `'\\r'`],
  ] as const;
  return steps.reduce((inner, [from, to]) => `replace(${inner}, ${from}, ${to})`, `(${text}) COLLATE "C"`);
}

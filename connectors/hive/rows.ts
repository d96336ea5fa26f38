import { z } from 'zod';

/** A 64-bit integer as the driver has it; its own number is lossy, its bytes are not. */
const int64 = z.custom<{ readonly buffer: Buffer; readonly offset: number }>(
  (value) => typeof value === 'object' && value !== null && 'buffer' in value && value.buffer instanceof Buffer,
);

/** NaN and the infinities too. */
const double = z.custom<number>((value) => typeof value === 'number');

const column = <T extends z.ZodType>(value: T) =>
  z.object({ values: z.array(value), nulls: z.custom<Uint8Array | string>().nullish() }).nullish();

const rowSet = z.object({
  columns: z
    .array(
      z.object({
        boolVal: column(z.boolean()),
        byteVal: column(z.number()),
        i16Val: column(z.number()),
        i32Val: column(z.number()),
        i64Val: column(int64),
        doubleVal: column(double),
        stringVal: column(z.string()),
        binaryVal: column(z.union([z.instanceof(Buffer), z.string()])),
      }),
    )
    .nullish(),
});

/**
 * The rows of one page as text: integers and decimals exact, FLOAT and DOUBLE in JavaScript's shortest form (`0.1`, `-0`, `1e+21`, `NaN`),
 * booleans `true` and `false`, BINARY in base64, date and time as Hive writes them, NULL as null.
 */
export function rowsOf(page: unknown): (string | null)[][] {
  const columns = (rowSet.parse(page).columns ?? []).map((each) => {
    const text = <T>(
      part: { values: T[]; nulls?: Uint8Array | string | null | undefined },
      write: (value: T) => string,
    ) => part.values.map((value, index) => (isNull(part.nulls, index) ? null : write(value)));
    if (each.stringVal) return text(each.stringVal, (value) => value);
    if (each.i64Val) return text(each.i64Val, (value) => value.buffer.readBigInt64BE(value.offset).toString());
    for (const part of [each.i32Val, each.i16Val, each.byteVal]) if (part) return text(part, String);
    if (each.doubleVal) return text(each.doubleVal, doubleText);
    if (each.boolVal) return text(each.boolVal, String);
    if (each.binaryVal) return text(each.binaryVal, (value) => Buffer.from(value).toString('base64'));
    return [];
  });
  return Array.from({ length: columns[0]?.length ?? 0 }, (_, row) => columns.map((values) => values[row] ?? null));
}

/** A column of an answer. */
export interface HiveColumn {
  readonly name: string;
  /** As HiveServer2 tells it: `bigint`, `decimal(10,2)`; of `array`, `map`, `struct` and `uniontype` only that. */
  readonly type: string;
}

const typeEntry = z.object({
  primitiveEntry: z
    .object({
      type: z.number(),
      typeQualifiers: z
        .object({ qualifiers: z.record(z.string(), z.object({ i32Value: z.number().nullish() }).nullish()).nullish() })
        .nullish(),
    })
    .nullish(),
});
const tableSchema = z.object({
  columns: z.array(z.object({ columnName: z.string(), typeDesc: z.object({ types: z.array(typeEntry) }) })),
});

/** By `TTypeId` of HiveServer2's protocol. */
const TYPE_NAMES = [
  ...'boolean tinyint smallint int bigint float double string timestamp binary array map struct uniontype'.split(' '),
  ...'user_defined decimal void date varchar char interval_year_month interval_day_time'.split(' '),
  'timestamp with local time zone',
];

/** The columns of an answer; none where it has no rows to give. */
export function columnsOf(schema: unknown): readonly HiveColumn[] {
  if (schema === null || schema === undefined) return [];
  return tableSchema.parse(schema).columns.map(({ columnName, typeDesc }) => {
    const entry = typeDesc.types[0]?.primitiveEntry;
    const name = TYPE_NAMES[entry?.type ?? -1] ?? 'unknown';
    const { precision, scale, characterMaximumLength } = entry?.typeQualifiers?.qualifiers ?? {};
    const limits = [precision?.i32Value ?? characterMaximumLength?.i32Value, scale?.i32Value].filter(
      (limit) => limit !== undefined && limit !== null,
    );
    return { name: columnName, type: limits.length === 0 ? name : `${name}(${limits.join(',')})` };
  });
}

/**
 * What Hive writes for a FLOAT or DOUBLE of which {@link rowsOf} gave the text: Java's form, `1.0E10`, `0.1`, `100.0`, `NaN`, `-0.0`. Its digits are the fewest
 * that tell the number; Java before 19 sometimes writes one more.
 */
export function floatText(text: string): string {
  if (!/^-?\d/.test(text)) return text;
  const sign = text.startsWith('-') ? '-' : '';
  const [mantissa = '', power] = text.slice(sign.length).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const all = whole + fraction;
  const digits = all.replace(/^0+/, '').replace(/0+$/, '');
  if (digits === '') return `${sign}0.0`;
  // The number is 0.digits × 10^point.
  const point = whole.length + Number(power ?? 0) - (all.length - all.replace(/^0+/, '').length);
  if (point > 7 || point < -2) return `${sign}${digits.charAt(0)}.${digits.slice(1) || '0'}E${point - 1}`;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.slice(0, point).padEnd(point, '0')}.${digits.slice(point) || '0'}`;
}

/** JavaScript writes both zeros as `0`. */
function doubleText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** `nulls` has a bit for each row, the lowest of each byte first. */
function isNull(nulls: Uint8Array | string | null | undefined, row: number): boolean {
  if (nulls === null || nulls === undefined) return false;
  const byte = typeof nulls === 'string' ? nulls.charCodeAt(row >> 3) : nulls[row >> 3];
  return byte !== undefined && !Number.isNaN(byte) && (byte & (1 << (row & 7))) !== 0;
}

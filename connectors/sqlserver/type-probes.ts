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
import type { Value } from './wire-row.ts';

/** A value of a type as columns of it are read, and what has to come. */
export interface TypeProbe {
  /** Types that are believed when it does. */
  readonly types: readonly string[];
  readonly expression: string;
  readonly expected: string;
  /** Other texts of the same value; default: none. */
  readonly isSame?: (text: string) => boolean;
}

const probe = (types: string | readonly string[], expression: string, expected: string): TypeProbe => ({
  types: typeof types === 'string' ? [types] : types,
  expression,
  expected,
});

const VARIANT = `CONVERT(sql_variant, CONVERT(money, N'-1.2345'))`;
const MONEY = "CONVERT(money, N'-922337203685477.5807')";
const MONEY_TEXT = '-922337203685477.5807';

/** One for each way in which values are read. The values are at the edges of their types, where shortcuts show. */
export const TYPE_PROBES: readonly TypeProbe[] = [
  probe('bit', 'CONVERT(bit, 1)', '1'),
  probe('tinyint', 'CONVERT(tinyint, 255)', '255'),
  probe('smallint', 'CONVERT(smallint, -32768)', '-32768'),
  probe('int', "CONVERT(int, N'-2147483648')", '-2147483648'),
  probe('bigint', "CONVERT(bigint, N'-9223372036854775807')", '-9223372036854775807'),
  probe(
    ['decimal', 'numeric'],
    decimalText("CONVERT(decimal(38,10), N'-1234567890123456789012345678.0123456789')"),
    '-1234567890123456789012345678.0123456789',
  ),
  probe('money', moneyText(MONEY), MONEY_TEXT),
  probe('smallmoney', moneyText("CONVERT(smallmoney, N'-214748.3647')"), '-214748.3647'),
  {
    ...probe('float', floatText('CONVERT(float, 1) / CONVERT(float, 3)'), '3.3333333333333331e-001'),
    isSame: (text) => Number(text) === 1 / 3,
  },
  {
    ...probe('real', floatText('CONVERT(real, 1) / CONVERT(real, 3)'), '3.3333334326744080e-001'),
    isSame: (text) => Math.fround(Number(text)) === Math.fround(1 / 3),
  },
  probe('date', dateText("CONVERT(date, N'1582-10-10')"), '1582-10-10'),
  probe('datetime', datetimeText("CONVERT(datetime, N'9999-12-31T23:59:59.997', 126)"), '9999-12-31 23:59:59.997'),
  probe(
    'smalldatetime',
    smalldatetimeText("CONVERT(smalldatetime, N'2079-06-06T23:59:00', 126)"),
    '2079-06-06 23:59:00',
  ),
  probe(
    'datetime2',
    datetime2Text("CONVERT(datetime2(7), N'9999-12-31 23:59:59.9999999', 121)"),
    '9999-12-31 23:59:59.9999999',
  ),
  probe('time', timeText("CONVERT(time(7), N'23:59:59.9999999', 121)"), '23:59:59.9999999'),
  probe(
    'datetimeoffset',
    isoWithOffset("CONVERT(datetimeoffset(7), N'2024-02-29 23:59:59.1234567 -05:30', 121)"),
    '2024-02-29T23:59:59.1234567-05:30',
  ),
  probe(['nchar', 'nvarchar', 'ntext', 'json'], "CONVERT(nvarchar(20), N'Größe\\' + NCHAR(9) + N'€')", 'Größe\\\t€'),
  probe(
    ['char', 'varchar', 'text'],
    "CONVERT(nvarchar(20), CONVERT(varchar(20), N'Größe €' COLLATE Latin1_General_CI_AS))",
    'Größe €',
  ),
  probe(
    'uniqueidentifier',
    "CONVERT(uniqueidentifier, N'0E984725-C51C-4BF4-9960-E1C80E27ABA0')",
    '0E984725-C51C-4BF4-9960-E1C80E27ABA0',
  ),
  probe(
    ['binary', 'varbinary', 'timestamp', 'image', 'geometry', 'geography'],
    'CONVERT(varbinary(8), 0x00DEADBEEFFF)',
    '00DEADBEEFFF',
  ),
  probe('xml', xmlText(`CONVERT(xml, N'<a b="1">x &amp; y<c/></a>')`), '<a b="1">x &amp; y<c/></a>'),
  probe('hierarchyid', "CONVERT(nvarchar(max), hierarchyid::Parse('/1/2.5/3/').ToString())", '/1/2.5/3/'),
  probe('sql_variant', variantText(VARIANT), '{"type":"money","value":"-1.2345"}'),
];

/** Tried where {@link moneyText} drops decimals. */
export const MONEY_BY_DECIMAL = probe(['money', 'smallmoney'], moneyText(MONEY, true), MONEY_TEXT);

/** A statement that asks for the values of all these probes in one row. */
export function probesStatement(probes: readonly TypeProbe[]): string {
  return `SELECT ${probes.map(({ expression }) => expression).join(', ')}`;
}

/** What came instead of the expected value; undefined when it is that. */
export function deviation({ expected, isSame }: TypeProbe, value: Value | undefined): string | undefined {
  const text = Buffer.isBuffer(value) ? value.toString('hex').toUpperCase() : (value ?? 'NULL');
  if (text === expected || isSame?.(text) === true) return undefined;
  return `it sent ${text.slice(0, 60)} for ${expected}`;
}

import type { SampleTable } from './sample-table.ts';

const ENUM = 'public.awkward_types_quality';

/**
 * Values that importers get wrong, each kept whole by ours: extremes of every number, texts made of what text formats
 * mean something by, empty beside absent, times to the microsecond.
 */
export const awkwardTypes: SampleTable = {
  name: 'awkward_types',
  about: 'values of many types that importers get wrong.',
  async make({ client, progress }) {
    progress('loading awkward_types');
    const { rows } = await client.query<{ known: boolean }>('SELECT to_regtype($1) IS NOT NULL AS known', [ENUM]);
    if (rows[0]?.known !== true) {
      await client.query(`CREATE TYPE ${ENUM} AS ENUM ('measured', 'estimated, rounded', E'it''s "missing"\\\\N')`);
    }
    await client.query(CREATE);
    for (const row of ROWS) await client.query(`INSERT INTO public.awkward_types VALUES (${row})`);
    if (await hasXml(client)) {
      await client.query(`ALTER TABLE public.awkward_types ADD COLUMN an_xml xml`);
      await client.query(
        `UPDATE public.awkward_types SET an_xml = E'<a b="1">\\n\\t<!-- \\\\N -->&lt;&#228;ü</a>'::xml WHERE id IN (1, 4)`,
      );
    }
    return { origin: 'generated', rows: ROWS.length, series: 0 };
  },
};

/** A server may be built without it. */
async function hasXml(client: { query(text: string): Promise<unknown> }): Promise<boolean> {
  await client.query('SAVEPOINT xml');
  try {
    await client.query(`SELECT '<a/>'::xml`);
    return true;
  } catch {
    await client.query('ROLLBACK TO SAVEPOINT xml');
    return false;
  }
}

const CREATE = `
  CREATE TABLE public.awkward_types (
    id int PRIMARY KEY,
    what text NOT NULL,
    a_boolean boolean,
    a_smallint smallint,
    an_integer integer,
    a_bigint bigint,
    a_numeric numeric(38, 10),
    a_whole_numeric numeric(38, 0),
    any_numeric numeric,
    a_real real,
    a_double double precision,
    a_money money,
    a_char char(5),
    a_varchar varchar(40),
    a_text text,
    a_bytea bytea,
    a_uuid uuid,
    a_json json,
    a_jsonb jsonb,
    a_date date,
    a_time time,
    a_time_with_zone timetz,
    a_timestamp timestamp,
    a_timestamp_with_zone timestamptz,
    an_interval interval,
    an_enum ${ENUM},
    some_integers integer[],
    some_texts text[],
    a_matrix numeric(10, 2)[],
    an_integer_range int4range,
    a_time_range tstzrange,
    an_inet inet,
    a_cidr cidr,
    a_macaddr macaddr,
    some_bits bit(8),
    many_bits bit varying(80),
    a_point point,
    "Column, with ""quotes"" & Ümläut" text)`;

/** A row each, inserted by itself: in a list of rows PostgreSQL would look for a type that fits all of them. */
const ROWS: readonly string[] = [
  String.raw`1, 'least values', false, -32768, -2147483648, -9223372036854775808,
   -9999999999999999999999999999.9999999999, -99999999999999999999999999999999999999,
   -0.00000000000000000000000000000000000001, '-3.4028235e38', '-1.7976931348623157e308', '-92233720368547758.08',
   'a', '', ' leading and trailing ', '\x', '00000000-0000-0000-0000-000000000000', '{}', '{}',
   '0001-01-01', '00:00:00', '00:00:00+15:59', '0001-01-01 00:00:00', '0001-01-01 00:00:00+00', '-178000000 years -1 mons -1 days -00:00:00.000001',
   'measured', '{}', '{}', '{}', 'empty', 'empty', '0.0.0.0', '0.0.0.0/0', '00:00:00:00:00:00', B'00000000', B'', '(-1e300,1e-300)', ''`,
  String.raw`2, 'greatest values', true, 32767, 2147483647, 9223372036854775807,
   9999999999999999999999999999.9999999999, 99999999999999999999999999999999999999,
   12345678901234567890123456789012345678901234567890.123456789, '3.4028235e38', '1.7976931348623157e308', '92233720368547758.07',
   'abcde', repeat('ä', 40), repeat('0123456789', 2000), decode(repeat('00ff', 64), 'hex'),
   'ffffffff-ffff-ffff-ffff-ffffffffffff', '{"a" :  1, "a":2}', '{"deep":{"list":[1,2.50,1e400,null,true]}}',
   '9999-12-31', '24:00:00', '23:59:59.999999-15:59', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999+00', '178000000 years 11 mons 31 days 23:59:59.999999',
   'estimated, rounded', '{-2147483648,NULL,2147483647}', '{"",NULL,"NULL","a,b","{}"}', '{{1.10,2.20},{3.30,NULL}}',
   '[-2147483648,2147483647)', '[2016-03-27 00:59:59.999999+00,)', '255.255.255.255', '2001:db8::/32', 'ff:ff:ff:ff:ff:ff', B'11111111', repeat('10', 40)::varbit, '(0,-0)', 'x'`,
  String.raw`3, 'numbers that do not fit into a double', NULL, 0, 0, 9007199254740993,
   0.0000000001, 9007199254740993, 0.1000000000000000055511151231257827, '1e-45', '5e-324', '0.01',
   '', '0.30000000000000004', '1e5', '\x00', NULL, '12345678901234567890.10', '12345678901234567890.10',
   '2016-02-29', '12:34:56.000001', '12:34:56.7+01', '2016-02-29 12:34:56.000001', '2016-02-29 12:34:56.000001+05:45', '1 day -24:00:00',
   'measured', '{{1,2},{3,4}}', '{{a},{b}}', '{-99999999.99}', '(,5)', '(2016-01-01 00:00:00+00,2016-12-31 23:59:59.999999+00]',
   '192.168.1.5/24', '10.0.0.0/8', '08:00:2b:01:02:03', B'00000001', B'0', '(0.1,0.30000000000000004)', '007'`,
  String.raw`4, 'text that formats mean something by', true, 1, 1, 1, 1.5000000000, 1, 'NaN', 'NaN', 'NaN', '1.00',
   E'\t\\', E'tab\there', E'tab\there, newline\nhere, return\rhere, both\r\n, backslash \\ at the end\\',
   '\x5c4e0a0d095c', '550e8400-e29b-41d4-a716-446655440000', E'{"tab": "\\t", "raw":\n"\\u00e4 😀"}', E'{"back\\\\slash": "\\"quoted\\"\\n"}',
   '2016-03-27', '02:30:00', '02:30:00+02', '2016-03-27 02:30:00', '2016-03-27 01:00:00+00', '1 mon 30 days 720:00:00',
   E'it''s "missing"\\N', '{1}', E'{"tab\there","back\\\\slash","line\nbreak","\\"quoted\\"","\\\\N"}', '{{0.00}}', '[1,1]', '[2016-10-30 00:00:00+00,2016-10-30 01:00:00+00)',
   '::1', '::/0', '08:00:2b:01:02:03', B'10101010', B'10101010101', '(1,1)', E'\\N'`,
  String.raw`5, 'text that is nearly NULL', false, 0, 0, 0, 0, 0, 0, '-0', '-0', '0',
   '\N', '\N', '\N', convert_to('\N', 'UTF8'), NULL, 'null', 'null',
   '1970-01-01', '00:00:00', '00:00:00+00', '1970-01-01 00:00:00', '1970-01-01 00:00:00+00', '0',
   'measured', '{NULL}', '{NULL,"NULL","\\N"}', NULL, '(,)', '(,)', '127.0.0.1', '127.0.0.1/32', '00:00:00:00:00:01', B'00000000', B'1', '(0,0)', 'NULL'`,
  String.raw`6, 'infinite floats, and characters of every length', true, 1, 1, 1, 1, 1, 1e-30, 'Infinity', '-Infinity', '-0.01',
   'é', 'café, naïve, ﬁ', E'e\u0301 \U0001F600 \U0001F469\u200D\U0001F4BB \u202Eabc\u202C \uFEFF \uFFFD \U0010FFFF',
   convert_to(E'\U0001F600', 'UTF8'), NULL, '"\ud83d\ude00"', '"\ud83d\ude00"',
   '1582-10-10', '23:59:59', '23:59:59+00', '1582-10-10 12:00:00', '1883-11-18 12:03:58+00', '-00:00:00.5',
   'measured', '[0:2]={1,2,3}', ARRAY[E'\U0001F600', ''], NULL, '[0,10)', NULL, 'fe80::1', '::ffff:10.0.0.0/104', 'aa:bb:cc:dd:ee:ff', B'01010101', B'01', '(NaN,Infinity)', E'\U0001F600'`,
  String.raw`7, 'control characters', true, 1, 1, 1, 1, 1, 100, '1e-5', '1e23', '1234567.89',
   E'\x01', E'\x01\x02\x03', E'\x01\x02\x03\x08\x0b\x0c\x1b\x1f\x7f\u0085\u2028\u2029', '\x0102031b7f', NULL, '[]', '[]',
   '2000-01-01', '00:00:00.5', '00:00:00.5+00', '2000-01-01 00:00:00.5', '2000-01-01 00:00:00.5+00', '1.5 hours',
   'measured', NULL, ARRAY[E'\x01', E'\x02'], NULL, '[1,2)', NULL, '1.2.3.4', '1.2.3.0/24', '01:02:03:04:05:06', B'11110000', B'111', '(1e23,1e-7)', E'\t'`,
  String.raw`8, 'nothing at all'`,
];

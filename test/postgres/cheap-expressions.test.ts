import { afterAll, beforeAll, expect, test } from 'vitest';
import { copyAll, FULL, never, openSourceBed, type SourceBed } from './source-bed.ts';

/** Columns whose text is made in a cheaper way than in general: it has to be the same text. */
let bed: SourceBed;

beforeAll(async () => {
  bed = await openSourceBed();
});

afterAll(async () => {
  await bed.end();
});

const table = (name: string) => ({ schema: 'public', name });

/** The table's lines, read at the snapshot it was planned at, and at a later one. */
async function linesOf(name: string): Promise<{ lines: string[]; later: string[]; expressions: string[] }> {
  const first = await bed.reader();
  const plan = await first.plan(table(name), FULL, never);
  const { lines } = await copyAll(first, plan);
  await first.close();
  // Another transaction, so that its snapshot is another one.
  await bed.sql('CREATE TABLE IF NOT EXISTS between_snapshots (a int); INSERT INTO between_snapshots VALUES (1)');
  const second = await bed.reader();
  expect(second.snapshot.position).not.toBe(first.snapshot.position);
  const { lines: later } = await copyAll(second, plan);
  await second.close();
  return { lines, later, expressions: plan.columns.map(({ expression }) => expression) };
}

test('columns that are NOT NULL give the text that nullable ones give', async () => {
  await bed.sql(`
    CREATE TABLE maybe AS SELECT * FROM (VALUES
      (true, 1::int2, 2::int4, 9007199254740993::int8, '4294967295'::oid, '1.17549435e-38'::float4, '5e-324'::float8, date '0001-01-01',
       timestamp '9999-12-31 23:59:59.999999', timestamptz '2020-03-29 02:30:00.1+02', 12345678.9000::numeric(12,4), 1e-20::numeric,
       money '-1.50', '\\x00ff'::bytea, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, inet '10.0.0.1', cidr '10.0.0.0/8',
       'ab'::char(5), 'x'::"char", 'n'::name, E'a\\tb\\\\c\\nd\\re'::text, ''::varchar(9), interval '1 mon -2 days 3.5 s', time '24:00',
       '{"a": "b\\\\c"}'::json, '{1,NULL,3}'::int[], B'101', point '(1,2)', int4range '[1,5)'),
      (false, '-32768'::int2, '-2147483648'::int4, '-9223372036854775808'::int8, 0::oid, 'NaN'::float4, '-Infinity'::float8, date '2020-02-29',
       timestamp '0001-01-01 00:00', timestamptz '1969-12-31 23:59:59.999999+00', '-0.0001'::numeric(12,4), 'NaN'::numeric,
       money '92233720368547758.07', ''::bytea, '00000000-0000-0000-0000-000000000000'::uuid, inet '::1/64', cidr '::/0',
       ''::char(5), ''::"char", ''::name, '\\N'::text, E'\\t'::varchar(9), interval '-1 year', time '00:00:00.000001',
       'null'::json, '{}'::int[], B'', point '(-0,1e300)', 'empty'::int4range)) AS v(
      a_bool, a_int2, a_int4, a_int8, an_oid, a_float4, a_float8, a_date, a_timestamp, a_timestamptz, a_numeric, any_numeric, a_money,
      a_bytea, a_uuid, an_inet, a_cidr, a_char, an_internal_char, a_name, a_text, a_varchar, an_interval, a_time, a_json, an_array, a_bit,
      a_point, a_range);
    CREATE TABLE never AS SELECT * FROM maybe`);
  const columns = await bed.sql(`SELECT column_name FROM information_schema.columns WHERE table_name = 'never'`);
  expect(columns).toHaveLength(29);
  await bed.sql(`ALTER TABLE never ${columns.map(([name]) => `ALTER ${name ?? ''} SET NOT NULL`).join(', ')}`);
  const [nullable, never_] = [await linesOf('maybe'), await linesOf('never')];
  expect(nullable.lines).toHaveLength(2);
  expect(never_.lines).toEqual(nullable.lines);
  expect(nullable.later).toEqual(nullable.lines);
  expect(never_.later).toEqual(nullable.lines);
  expect(never_.expressions.join()).not.toContain('coalesce');
});

test('a column that is NOT NULL in a table, but not in an heir, may be NULL', async () => {
  await bed.sql(`
    CREATE TABLE parent (id int NOT NULL, v int NOT NULL);
    CREATE TABLE heir () INHERITS (parent);
    ALTER TABLE heir ALTER v DROP NOT NULL;
    INSERT INTO parent VALUES (1, 10);
    INSERT INTO heir VALUES (2, NULL)`);
  expect((await linesOf('parent')).lines.toSorted()).toEqual(['1\t10', '2\t\\N']);
});

test('frequent values are compared, and all others, and those that need it, are escaped', async () => {
  await bed.sql(`
    CREATE TABLE frequent AS SELECT n AS id,
      CASE WHEN n % 10 = 0 THEN E'a\\tb' WHEN n % 10 = 1 THEN NULL ELSE 'o''k' END AS state,
      'C:\\data'::varchar AS path,
      CASE WHEN n % 2 = 0 THEN E'two\\nlines' ELSE 'one' END AS half
    FROM generate_series(0, 999) AS n`);
  const { lines, later, expressions } = await linesOf('frequent');
  expect(expressions[1]).toContain(`IN ('o''k')`);
  expect(expressions.slice(2).join()).not.toContain(' IN (');
  const expected = Array.from({ length: 1_000 }, (_, n) => {
    const state = n % 10 === 0 ? 'a\\\tb' : n % 10 === 1 ? '\\N' : "o'k";
    return `${n}\t${state}\tC:\\\\data\t${n % 2 === 0 ? 'two\\nlines' : 'one'}`;
  });
  expect(lines).toEqual(expected);
  expect(later).toEqual(expected);
});

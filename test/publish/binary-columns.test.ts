import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnsFingerprint, hiveRunsDatabase, hiveRunsTable } from '../../grid/history/hive-name.ts';
import { PublicationBed, type Brought } from './publication-bed.ts';

let bed: PublicationBed;
beforeAll(() => {
  bed = new PublicationBed();
});
afterAll(() => bed.end());

const BYTES = ['deadbeef', '', '00', 'ff', '09', '0a0d5c5c09', 'deadbeef00112233', '5c4e', null] as const;
/** Texts that hold all that is escaped, and none, and NULL: it was after the former that binary fields were read wrong. */
const TEXTS = ['back\\slash', 'tab\there', 'line\nfeed', 'return\r', 'plain', '', null] as const;

const COLUMNS = [
  { name: 'id', hiveType: 'INT', sourceType: 'integer' },
  { name: 't', hiveType: 'STRING', sourceType: 'text' },
  { name: 'b', hiveType: 'BINARY', sourceType: 'bytea' },
];

function base64(hex: string | null): string | null {
  return hex === null ? null : Buffer.from(hex, 'hex').toString('base64');
}

/** Every text beside every value, and what Hive is to show of it, in upper-case hexadecimal. */
function combinations(first: number): { rows: (string | null)[][]; shown: (string | null)[][] } {
  const pairs = TEXTS.flatMap((text) => BYTES.map((bytes) => ({ text, bytes })));
  const numbered = pairs.map((pair, index) => ({ ...pair, id: String(first + index) }));
  return {
    rows: numbered.map(({ id, text, bytes }) => [id, text, base64(bytes)]),
    shown: numbered.map(({ id, text, bytes }) => [id, text, bytes === null ? null : bytes.toUpperCase()]),
  };
}

/** What a view shows by queries of some kinds, each vectorized and not. */
async function shownBy(view: string, kinds: readonly string[]): Promise<Record<string, (string | null)[][]>> {
  const fields = 'CAST(id AS STRING), t, HEX(b)';
  const queries: Readonly<Record<string, string>> = {
    plain: `SELECT ${fields} FROM ${view}`,
    sorted: `SELECT ${fields} FROM ${view} ORDER BY id DESC`,
    grouped: `SELECT ${fields} FROM (SELECT id, t, b, COUNT(*) FROM ${view} GROUP BY id, t, b) g`,
    aggregated: `SELECT CAST(id AS STRING), MAX(t), HEX(MAX(b)) FROM ${view} GROUP BY id`,
    joined: `SELECT CAST(l.id AS STRING), l.t, HEX(r.b) FROM ${view} l JOIN ${view} r ON l.id = r.id`,
  };
  const shown: Record<string, (string | null)[][]> = {};
  for (const vectorized of ['true', 'false']) {
    const session = bed.session(`hive.vectorized.execution.enabled=${vectorized}`);
    for (const kind of kinds) {
      const rows = await session.rows(queries[kind] ?? '');
      shown[`${kind}, vectorized ${vectorized}`] = rows.toSorted((a, b) => Number(a[0]) - Number(b[0]));
    }
  }
  return shown;
}

async function expectShown(
  view: string,
  rows: readonly (readonly (string | null)[])[],
  kinds: readonly string[],
): Promise<void> {
  for (const [query, shown] of Object.entries(await shownBy(view, kinds))) expect(shown, query).toEqual(rows);
}

describe('bytes', () => {
  it('come back as they were from every kind of query, beside texts that need escapes', async () => {
    const { rows, shown } = combinations(1);
    const { hiveTable } = await bed.import(
      { schema: 'public', name: 'bytes' },
      { columns: COLUMNS, key: ['id'], rows, splitRows: 20 },
    );
    await expectShown(hiveTable, shown, ['plain', 'sorted', 'grouped', 'aggregated', 'joined']);
  });

  it('come back as they were from a merged table, also when they are its key', async () => {
    const table = { schema: 'public', name: 'merged_bytes' };
    const columns = [...COLUMNS, { name: 'k', hiveType: 'BINARY', sourceType: 'bytea' }];
    const keyed = (rows: readonly (readonly (string | null)[])[]): (string | null)[][] =>
      rows.map((row) => [...row, base64(Buffer.from(`key\t${row[0] ?? ''}`).toString('hex'))]);
    const { rows, shown } = combinations(1);
    await bed.import(table, { columns, key: ['k'], rows: keyed(rows) });
    const changed = rows.slice(0, 10).map(([id, , bytes]) => [id ?? null, 'changed\\', bytes ?? null]);
    const { hiveTable } = await bed.import(table, {
      columns,
      key: ['k'],
      rows: keyed(changed),
      publishAs: 'merge',
      sourceRows: rows.length,
    });
    await expectShown(
      hiveTable,
      shown.map((row, index) => (index < 10 ? [row[0] ?? null, 'changed\\', row[2] ?? null] : row)),
      ['plain', 'sorted', 'grouped'],
    );
    expect(await bed.hive.rows(`SELECT DISTINCT CAST(UNHEX(HEX(k)) AS STRING) FROM ${hiveTable} WHERE id = 3`)).toEqual(
      [['key\t3']],
    );
  });

  it('of runs that were published as binary fields of text are right with the next run', async () => {
    const table = { schema: 'public', name: 'earlier_bytes' };
    const { rows, shown } = combinations(1);
    const { hiveTable, directory } = await bed.import(table, { columns: COLUMNS, key: ['id'], rows });
    // As it was published before.
    const runs = hiveRunsDatabase(bed.prefix, 'postgres');
    const earlier = `${runs}.${hiveRunsTable('earlier_bytes', columnsFingerprint(COLUMNS))}`;
    const [generation, run] = await partitionOf(
      `${runs}.${hiveRunsTable('earlier_bytes', columnsFingerprint(COLUMNS))}`,
    );
    await bed.hive.execute(`DROP VIEW ${hiveTable}`);
    for (const [name] of await bed.hive.rows(`SHOW TABLES IN ${runs} LIKE 'earlier_bytes%'`)) {
      await bed.hive.execute(`DROP TABLE ${runs}.${name ?? ''}`);
    }
    await bed.hive.execute(
      [
        `CREATE EXTERNAL TABLE ${earlier} (id INT, t STRING, b BINARY) PARTITIONED BY (import_generation STRING, import_run STRING)`,
        `ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe' WITH SERDEPROPERTIES (`,
        String.raw`'field.delim'='\t', 'escape.delim'='\\', 'serialization.escape.crlf'='true', 'serialization.null.format'='\\N')`,
        `STORED AS TEXTFILE LOCATION '${directory}' TBLPROPERTIES ('external.table.purge'='false', 'discover.partitions'='false')`,
      ].join('\n'),
    );
    await bed.hive.execute(
      `ALTER TABLE ${earlier} ADD PARTITION (import_generation='${generation}', import_run='${run}') LOCATION '${directory}'`,
    );
    await bed.hive.execute(
      `CREATE VIEW ${hiveTable} TBLPROPERTIES ('powergrid.generation'='${generation}', 'powergrid.definition'='earlier') AS SELECT id, t, b FROM ${earlier} WHERE import_generation='${generation}'`,
    );
    const more = combinations(1 + rows.length);
    const next: Brought = { columns: COLUMNS, key: ['id'], rows: more.rows, publishAs: 'append' };
    await bed.import(table, { ...next, sourceRows: rows.length + more.rows.length });
    await expectShown(hiveTable, [...shown, ...more.shown], ['plain', 'sorted']);
    // What nobody reads any more goes with the run after that.
    await bed.import(table, { columns: COLUMNS, key: ['id'], rows });
    await expectShown(hiveTable, shown, ['sorted']);
    const left = (await bed.hive.rows(`SHOW TABLES IN ${runs} LIKE 'earlier_bytes%'`)).map(([name]) => name);
    expect(left).toHaveLength(1);
    expect(left).not.toContain(earlier.split('.')[1]);
  });
});

/** Generation and run of a table's only partition. */
async function partitionOf(earlier: string): Promise<readonly [string, string]> {
  const [database = '', table = ''] = earlier.split('.');
  const tables = (await bed.hive.rows(`SHOW TABLES IN ${database} LIKE '${table}%'`)).map(([name]) => name ?? '');
  const [row] = await bed.hive.rows(`SHOW PARTITIONS ${database}.${tables[0] ?? ''}`);
  const [, generation, run] = /^import_generation=(.*)\/import_run=(.*)$/.exec(row?.[0] ?? '') ?? [];
  if (generation === undefined || run === undefined) throw new Error(`${earlier} has no partition`);
  return [generation, run];
}

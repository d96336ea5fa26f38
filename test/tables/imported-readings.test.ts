import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureImportedReadings, type EnsuredReadings } from '../../activities/tables/imported-readings.ts';
import { READING_COLUMNS } from '../../activities/tables/reading-columns.ts';
import { telemetryMapping } from '../../workflows/import/input.ts';
import { PublicationBed } from '../publish/publication-bed.ts';

let bed: PublicationBed;
let database: string;
beforeAll(() => {
  bed = new PublicationBed();
  database = `${bed.prefix}_tables`;
});
afterAll(async () => {
  await bed.hive.execute(`DROP DATABASE IF EXISTS ${database} CASCADE`);
  await bed.end();
});

const signal = new AbortController().signal;

function ensure(): Promise<EnsuredReadings> {
  const { hdfs, hive, importsDirectory, prefix } = bed;
  return ensureImportedReadings({ hdfs, hive, database, importsDirectory, hiveDatabasePrefix: prefix }, signal);
}

async function describedColumns(): Promise<(string | null | undefined)[][]> {
  const rows = await bed.hive.rows(`DESCRIBE ${database}.readings_imported`);
  return rows.map(([name, type]) => [name, type?.toUpperCase()]);
}

const COLUMNS = READING_COLUMNS.map(([name, type]) => [name, type]);

describe('the view of imported readings', () => {
  it('is there, typed and empty, before anything is imported', async () => {
    expect(await ensure()).toMatchObject({ outcome: 'created', sources: [], missing: [] });
    expect(await describedColumns()).toEqual(COLUMNS);
    expect(await bed.hive.rows(`SELECT * FROM ${database}.readings_imported`)).toEqual([]);
    expect(await ensure()).toMatchObject({ outcome: 'unchanged', notes: [] });
  });

  it('shows the readings of all tables that are telemetry, exactly, and of no others', async () => {
    const telemetry = telemetryMapping.parse({
      sensorId: { column: 'sensor' },
      time: { column: 'at' },
      value: { column: 'reading' },
      unit: { column: 'unit' },
      zone: 'UTC',
    });
    const columns = (hiveType: string) => [
      { name: 'id', hiveType: 'INT' },
      { name: 'sensor', hiveType: 'STRING' },
      { name: 'at', hiveType: 'DECIMAL(20,6)', sourceType: 'numeric(20,6)' },
      { name: 'reading', hiveType },
      { name: 'unit', hiveType: 'STRING' },
    ];
    const values = [
      ['421.50', '421.500000000000000000'],
      ['-12345678901234567890.000000000000000001', '-12345678901234567890.000000000000000001'],
      ['0.1234567890123456785', null],
      ['123456789012345678901', null],
      ['1.5e3', '1500.000000000000000000'],
      ['1.5E-17', '0.000000000000000015'],
      ['1.5E-18', null],
      ['about 7', null],
    ];
    const rows = values.map(([text = ''], at) => [
      String(at),
      's/1',
      '1694902173.122458',
      text,
      at === 0 ? null : 'MW',
    ]);
    await bed.import({ schema: 'public', name: 'texts' }, { columns: columns('STRING'), key: ['id'], rows, telemetry });
    await bed.import(
      { schema: 'grid', name: 'Numbers' },
      { columns: columns('DOUBLE'), key: ['id'], rows: [['1', '6', '-0.000001', '1.0E10', 'kW']], telemetry },
    );
    await bed.import(
      { schema: 'public', name: 'no__readings' },
      { columns: columns('STRING'), rows: [['1', 'x', '1', '1', 'V']] },
    );
    const sources = [`${bed.prefix}_postgres.grid__numbers`, `${bed.prefix}_postgres.texts`];
    expect(await ensure()).toMatchObject({ outcome: 'evolved', columnsAdded: [], sources, missing: [] });
    expect(await describedColumns()).toEqual(COLUMNS);

    const fields =
      'sensor_id, aspect, unit, value_text, value, event_time, event_ms, created_at, origin, source_table, event_day';
    const read = await bed.hive.rows(
      `SELECT ${fields} FROM ${database}.readings_imported ORDER BY source_table, value_text`,
    );
    const common = [
      '2023-09-16 22:09:33.122458',
      '1694902173122',
      '1694902173.122458',
      'import',
      sources[1],
      '2023-09-16',
    ];
    expect(read).toEqual([
      [
        '6',
        'real_time',
        'kW',
        '1.0E10',
        '10000000000.000000000000000000',
        '1969-12-31 23:59:59.999999',
        '-1',
        '-0.000001',
        'import',
        sources[0],
        '1969-12-31',
      ],
      ...values
        .map(([text, value], at) => ['s/1', 'real_time', at === 0 ? '' : 'MW', text, value, ...common])
        .sort((a, b) => ((a[3] ?? '') < (b[3] ?? '') ? -1 : 1)),
    ]);
    const [[ids] = []] = await bed.hive.rows(
      `SELECT COUNT(DISTINCT correlation_id) FROM ${database}.readings_imported`,
    );
    expect(ids).toBe(String(values.length + 1));
    expect(await ensure()).toMatchObject({ outcome: 'unchanged', sources });
  });

  it('leaves out, and names, what was committed and is not shown by Hive', async () => {
    await bed.hive.execute(`DROP VIEW ${bed.prefix}_postgres.texts__readings`);
    expect(await ensure()).toMatchObject({
      outcome: 'evolved',
      sources: [`${bed.prefix}_postgres.grid__numbers`],
      missing: [`${bed.prefix}_postgres.texts__readings`],
    });
    expect(await bed.hive.rows(`SELECT sensor_id FROM ${database}.readings_imported`)).toEqual([['6']]);
  });

  it('is put back when it was altered by hand, and never takes the place of what others have made', async () => {
    const view = `${database}.readings_imported`;
    await bed.hive.execute(`ALTER VIEW ${view} AS SELECT 'nothing' AS sensor_id`);
    expect(await ensure()).toMatchObject({ outcome: 'mended', notes: [expect.stringContaining('altered by hand')] });
    expect(await describedColumns()).toEqual(COLUMNS);

    await bed.hive.execute(`DROP VIEW ${view}`);
    await bed.hive.execute(`CREATE VIEW ${view} AS SELECT 'mine' AS text`);
    await expect(ensure()).rejects.toMatchObject({ code: 'table-conflict' });
    expect(await bed.hive.rows(`SELECT * FROM ${view}`)).toEqual([['mine']]);
    await bed.hive.execute(`DROP VIEW ${view}`);
    await bed.hive.execute(`CREATE TABLE ${view} (mine INT)`);
    await expect(ensure()).rejects.toThrow(/readings_imported: there is a table of this name, which stays as it is/);
    expect(await bed.hive.rows(`DESCRIBE ${view}`)).toEqual([['mine', 'int', '']]);
  });
});

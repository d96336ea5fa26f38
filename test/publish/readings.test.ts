import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { telemetryMapping, type TelemetryMapping } from '../../workflows/import/input.ts';
import { loadTelemetryFile, telemetryOf } from '../../activities/import/publish/telemetry-file.ts';
import { PublicationBed, type Column } from './publication-bed.ts';

let bed: PublicationBed;
beforeAll(() => {
  bed = new PublicationBed();
});
afterAll(() => bed.end());

const FIELDS = 'sensor_id, event_time, created_at, modality, unit, temporal_aspect, correlation_id';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/;

async function mappingOf(name: string): Promise<TelemetryMapping> {
  const mapping = telemetryOf(
    'postgres',
    { schema: 'public', name },
    await loadTelemetryFile('infra/config/telemetry-tables.json'),
  );
  if (mapping === undefined) throw new Error(`${name} is no telemetry`);
  return mapping;
}

describe('the view of readings', () => {
  it('of a table that has all columns gives its rows, with exact values and times', async () => {
    const brought = {
      columns: [
        { name: 'reading_id', hiveType: 'BIGINT' },
        { name: 'sensor_id', hiveType: 'STRING' },
        { name: 'measured_at', hiveType: 'TIMESTAMP', sourceType: 'timestamp with time zone' },
        { name: 'value', hiveType: 'DECIMAL(14,6)' },
        { name: 'unit', hiveType: 'STRING' },
      ],
      key: ['reading_id'],
      rows: [
        ['1', '6', '2023-09-16 22:09:33.122458', '421.000000', 'MW'],
        ['2', 's/7', '1969-12-31 23:59:59.5', '-0.000001', 'kW'],
        ['3', '6', null, '1.000000', 'MW'],
        ['4', null, '2023-09-16 22:00:00', '1.000000', 'MW'],
        ['5', '6', '2023-09-16 22:00:00', null, 'MW'],
      ],
      telemetry: await mappingOf('telemetry_readings'),
    };
    const table = { schema: 'public', name: 'telemetry_readings' };
    const { readings } = await bed.import(table, brought);
    expect(readings).toBe(`${bed.prefix}_postgres.telemetry_readings__readings`);
    const read = (await bed.hive.rows(`SELECT ${FIELDS} FROM ${readings ?? ''}`)).sort();
    expect(read).toEqual([
      [
        '6',
        '2023-09-16 22:09:33.122458',
        '1694902173.122458',
        '421.000000',
        'MW',
        'real_time',
        expect.stringMatching(UUID),
      ],
      ['s/7', '1969-12-31 23:59:59.5', '-0.5', '-0.000001', 'kW', 'real_time', expect.stringMatching(UUID)],
    ]);
    // The same readings in the next import.
    await bed.import(table, { ...brought, rows: brought.rows.toReversed() });
    expect((await bed.hive.rows(`SELECT ${FIELDS} FROM ${readings ?? ''}`)).sort()).toEqual(read);
    expect((await bed.commit(table))?.telemetry).toEqual(brought.telemetry);
    // No telemetry any more.
    const { telemetry: _, ...plain } = brought;
    expect(await bed.import(table, plain)).not.toHaveProperty('readings');
    expect(await bed.hive.rows(`SHOW VIEWS IN ${bed.prefix}_postgres LIKE '%readings'`)).toEqual([
      ['telemetry_readings'],
    ]);
  });

  it('takes from the mapping what the table lacks', async () => {
    const { readings } = await bed.import(
      { schema: 'public', name: 'telemetry' },
      {
        columns: [
          { name: 'id', hiveType: 'INT' },
          { name: 'name', hiveType: 'STRING' },
          { name: 'wattage', hiveType: 'DOUBLE' },
        ],
        key: ['id'],
        rows: [['6', "Turbine '6'", '1500.25']],
        telemetry: await mappingOf('telemetry'),
      },
    );
    expect(await bed.hive.rows(`SELECT ${FIELDS} FROM ${readings ?? ''}`)).toEqual([
      ['6', '2023-09-17 00:00:00', '1694908800', '1500.25', 'W', 'real_time', expect.stringMatching(UUID)],
    ]);
  });

  it('turns times of every kind into UTC, also where clocks are changed, whatever the zone of the session', async () => {
    const columns: Column[] = [
      { name: 'local', hiveType: 'TIMESTAMP', sourceType: 'timestamp without time zone' },
      { name: 'day', hiveType: 'DATE', sourceType: 'date' },
      { name: 'text', hiveType: 'STRING', sourceType: 'datetimeoffset' },
      { name: 'seconds', hiveType: 'DECIMAL(20,6)', sourceType: 'numeric(20,6)' },
      { name: 'whole', hiveType: 'BIGINT', sourceType: 'bigint' },
    ];
    const rows = [
      // Does not exist in Berlin: as much later.
      [
        '2023-03-26 02:30:00.123456',
        '2023-03-26',
        '2023-03-26 02:30:00.1234567 +05:30',
        '1694902173.122458',
        '4102444800',
      ],
      // Twice: the first.
      ['2023-10-29 02:30:00', '2023-10-29', '2023-10-29T02:30:00Z', '-0.000001', '-1'],
      ['2023-10-29 03:00:00', '1960-01-01', '2023-10-29 02:30', '0.000000', '0'],
      ['2024-07-01 00:00:00', '2024-07-01', '2024-07-01 00:00:00.5-03', '253402300799.999999', '-62135596800'],
      [null, null, 'infinity', null, null],
    ];
    const expected: Record<string, readonly (readonly [string, string])[]> = {
      local: [
        ['2023-03-26 01:30:00.123456', '1679794200.123456'],
        ['2023-10-29 00:30:00', '1698539400'],
        ['2023-10-29 02:00:00', '1698544800'],
        ['2024-06-30 22:00:00', '1719784800'],
      ],
      day: [
        ['2023-03-25 23:00:00', '1679785200'],
        ['2023-10-28 22:00:00', '1698530400'],
        ['1959-12-31 23:00:00', '-315622800'],
        ['2024-06-30 22:00:00', '1719784800'],
      ],
      text: [
        ['2023-03-25 21:00:00.1234567', '1679778000.1234567'],
        ['2023-10-29 02:30:00', '1698546600'],
        ['2023-10-29 00:30:00', '1698539400'],
        ['2024-07-01 03:00:00.5', '1719802800.5'],
      ],
      seconds: [
        ['2023-09-16 22:09:33.122458', '1694902173.122458'],
        ['1969-12-31 23:59:59.999999', '-0.000001'],
        ['1970-01-01 00:00:00', '0'],
        ['9999-12-31 23:59:59.999999', '253402300799.999999'],
      ],
      whole: [
        ['2100-01-01 00:00:00', '4102444800'],
        ['1969-12-31 23:59:59', '-1'],
        ['1970-01-01 00:00:00', '0'],
        ['0001-01-01 00:00:00', '-62135596800'],
      ],
    };
    const elsewhere = bed.session('hive.local.time.zone=America/New_York');
    for (const [column, times] of Object.entries(expected)) {
      const telemetry = telemetryMapping.parse({
        sensorId: { constant: 'x' },
        time: { column },
        zone: 'Europe/Berlin',
        value: { column: 'n' },
        unit: { constant: 'W' },
      });
      const { readings } = await bed.import(
        { schema: 'public', name: 'times' },
        {
          columns: [{ name: 'n', hiveType: 'INT' }, ...columns],
          rows: rows.map((row, index) => [String(index), ...row]),
          telemetry,
        },
      );
      const read = await elsewhere.rows(`SELECT event_time, created_at, modality FROM ${readings ?? ''}`);
      const inOrder = read.toSorted((a, b) => Number(a[2]) - Number(b[2])).map(([time, epoch]) => [time, epoch]);
      expect(inOrder, column).toEqual(times);
    }
  });

  it('reads times in the form that is declared, and leaves out what is none, counted, never as another time', async () => {
    const columns: Column[] = [
      { name: 'text', hiveType: 'STRING', sourceType: 'text' },
      { name: 'german', hiveType: 'STRING', sourceType: 'text' },
      { name: 'ms', hiveType: 'BIGINT', sourceType: 'bigint' },
      { name: 'ms_exact', hiveType: 'DECIMAL(20,3)', sourceType: 'numeric(20,3)' },
      { name: 'ms_double', hiveType: 'DOUBLE', sourceType: 'double precision' },
      { name: 'ns', hiveType: 'BIGINT', sourceType: 'bigint' },
      { name: 'day', hiveType: 'INT', sourceType: 'integer' },
    ];
    const rows = [
      [
        '2024-02-28 24:00:00',
        '28.02.2024 24:00',
        '1706784000123',
        '1706784000123.456',
        '1706784000123.5',
        '1706784000123456789',
        '20240229',
      ],
      ['2024-02-29T24:00Z', '1.2.2024 9:05', '-1', '-0.001', '-1', '-1', '20240230'],
      ['2024-12-31 24:00:00.000+01:00', '31.12.2023 12:00', '253402300799999', '0.000', '1e30', null, null],
      ['2024-03-01 25:10:00', '01.02.2024 25:10', '253402300800000', '253402300800000.000', 'NaN', null, null],
      ['2024-03-01 10:61', '01.02.2024 10:61', null, null, null, null, null],
      ['2024-03-01 23:59:60', '30.02.2024 10:00', null, null, null, null, null],
      ['2024-03-01 24:00:01', '01.02.2024 24:01', null, null, null, null, null],
      ['2024-02-30 10:00', '2024-02-01 10:00', null, null, null, null, null],
      ['2024-03-01 10:00:00+99:99', '01.02.2024', null, null, null, null, null],
      ['2024-03-01 10:00:00.1234567890123', '', null, null, null, null, null],
      ['01.02.2024 12:00', 'x', null, null, null, null, null],
    ];
    const expected: Record<string, { format?: string; times: readonly string[]; unread: number; example?: string }> = {
      text: {
        times: ['2024-02-28 23:00:00', '2024-03-01 00:00:00', '2024-12-31 23:00:00', '2024-03-01 09:00:00.123456789'],
        unread: 7,
        example: '01.02.2024 12:00',
      },
      german: {
        format: 'DD.MM.YYYY HH:mm',
        times: ['2024-02-28 23:00:00', '2024-02-01 08:05:00', '2023-12-31 11:00:00'],
        unread: 8,
        example: '',
      },
      ms: {
        format: 'epoch-milliseconds',
        times: ['2024-02-01 10:40:00.123', '1969-12-31 23:59:59.999', '9999-12-31 23:59:59.999'],
        unread: 1,
        example: '253402300800000',
      },
      ms_exact: {
        format: 'epoch-milliseconds',
        times: ['2024-02-01 10:40:00.123456', '1969-12-31 23:59:59.999999', '1970-01-01 00:00:00'],
        unread: 1,
      },
      ms_double: {
        format: 'epoch-milliseconds',
        times: ['2024-02-01 10:40:00.1235', '1969-12-31 23:59:59.999'],
        unread: 2,
      },
      ns: {
        format: 'epoch-nanoseconds',
        times: ['2024-02-01 10:40:00.123456789', '1969-12-31 23:59:59.999999999'],
        unread: 0,
      },
      day: { format: 'YYYYMMDD', times: ['2024-02-28 23:00:00'], unread: 1, example: '20240230' },
    };
    for (const [column, { format, times, unread, example }] of Object.entries(expected)) {
      const telemetry = telemetryMapping.parse({
        sensorId: { constant: 'x' },
        time: { column, ...(format === undefined ? {} : { format }) },
        zone: 'Europe/Berlin',
        value: { column: 'n' },
        unit: { constant: 'W' },
      });
      const { readings = '', notes } = await bed.import(
        { schema: 'public', name: 'forms' },
        {
          columns: [{ name: 'n', hiveType: 'INT' }, ...columns],
          rows: rows.map((row, index) => [String(index), ...row]),
          telemetry,
        },
      );
      const read = await bed.hive.rows(`SELECT event_time, modality FROM ${readings}`);
      const inOrder = read.toSorted((a, b) => Number(a[1]) - Number(b[1])).map(([time]) => time);
      expect(inOrder, column).toEqual(times);
      const left = rows.length - times.length;
      if (left === 0) {
        expect(notes, column).toEqual([]);
        continue;
      }
      expect(notes, column).toEqual([expect.stringContaining(`${left} of ${rows.length} rows`)]);
      if (left > unread) expect(notes[0], column).toContain(`${left - unread} without sensor, time or value`);
      if (unread > 0)
        expect(notes[0], column).toContain(
          `${unread} whose time cannot be read, such as ${example === undefined ? '' : JSON.stringify(example)}`,
        );
    }
    // Milliseconds that nobody declared are no seconds, and the result says so.
    const undeclared = await bed.import(
      { schema: 'public', name: 'undeclared' },
      {
        columns: [{ name: 'n', hiveType: 'INT' }, ...columns],
        rows: rows.slice(0, 1).map((row) => ['1', ...row]),
        telemetry: telemetryMapping.parse({
          ...{ sensorId: { column: 'n' }, time: { column: 'ms' }, value: { column: 'n' }, unit: { constant: 'W' } },
        }),
      },
    );
    expect(undeclared.notes).toEqual([
      expect.stringMatching(/1 of 1 rows .* such as "1706784000123".*epoch-milliseconds/),
    ]);
  });
});

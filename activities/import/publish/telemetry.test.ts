import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GridError } from '../../../grid/errors.ts';
import { telemetryMapping, type TelemetryMapping } from '../../../workflows/import/input.ts';
import { checkTelemetry } from './telemetry.ts';
import { loadTelemetryFile, telemetryOf } from './telemetry-file.ts';

const TABLE = { schema: 'public', name: 'telemetry' };
const COLUMNS = [
  { name: 'id', hiveType: 'INT' },
  { name: 'at', hiveType: 'TIMESTAMP' },
  { name: 'wattage', hiveType: 'DOUBLE' },
  { name: 'photo', hiveType: 'BINARY' },
];

function mapping(changed: Record<string, unknown> = {}): TelemetryMapping {
  return telemetryMapping.parse({
    sensorId: { column: 'id' },
    time: { column: 'at' },
    value: { column: 'wattage' },
    unit: { constant: 'W' },
    ...changed,
  });
}

describe('a telemetry mapping', () => {
  it('is taken when the table has what it names', () => {
    checkTelemetry(TABLE, COLUMNS, mapping());
    checkTelemetry(TABLE, COLUMNS, mapping({ zone: 'Europe/Berlin', time: { column: 'id' } }));
    checkTelemetry(TABLE, COLUMNS, mapping({ time: { column: 'id', format: 'epoch-milliseconds' } }));
    checkTelemetry(TABLE, COLUMNS, mapping({ time: { column: 'id', format: 'YYYYMMDD' } }));
    checkTelemetry(TABLE, COLUMNS, mapping({ time: { constant: '2024-02-29T23:59:59.5+01:00' } }));
  });

  it.each([
    ['unknown-column', 'sensorId is to come from the column "station"', { sensorId: { column: 'station' } }],
    ['unknown-column', 'There are: id, at, wattage, photo', { value: { column: 'Wattage' } }],
    ['invalid-input', 'BINARY is no time', { time: { column: 'photo' } }],
    ['invalid-input', 'is for text and numbers, not for TIMESTAMP', { time: { column: 'at', format: 'iso' } }],
    ['invalid-input', '"iso" is no format of a INT', { time: { column: 'id', format: 'iso' } }],
    ['invalid-input', '"DD.MM. HH:mm" is no format', { time: { column: 'id', format: 'DD.MM. HH:mm' } }],
    ['invalid-input', '"YYYY-MM-DD MM" is no format', { time: { column: 'id', format: 'YYYY-MM-DD MM' } }],
    ['invalid-input', '"constructor" is no format', { time: { column: 'id', format: 'constructor' } }],
    ['invalid-input', '"Berlin" is unknown', { zone: 'Berlin' }],
    ['invalid-input', 'with its offset', { time: { constant: '2024-01-01T00:00:00' } }],
    ['invalid-input', 'is none', { time: { constant: '2024-13-01T00:00:00Z' } }],
  ])('is refused with %s: %s', (code, problem, changed) => {
    const check = (): void => {
      checkTelemetry(TABLE, COLUMNS, mapping(changed));
    };
    expect(check).toThrow(expect.objectContaining({ code }) as GridError);
    expect(check).toThrow(problem);
    expect(check).toThrow('Reading public.telemetry as telemetry');
  });
});

describe('the file of telemetry tables', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'telemetry-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  async function file(content: unknown): Promise<string> {
    const path = join(directory, 'file.json');
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }

  it('that comes with the project names the course table, whose unit and time are declared', async () => {
    const tables = await loadTelemetryFile('infra/config/telemetry-tables.json');
    expect(telemetryOf('postgres', TABLE, tables)).toMatchObject({
      sensorId: { column: 'id' },
      value: { column: 'wattage' },
      unit: { constant: 'W' },
      aspect: { constant: 'real_time' },
      zone: 'UTC',
    });
    expect(telemetryOf('postgres', { schema: 'public', name: 'other' }, tables)).toBeUndefined();
  });

  it('is looked up by the exact name first, and after the input', async () => {
    const plain = {
      sensorId: { column: 'id' },
      time: { column: 'at' },
      value: { column: 'v' },
      unit: { constant: 'plain' },
    };
    const unit = (constant: string): unknown => ({ ...plain, unit: { constant } });
    const tables = await loadTelemetryFile(
      await file({
        tables: { telemetry: plain, 'public.telemetry': unit('qualified'), 'sqlserver:telemetry': unit('of a source') },
      }),
    );
    expect(telemetryOf('postgres', TABLE, undefined, tables)?.unit).toEqual({ constant: 'qualified' });
    expect(telemetryOf('postgres', { schema: 'x', name: 'telemetry' }, tables)?.unit).toEqual({ constant: 'plain' });
    expect(telemetryOf('sqlserver', { schema: 'x', name: 'telemetry' }, tables)?.unit).toEqual({
      constant: 'of a source',
    });
    expect(telemetryOf('postgres', TABLE, { telemetry: mapping() }, tables)?.unit).toEqual({ constant: 'W' });
    expect(telemetryOf('postgres', { schema: 'x', name: 'constructor' }, tables)).toBeUndefined();
  });

  it('may begin with a byte order mark', async () => {
    expect(await loadTelemetryFile(await file('\ufeff{"tables":{}}'))).toEqual({});
  });

  it('may be none', async () => {
    expect(await loadTelemetryFile('')).toEqual({});
  });

  it.each([
    ['{', 'JSON'],
    [{ tables: { t: { sensorId: { column: 'id' } } } }, 'tables.t.time'],
    [{ table: {} }, 'table'],
  ])('%j is refused, and says where: %s', async (content, where) => {
    const loading = loadTelemetryFile(await file(content));
    await expect(loading).rejects.toMatchObject({ code: 'invalid-configuration' });
    await expect(loadTelemetryFile(await file(content))).rejects.toThrow(where);
  });

  it('that is not there is refused with its path', async () => {
    await expect(loadTelemetryFile('/nowhere/telemetry.json')).rejects.toThrow('/nowhere/telemetry.json');
  });
});

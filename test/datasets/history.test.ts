import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { provideHistory } from '../../infra/datasets/history/history.ts';
import { SERIES_ROWS } from '../../infra/datasets/history/readings.ts';
import type { ProvidedTable } from '../../infra/datasets/history/sample-table.ts';
import { loadConfig } from '../../runtime/config.ts';
import { writeSimbenchFiles } from './simbench-files.ts';

const SERVER_URL = loadConfig().HISTORY_POSTGRES_URL;
const DATABASE = `test_samples_${process.pid}`;
const DATABASE_URL = Object.assign(new URL(SERVER_URL), { pathname: `/${DATABASE}` }).href;
const NAMES = ['telemetry', 'awkward_types', 'load', 'node', 'telemetry_readings'];

describe('sample history', () => {
  let simbench: string;
  let client: pg.Client;

  beforeAll(async () => {
    simbench = await mkdtemp(join(tmpdir(), 'powergrid-simbench-'));
    await writeSimbenchFiles(simbench);
    await onServer(`CREATE DATABASE ${DATABASE}`);
    client = new pg.Client({ connectionString: DATABASE_URL });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await onServer(`DROP DATABASE ${DATABASE} WITH (FORCE)`);
    await rm(simbench, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await client.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  });

  it('keeps every digit of SimBench, and the moments that its local times mean', async () => {
    expect(await provide({ rows: 3 * SERIES_ROWS })).toEqual(
      [
        ['telemetry', 2, 'simbench'],
        ['awkward_types', 8, 'generated'],
        ['load', 2, 'simbench'],
        ['node', 2, 'simbench'],
        ['telemetry_readings', 12, 'simbench'],
      ].map(([name, rows, origin]) => ({ name, outcome: 'loaded', rows, origin })),
    );
    // Three series: the first of load, the first of generation, the second of load.
    expect(await rowsOf('SELECT * FROM telemetry_readings ORDER BY sensor_id, measured_at')).toEqual([
      '1|history.load.H0-A_pload|2016-10-29 21:45:00+00|0.1000000000|p.u.',
      '3|history.load.H0-A_pload|2016-10-30 00:45:00+00|1.0000000000|p.u.',
      '5|history.load.H0-A_pload|2016-10-30 01:00:00+00|0.2500000000|p.u.',
      '7|history.load.H0-A_pload|2016-10-30 01:15:00+00|1.0000000000|p.u.',
      '2|history.load.H0-A_qload|2016-10-29 21:45:00+00|-0.0000000942|p.u.',
      '4|history.load.H0-A_qload|2016-10-30 00:45:00+00|0.0000000000|p.u.',
      '6|history.load.H0-A_qload|2016-10-30 01:00:00+00|0.5000000000|p.u.',
      '8|history.load.H0-A_qload|2016-10-30 01:15:00+00|1.5000000000|p.u.',
      '9|history.res.PV1|2016-10-29 21:45:00+00|0.0000000000|p.u.',
      '10|history.res.PV1|2016-10-30 00:45:00+00|0.1000000000|p.u.',
      '11|history.res.PV1|2016-10-30 01:00:00+00|0.2000000000|p.u.',
      '12|history.res.PV1|2016-10-30 01:15:00+00|0.3000000000|p.u.',
    ]);
    expect(await rowsOf('SELECT * FROM node ORDER BY id')).toEqual([
      'LV Bus 4|node|∅|0.0|0.4|0.000|1.100|∅|coord_2|LV1.101|7',
      'MV1.102 busbar1.1|busbar|1.025|∅|20.0|0.965|1.055|HV1_MV1.102_Substation|coord_1|MV1.102|5',
    ]);
    expect(await rowsOf('SELECT * FROM load ORDER BY id')).toEqual([
      'LV Load 1|LV Bus 4|H0-A|0.003500|0.000395|0.00107527|LV1.101|7',
      'LV Load 2|LV Bus 4|H0-A|0.230000|0.090900|0.24731200|LV1.101|7',
    ]);
    expect(await rowsOf('SELECT * FROM telemetry ORDER BY id')).toEqual(['1|LV Load 1|3500', '2|LV Load 2|230000']);
  });

  it('is left as it is when it is there, even rows that were changed since', async () => {
    await provide({ rows: 1 });
    await client.query(`UPDATE telemetry_readings SET value = 42; DELETE FROM node`);
    expect(outcomes(await provide({ rows: 1 }))).toEqual(NAMES.map(() => 'present'));
    expect(await rowsOf('SELECT DISTINCT value FROM telemetry_readings')).toEqual(['42.0000000000']);
  });

  it('adds the series that are missing when more rows are asked for', async () => {
    await provide({ rows: 2 * SERIES_ROWS });
    const before = await rowsOf('SELECT * FROM telemetry_readings ORDER BY 1');
    await client.query(
      `INSERT INTO telemetry_readings (sensor_id, measured_at, value, unit) VALUES ('mine', now(), 1, 'MW')`,
    );
    expect(await provide({ rows: 5 * SERIES_ROWS })).toContainEqual({
      name: 'telemetry_readings',
      outcome: 'extended',
      rows: 20,
      origin: 'simbench',
    });
    const after = await rowsOf('SELECT * FROM telemetry_readings ORDER BY 1');
    expect(after.slice(0, before.length)).toEqual(before);
    expect(
      await rowsOf('SELECT count(*), count(DISTINCT sensor_id), count(DISTINCT reading_id) FROM telemetry_readings'),
    ).toEqual(['21|6|21']);
  });

  it('is generated where there is no SimBench, the same every time', async () => {
    const digest = `SELECT md5(string_agg(r::text, ',' ORDER BY reading_id)), count(*), count(DISTINCT sensor_id) FROM telemetry_readings r`;
    expect(await provide({ rows: 1, simbench: undefined })).toContainEqual({
      name: 'telemetry_readings',
      outcome: 'loaded',
      rows: SERIES_ROWS,
      origin: 'generated',
    });
    const first = await rowsOf(digest);
    expect(first[0]).toMatch(new RegExp(`\\|${SERIES_ROWS}\\|1$`));
    expect(outcomes(await provide({ rows: 1, simbench: undefined, anew: true }))).toEqual(NAMES.map(() => 'loaded'));
    expect(await rowsOf(digest)).toEqual(first);
    expect(await rowsOf(`SELECT count(*) > 1000 FROM node UNION ALL SELECT count(*) > 1000 FROM load`)).toEqual([
      'true',
      'true',
    ]);
  });

  it("leaves other people's tables alone, even when it is to make all anew", async () => {
    await client.query(`CREATE TABLE telemetry_readings (mine int); INSERT INTO telemetry_readings VALUES (7);
      CREATE TABLE node (mine int); COMMENT ON TABLE node IS 'the nodes of {my} grid'`);
    for (const anew of [false, true]) {
      const provided = await provide({ rows: 1, anew });
      expect(provided.filter(({ outcome }) => outcome === 'foreign').map(({ name }) => name)).toEqual([
        'node',
        'telemetry_readings',
      ]);
    }
    expect(await rowsOf('SELECT * FROM telemetry_readings')).toEqual(['7']);
    expect(await rowsOf('SELECT * FROM node')).toEqual([]);
  });

  it('leaves no part of a table when it is interrupted, and goes on with what is missing', async () => {
    const stop = new AbortController();
    const interrupted = provideHistory({
      databaseUrl: DATABASE_URL,
      simbenchDirectory: undefined,
      rows: 8 * SERIES_ROWS,
      signal: stop.signal,
      progress: (text) => {
        if (text.includes('telemetry_readings'))
          setTimeout(() => {
            stop.abort(new Error('told to stop'));
          }, 150);
      },
    });
    await expect(interrupted).rejects.toThrow('told to stop');
    expect((await rowsOf(`SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)).sort()).toEqual(
      NAMES.filter((name) => name !== 'telemetry_readings').sort(),
    );
    expect(outcomes(await provide({ rows: 1 }))).toEqual(['present', 'present', 'present', 'present', 'loaded']);
  });

  it('is loaded once when two load it at the same time', async () => {
    const [one, other] = await Promise.all([provide({ rows: 1 }), provide({ rows: 1 })]);
    const both = NAMES.map((_, index) => [one[index]?.outcome, other[index]?.outcome].sort());
    expect(both).toEqual(NAMES.map(() => ['loaded', 'present']));
    expect(await rowsOf('SELECT count(*) FROM telemetry_readings')).toEqual(['4']);
  });

  it.each([
    ['an unreachable server', { port: '1' }, 'source-unavailable'],
    ['an unknown database', { pathname: '/no_such_database' }, 'source-denied'],
  ])('says in one sentence what is wrong: %s', async (_, part, code) => {
    const databaseUrl = Object.assign(new URL(DATABASE_URL), part).href;
    const attempt = provideHistory({ databaseUrl, simbenchDirectory: undefined, progress: () => undefined });
    await expect(attempt).rejects.toMatchObject({ name: 'GridError', code });
  });

  function provide(options: { rows: number; simbench?: undefined; anew?: boolean }): Promise<ProvidedTable[]> {
    return provideHistory({
      databaseUrl: DATABASE_URL,
      simbenchDirectory: 'simbench' in options ? undefined : simbench,
      rows: options.rows,
      anew: options.anew === true,
      progress: () => undefined,
    });
  }

  /** Rows as text, as the server writes it; ∅ for NULL. */
  async function rowsOf(query: string): Promise<string[]> {
    await client.query(`SET TIME ZONE 'UTC'`);
    const text = { getTypeParser: () => (value: string) => value };
    const { rows } = await client.query<(string | null)[]>({ text: query, rowMode: 'array', types: text });
    return rows.map((row) =>
      row
        .map((value) => value ?? '∅')
        .join('|')
        .replace(/^t$/, 'true'),
    );
  }
});

function outcomes(tables: readonly ProvidedTable[]): string[] {
  return tables.map(({ outcome }) => outcome);
}

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: SERVER_URL });
  await client.connect();
  await client.query(statement);
  await client.end();
}

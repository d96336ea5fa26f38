import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../infra/native/ports.ts';
import { environmentOf, settingsFromConfig } from '../../infra/native/settings.ts';
import { takeDown } from '../../infra/native/stack.ts';
import { statusOf, type ServerState } from '../../infra/native/status.ts';
import { makePrivateStack, removePrivateStack, settingsOfPrivate, type PrivateStack } from '../stack/private-stack.ts';
import { eventually } from '../support/eventually.ts';
import { changeHistory, countHistory, countInHive } from './imported-history.ts';
import { StartProcess, workersOf } from './start-process.ts';
import { readNewest, readStores } from './stored-readings.ts';

const SERVERS = ['kafka', 'hdfs', 'redis', 'mongodb', 'postgres'] as const;
/** Every figure of a progress line that this test reads. */
const PROGRESS =
  /^\d+:\d\d:\d\d {2}Kafka ([\d,]+) readings .*?HDFS ([\d,]+) files? .*?MongoDB ([\d,]+) documents .*?sensor (\S+) -?[\d.]+/gm;
/** Hive and Temporal have to come up first, on a machine that may be busy; less than {@link TEST_MS}, so that it says what is missing. */
const IMPORT_MS = 540_000;
const TEST_MS = 900_000;
const TABLES = ['awkward_types', 'load', 'node', 'telemetry', 'telemetry_readings'] as const;
const KEPT = /^Kept: ([\d,]+) readings in Kafka, ([\d,]+) files? of .+ in HDFS, ([\d,]+) documents in MongoDB/m;

describe('npm start', () => {
  let stack: PrivateStack;
  let environment: Record<string, string>;
  const runs: StartProcess[] = [];

  beforeAll(async () => {
    stack = await makePrivateStack();
    const own = await freePorts();
    environment = {
      ...environmentOf(stack),
      INGEST_PORT: String(own.kafka),
      HTTP_PORT: String(own.postgres),
      RAW_TEXT_PORT: String(own.redis),
      SPEED_METRICS_PORT: String(own.mongodb),
      SIMULATOR_METRICS_PORT: String(own.hive),
      HDFS_ROTATE_SECONDS: '3',
      START_HISTORY_ROWS: '1',
      START_SIMBENCH: String(await lendSimbench()),
    };
  });
  afterEach(async () => {
    for (const run of runs.splice(0)) {
      run.signal('SIGTERM');
      await run.ended();
    }
  });
  afterAll(() => removePrivateStack(stack));

  it('brings the servers up, streams, shows true figures, and stops when told to', async () => {
    const run = start('--keep-servers');
    await run.printed(/HDFS [1-9][\d,]* files? .*\n(.*\n)*.*HDFS [1-9][\d,]* files? .*sensor/);
    run.signal('SIGTERM');
    expect(await run.ended(), run.output).toBe(0);

    const lines = [...run.output.matchAll(PROGRESS)].map(([, ...figures]) => figures.slice(0, 3).map(figure));
    expect(lines.length).toBeGreaterThanOrEqual(2);
    for (const column of [0, 1, 2]) {
      const values = lines.map((line) => line[column] ?? NaN);
      expect(values).toEqual([...values].sort((a, b) => a - b));
      expect(values.at(-1)).toBeGreaterThan(0);
    }
    const [readings, files, documents] = kept(run);
    const stored = await readStores(environment);
    expect(stored).toMatchObject({ readings, files, documents });
    expect(stored.lines).toBe(readings);
    expect(stored.documents).toBe(readings);
    expect(await readNewest(environment, '1')).toContain('correlation_id');
    expect(run.output).not.toMatch(/^ {2}!|restart/m);
    expect(workersOf(stack.stackHome)).toEqual([]);
    expect(await states()).toEqual(['running', 'running', 'running', 'running', 'running']);
  });

  it('goes on where it stopped, takes a reading from outside, and stops at Ctrl-C without touching servers of before', async () => {
    const before = await readStores(environment);
    const run = start();
    const [, url = ''] = await run.printed(/(http:\/\/localhost:\d+\/ingest)/);
    const reply = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: 'mine,sensor_id=my-sensor,unit=MW value=42',
    });
    expect(await reply.json()).toMatchObject({ accepted: 1 });
    await run.printed(/sensor my-sensor 42 MW/);
    run.signal('SIGINT');
    expect(await run.ended(), run.output).toBe(0);

    const [readings, files, documents] = kept(run);
    expect(await readStores(environment)).toMatchObject({ readings, files, documents, lines: readings });
    expect(readings).toBeGreaterThan(before.readings);
    expect(run.output).toContain('Left up, since this run did not start them: kafka, hdfs, redis, mongodb, postgres');
    expect(workersOf(stack.stackHome)).toEqual([]);
    expect(await states()).toEqual(['running', 'running', 'running', 'running', 'running']);
  });

  it('refuses to run twice, tells of a worker that died and starts it again', async () => {
    const run = start();
    await run.printed(/Kafka [\d,]+ readings/);
    const second = start();
    expect(await second.ended()).toBe(1);
    expect(second.output).toContain(`it runs already in ${stack.stackHome} (process ${run.pid})`);

    const before = workersOf(stack.stackHome);
    expect(before.map(({ script }) => script).sort()).toEqual(
      ['ingest', 'serving', 'simulator', 'speed'].map((name) => `workers/${name}.ts`),
    );
    const speed = before.find(({ script }) => script === 'workers/speed.ts');
    process.kill(speed?.pid ?? -1, 'SIGKILL');
    await run.printed(/The speed worker ended \(SIGKILL\) and is started again in 1 s\. Its last lines:/);
    await run.printed(/\| 1 worker restart/);
    run.signal('SIGTERM');
    expect(await run.ended(), run.output).toBe(0);
    const [readings, files, documents] = kept(run);
    expect(await readStores(environment)).toMatchObject({ readings, files, documents });
    expect(workersOf(stack.stackHome)).toEqual([]);
  });

  it('leaves no worker behind when it is killed itself, and loses nothing', async () => {
    const run = start();
    await run.printed(/Kafka [\d,]+ readings/);
    expect(workersOf(stack.stackHome)).toHaveLength(4);
    run.signal('SIGKILL');
    await run.ended();
    await eventually('the workers have ended', () => workersOf(stack.stackHome).length === 0);

    // Without sources all that Kafka has is soon in every store.
    environment['SIMULATOR_SENSORS'] = '0';
    const next = start('--no-simbench');
    delete environment['SIMULATOR_SENSORS'];
    await next.printed(/HDFS .*?\/s 0 waiting \| Redis .*?\/s 0 waiting \| MongoDB .*?\/s 0 waiting /);
    next.signal('SIGTERM');
    expect(await next.ended(), next.output).toBe(0);
    const [readings] = kept(next);
    const stored = await readStores(environment);
    expect([stored.documents, stored.lines]).toEqual([readings, readings]);
  });

  it('says which port is taken and by whom', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(Number(environment['INGEST_PORT']), '127.0.0.1', resolve));
    const run = start();
    const code = await run.ended();
    await new Promise((resolve) => other.close(resolve));
    expect(code).toBe(1);
    expect(run.output).toMatch(
      new RegExp(`Starting the ingest gateway: port ${environment['INGEST_PORT'] ?? ''} is taken by process \\d+`),
    );
    expect(workersOf(stack.stackHome)).toEqual([]);
  });

  it('stops the servers that it started, and only those', async () => {
    await takeDown(['redis'], stack);
    const run = start('--for', '1');
    expect(await run.ended(), run.output).toBe(0);
    expect(run.output).toContain('Stopped redis.');
    expect(await states()).toEqual(['running', 'running', 'stopped', 'running', 'running']);
  });

  it(
    'imports the sample history beside the streaming, and shows what PostgreSQL and Hive have',
    async () => {
      const run = startWithHistory();
      const [, summary = ''] = await run.printed(/^Imported 5 tables of (PostgreSQL .*\n.*)/m, IMPORT_MS);
      await run.printed(/ history [\d,]+ rows .*5 tables in Hive/);
      await run.printed(
        /^Discovered [\d,]+ legacy files of a sample share .* landed in HDFS, [\d,]+ duplicates\.$/m,
        IMPORT_MS,
      );
      run.signal('SIGTERM');
      expect(await run.ended(), run.output).toBe(0);

      const stored = await countHistory(environment, TABLES);
      expect(stored['telemetry_readings']).toBeGreaterThanOrEqual(35_136);
      const total = Object.values(stored).reduce((sum, count) => sum + count, 0);
      expect(shownCounts(summary)).toEqual(stored);
      expect(await countInHive(environment, TABLES)).toEqual(stored);
      expect(summary).toMatch(new RegExp(`: ${total.toLocaleString('en')} rows in .* splits?, verified\\.$`, 'm'));
      expect(run.output).toMatch(new RegExp(`^History: ${total.toLocaleString('en')} rows of 5 tables in Hive`, 'm'));
      expect(run.output).toContain(
        `:${environment['TEMPORAL_UI_PORT'] ?? ''}/namespaces/default/workflows/first-import`,
      );
      expect(kept(run)).toHaveLength(3);
      expect(run.output).not.toContain('restart');
      expect(workersOf(stack.stackHome)).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'takes over only what has changed when it is started again',
    async () => {
      await changeHistory(
        environment,
        `INSERT INTO telemetry_readings (sensor_id, measured_at, value, unit) VALUES ('mine', now(), 42, 'MW');
       UPDATE telemetry SET wattage = wattage + 1 WHERE id <= 10`,
      );
      const run = startWithHistory();
      const [, summary = ''] = await run.printed(/^Imported 2 tables of (PostgreSQL .*\n.*)/m, IMPORT_MS);
      run.signal('SIGTERM');
      expect(await run.ended(), run.output).toBe(0);

      // One row that is new, and the small table of the rows that were updated.
      const [, rows = ''] = /: ([\d,]+) rows in .*verified\.$/m.exec(summary) ?? [];
      expect(figure(rows)).toBeGreaterThanOrEqual(11);
      expect(figure(rows)).toBeLessThanOrEqual(5_001);
      const stored = await countHistory(environment, TABLES);
      expect(shownCounts(summary)).toEqual(stored);
      expect(await countInHive(environment, TABLES)).toEqual(stored);
      expect(run.output).not.toMatch(/^ {2}history .*sample tables/m);
    },
    TEST_MS,
  );

  it(
    'says in a sentence why an import failed and how to retry it, and streams on',
    async () => {
      await changeHistory(environment, `CREATE TABLE broken AS SELECT timestamptz 'infinity' AS never`);
      const run = startWithHistory();
      await run.printed(/^The import of SQL history failed: .*npm run job -- retry.*\n {2}.*broken.*/m);
      await run.printed(/history failed[^\n]*\n(.*\n)*.* history failed/);
      run.signal('SIGTERM');
      expect(await run.ended(), run.output).toBe(0);
      await changeHistory(environment, 'DROP TABLE broken');
      const [readings] = kept(run);
      expect((await readStores(environment)).readings).toBe(readings);
    },
    TEST_MS,
  );

  function start(...args: string[]): StartProcess {
    return started(['--servers', 'none', ...args]);
  }

  function startWithHistory(): StartProcess {
    return started(['--servers', 'temporal,hive', '--keep-servers']);
  }

  function started(args: readonly string[]): StartProcess {
    const run = new StartProcess(args, environment);
    runs.push(run);
    return run;
  }

  /** SimBench is too large to be downloaded for a test; where it was set up before, it is used. */
  async function lendSimbench(): Promise<boolean> {
    const name = 'simbench-1.6.3';
    const present = join(settingsFromConfig().home, 'datasets', name);
    if (!existsSync(present)) return false;
    await mkdir(join(stack.stackHome, 'datasets'), { recursive: true });
    await symlink(present, join(stack.stackHome, 'datasets', name));
    return true;
  }

  async function states(): Promise<ServerState[]> {
    return Promise.all(SERVERS.map(async (name) => (await statusOf(settingsOfPrivate(stack), name)).state));
  }

  function kept(run: StartProcess): number[] {
    return (KEPT.exec(run.output) ?? []).slice(1).map(figure);
  }
});

/** `telemetry_readings 35,136, node 100 (unchanged)` → its figures by name. */
function shownCounts(text: string): Record<string, number> {
  const list = /database \w+: (.*)$/m.exec(text.slice(text.indexOf('\n')))?.[1] ?? '';
  return Object.fromEntries(
    [...list.matchAll(/(\w+) ([\d,]+)(?:, (?=\D)| \(|$)/g)].map(([, name, count]) => [name ?? '', figure(count ?? '')]),
  );
}

function figure(text: string): number {
  return Number(text.replaceAll(',', ''));
}

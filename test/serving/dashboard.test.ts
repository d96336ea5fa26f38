import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServingDatabase } from '../../connectors/postgres/serving/serving-database.ts';
import { loadConfig } from '../../runtime/config.ts';
import { openBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { KafkaFeed } from '../support/kafka-feed.ts';
import { makeEnvelope } from '../support/readings.ts';
import { REDIS_DATABASES } from '../support/redis-databases.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { WorkerProcess } from '../support/worker-process.ts';
import { writeLegacyCatalogue } from './legacy-catalogue.ts';
import { foldNext, publish, type ModelLog, type ModelReading } from './model-layers.ts';

const NAME = `dashboard-${randomUUID().slice(0, 8)}`;
const SCHEMA = NAME.replaceAll('-', '_');
const READINGS = `${NAME}.readings`;
const DEAD_LETTERS = `${NAME}.dlq`;
const TOPICS = [READINGS, DEAD_LETTERS, `${NAME}.windows`, `${NAME}.texts`, `${NAME}.alarms`];
const SENSOR = '6';
const SENSORS = [SENSOR, '7', 'ü <b>&"'];
const PAGES = [
  ...[
    '#/sensors',
    '#/heat',
    `#/sensor/${SENSOR}?range=6h`,
    '#/alarms?state=all',
    '#/pipeline',
    '#/jobs',
    '#/dead-letters',
    '#/analyses',
  ],
  '#/files',
  '#/sql?sql=SELECT+1',
];
const HOUR_MS = 3_600_000;
const STEP_MS = 30_000;
const LONG_MS = 120_000;
const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'];

const shared = loadConfig();
const environment = {
  TOPIC_INGESTION: READINGS,
  TOPIC_DLQ: DEAD_LETTERS,
  TOPIC_AGGREGATES: `${NAME}.windows`,
  TOPIC_UNORGANIZED: `${NAME}.texts`,
  TOPIC_ALARMS: `${NAME}.alarms`,
  SERVING_SCHEMA: SCHEMA,
  MONGODB_DATABASE: NAME,
  MONGODB_ANALYSIS_DATABASE: `analysis-${NAME}`,
  MONGODB_LEGACY_DATABASE: `legacy-${NAME}`,
  REDIS_URL: `redis://${new URL(shared.REDIS_URL).host}/${REDIS_DATABASES.dashboard}`,
  HDFS_TOPICS_DIRECTORY: `/test/${NAME}`,
  CONSUMER_GROUP_PREFIX: NAME,
  TEMPORAL_TASK_QUEUE: NAME,
  SPEED_SINKS: 'redis,mongodb,router',
  SPEED_METRICS_PORT: '0',
  HTTP_PORT: '0',
};
const found = await openBrowser();
const database = new ServingDatabase({
  url: shared.SERVING_DATABASE_URL,
  schema: SCHEMA,
  maxConnections: 2,
  timeoutMs: 60_000,
  applicationName: 'test',
});
const feed = new KafkaFeed([...shared.KAFKA_BROKERS]);
let speed: WorkerProcess;
let serving: WorkerProcess;
let proxy: TcpProxy;

describe.skipIf(found.kind === 'unavailable')(
  `the dashboard${found.kind === 'unavailable' ? ` (not tried: ${found.why})` : ''}`,
  () => {
    const { browser } = found as Extract<typeof found, { kind: 'ready' }>;

    beforeAll(async () => {
      await database.migrate();
      const log = modelLog();
      for (const partition of log.partitions.keys()) await foldNext(database, log, partition, Infinity);
      // The first half is of the batch view, so that both layers and their seam are in the charts.
      await publish(
        database,
        log,
        log.segments.map((firsts) => (firsts[1] ?? 0) - 1),
      );
      await database.query(
        `INSERT INTO ${SCHEMA}.alarm (rule_id, kind, severity, sensor_id, aspect, unit, topic, partition, limit_text, since, raised_at, raised_value, raised_offset,
           raised_reason, cleared_at, cleared_value, cleared_reason)
         SELECT 'rule-' || n, 'out-of-range', (ARRAY['critical', 'warning', 'info'])[n], $1, 'real_time', 'MW', $2, 0, '> 1', now(), now(), '1.5', n,
           'reading', CASE n WHEN 3 THEN now() END, CASE n WHEN 3 THEN '1' END, CASE n WHEN 3 THEN 'reading' END FROM generate_series(1, 3) n`,
        [SENSOR, READINGS],
      );
      await writeLegacyCatalogue(environment.MONGODB_LEGACY_DATABASE);
      for (const topic of TOPICS) await feed.createTopic(topic, 2);
      await feed.send(READINGS, [
        ...SENSORS.map((sensorId) => reading(sensorId, '1.5')),
        { key: SENSOR, value: 'no envelope' },
      ]);
      speed = new WorkerProcess('npm:worker:speed', environment);
      serving = new WorkerProcess('npm:worker:serving', environment);
      proxy = await TcpProxy.start({ targetHost: '127.0.0.1', targetPort: await portOf(serving) });
      await eventually('the newest values and the dead letter are there', async () => {
        const latest = await Promise.all(
          SENSORS.map((id) => fetch(address(`/api/sensors/${encodeURIComponent(id)}/latest`))),
        );
        const { letters } = (await (await fetch(address('/api/dlq'))).json()) as {
          readonly letters: readonly unknown[];
        };
        return latest.every(({ ok }) => ok) && letters.length > 0;
      });
    });

    afterAll(async () => {
      await browser.close();
      await Promise.all([speed.stop(), serving.stop()]);
      await proxy.close();
      await feed.deleteTopics(TOPICS);
      await feed.close();
      await database.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);
      await database.close();
      const redis = new Redis(environment.REDIS_URL);
      await redis.flushdb();
      redis.disconnect();
      const mongodb = new MongoClient(shared.MONGODB_URL);
      await mongodb.db(NAME).dropDatabase();
      await mongodb.db(`analysis-${NAME}`).dropDatabase();
      await mongodb.db(environment.MONGODB_LEGACY_DATABASE).dropDatabase();
      await mongodb.close();
    });

    async function portOf(worker: WorkerProcess): Promise<number> {
      return eventually('the serving worker listens', () => {
        if (!worker.isRunning) throw new Error(worker.output);
        const port = /"url":"http:\/\/127\.0\.0\.1:(\d+)\/"/.exec(worker.output)?.[1];
        return port === undefined ? undefined : Number(port);
      });
    }

    /** What is sent is told only by a feed that reads already: it is sent until it is seen. */
    async function sendUntilSeen(page: Page, sensorId: string, value: string, selector: string): Promise<void> {
      await eventually(`${value} is shown`, async () => {
        await feed.send(READINGS, [reading(sensorId, value)]);
        return page
          .locator(selector)
          .waitFor({ timeout: 5_000 })
          .then(() => true)
          .catch(() => false);
      });
    }

    /** Through a proxy, so that a worker that is started again is found at the same address. */
    function address(path: string): string {
      return `http://127.0.0.1:${proxy.port}${path}`;
    }

    /** A page in a browser that has seen nothing before, and what it complains of. */
    async function opened(
      hash: string,
      options: BrowserContextOptions = {},
    ): Promise<{ page: Page; complaints: string[] }> {
      const context = await browser.newContext({ locale: 'en-US', ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(LONG_MS);
      const complaints: string[] = [];
      page.on('console', (message) => {
        // A store that is slow for a moment is no fault of the page.
        const isBusyStore = /the server responded with a status of (?:429|50[34])/.test(message.text());
        if (['error', 'warning'].includes(message.type()) && !isBusyStore) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(address(`/${hash}`));
      return { page, complaints };
    }

    /** Until it shows what it has, rather than that it is loading. */
    async function settled(page: Page): Promise<void> {
      const isSettled = `
        document.querySelector('#page h1') !== null &&
        [...document.querySelectorAll('#page .state, .strip p')].every(({ textContent }) => !textContent.endsWith('…'))
      `;
      await eventually('the page shows what it has', () => page.evaluate<boolean>(isSettled), LONG_MS, 50);
    }

    describe.each(['dark', 'light'] as const)('in %s', (colorScheme) => {
      it.each(PAGES)('shows %s without a complaint, to everyone', async (hash) => {
        const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
        const { page, complaints } = await opened(hash, { colorScheme });
        await settled(page);
        await page.evaluate(axe);
        const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
          `axe.run(document, { runOnly: ${JSON.stringify(AXE_TAGS)} })`,
        );
        expect(
          violations.map(({ id, nodes }) => [id, nodes.slice(0, 3).map(({ html }) => html.slice(0, 200))]),
        ).toEqual([]);
        expect(complaints).toEqual([]);
        await page.context().close();
      });
    });

    it.each(PAGES)('fits %s into 400 pixels', async (hash) => {
      const { page } = await opened(hash, { viewport: { width: 400, height: 800 } });
      await settled(page);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(400);
      await page.context().close();
    });

    it('shows a value as soon as it comes, and names as text whatever is in them', async () => {
      const { page, complaints } = await opened('#/sensors');
      for (const [at, sensorId] of SENSORS.entries()) {
        const value = `${at + 2}5.125`;
        await page.locator(`tr[data-sensor=${JSON.stringify(sensorId)}]`).waitFor();
        await page.locator('[data-live=live]').waitFor();
        await sendUntilSeen(
          page,
          sensorId,
          value,
          `tr[data-sensor=${JSON.stringify(sensorId)}] td.value [title="${value} MW"]`,
        );
      }
      expect(await page.locator('tbody b').count()).toBe(0);
      expect(complaints).toEqual([]);
      await page.context().close();
    });

    it('shows open alarms, and takes the word of who has seen one', async () => {
      const { page, complaints } = await opened('#/alarms');
      const rows = page.locator('tbody tr');
      await rows.first().waitFor();
      expect(await rows.count()).toBe(2);
      await page.getByRole('button', { name: 'Acknowledge rule-1 of sensor 6' }).click();
      await page.locator('dialog').getByRole('button', { name: 'Acknowledge' }).click();
      await page.locator('tr', { hasText: 'rule-1' }).getByText('acknowledged').waitFor();
      await page.goto(address(`/#/sensor/${SENSOR}`));
      await page.locator('section[aria-label="Open alarms"] tbody tr').nth(1).waitFor();
      expect(complaints).toEqual([]);
      await page.context().close();
    });

    it('goes on by itself when the serving worker was away', async () => {
      const { page } = await opened(`#/sensor/${SENSOR}`);
      await page.locator('[data-live=live]').waitFor();
      await serving.stop();
      await page.locator('[data-live=away]').waitFor();
      serving = new WorkerProcess('npm:worker:serving', environment);
      proxy.retarget(await portOf(serving));
      await page.locator('[data-live=live]').waitFor();
      await sendUntilSeen(page, SENSOR, '77.375', '.now [title="77.375 MW"]');
      await page.context().close();
    });

    it('says the same in the table as in the chart: windows of the batch view, of the speed layer, and of both', async () => {
      const { page } = await opened(`#/sensor/${SENSOR}?resolution=hour`);
      await page.locator('.chart canvas').first().waitFor();
      await page.locator('details summary').first().click();
      const rows = page.locator('details tbody tr');
      await rows.first().waitFor();
      const answer = (await (
        await fetch(address(`/api/sensors/${SENSOR}/series?resolution=hour&from=now-8h`))
      ).json()) as { readonly windows: readonly { readonly mean: string; readonly part: string }[] };
      const layers = await rows.locator('td:last-child').allTextContents();
      expect(new Set(layers)).toEqual(new Set(answer.windows.map(({ part }) => part)));
      for (const { mean } of answer.windows) await page.locator(`details [title="${mean} MW"]`).first().waitFor();
      await page.context().close();
    });

    it('leads from a window to its readings, and from a reading to its places in Kafka and HDFS', async () => {
      const series = await fetch(address(`/api/sensors/${SENSOR}/series?resolution=hour&from=now-8h`));
      const { windows } = (await series.json()) as { readonly windows: readonly { readonly start: string }[] };
      const startMs = Date.parse(windows.at(-1)?.start ?? '');
      const raw = { sensorId: SENSOR, modality: '3.0625', createdAt: ((startMs + 1_000) / 1_000).toFixed(3) };
      await feed.send(READINGS, [{ key: SENSOR, value: makeEnvelope(raw) }]);
      const from = new Date(startMs).toISOString();
      await eventually('the reading is in MongoDB', async () => {
        const stored = await fetch(address(`/api/sensors/${SENSOR}/readings?from=${from}&limit=1`));
        return stored.ok && (await stored.text()).includes('3.0625');
      });
      const { page } = await opened(`#/sensor/${SENSOR}?resolution=hour`);
      await page.locator('.chart canvas').first().waitFor();
      await page.locator('details summary').first().click();
      await page.locator('details tbody button').first().click();
      const record = page.locator('tr', { has: page.locator('[title="3.0625 MW"]') });
      await record.locator('button').click();
      const told = (await page.locator('dialog[open] dl').textContent()) ?? '';
      expect(told).toMatch(new RegExp(`Kafka${READINGS}, partition [01], offset \\d+`));
      expect(told).toContain('3.0625 MW');
      await page.context().close();
    });

    it('is worked by keys alone', async () => {
      const { page } = await opened('#/sensors');
      await page.locator('tbody tr').nth(1).waitFor();
      const second = await page.locator('tbody tr').nth(1).getAttribute('data-sensor');
      await page.keyboard.press('/');
      expect(await page.evaluate('document.activeElement?.type')).toBe('search');
      await page.locator('tbody a').first().focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.waitForURL(address(`/#/sensor/${encodeURIComponent(second ?? '')}`));
      await page.locator('.chart').focus();
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('?');
      await page.locator('dialog[open] kbd').first().waitFor();
      await page.keyboard.press('Escape');
      await page.keyboard.press('g');
      await page.keyboard.press('d');
      await page.waitForURL(address('/#/dead-letters'));
      await page.context().close();
    });
  },
);

function reading(sensorId: string, modality: string): { key: string; value: string } {
  return { key: sensorId, value: makeEnvelope({ sensorId, modality }) };
}

/** Some hours of readings of each sensor, up to now; a segment ends in the middle. */
function modelLog(): ModelLog {
  const nowMs = Date.now();
  const partitions = SENSORS.map((sensorId, at) =>
    Array.from({ length: (4 * HOUR_MS) / STEP_MS }, (_, step): ModelReading => {
      const eventTimeMs = nowMs - 4 * HOUR_MS + step * STEP_MS;
      return {
        ...{ sensorId, aspect: 'real_time', unit: 'MW', eventTimeMs },
        modality: (20 + at + 5 * Math.sin(step / 40)).toFixed(3),
        createdAt: (eventTimeMs / 1_000).toFixed(3),
        correlationId: randomUUID(),
      };
    }),
  );
  return { partitions, segments: partitions.map(({ length }) => [0, length / 2]) };
}

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { environmentSchema, loadConfig } from '../../runtime/config.ts';
import { npmScript } from '../launch/npm-script.ts';
import { parseAddress } from '../native/settings.ts';

const projectFile = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const serviceSchema = z.object({
  image: z.string(),
  build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
  healthcheck: z.object({ test: z.array(z.string()).min(2), interval: z.string(), retries: z.number() }),
  mem_limit: z.string(),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  profiles: z.array(z.string()).default([]),
  command: z.array(z.string()).default([]),
  stop_grace_period: z.string().optional(),
  network_mode: z.string().optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.literal('service_healthy') })).default({}),
});
const composeSchema = z.object({
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), z.null()),
});

const text = readFileSync(projectFile('docker-compose.yml'), 'utf8');
const compose = composeSchema.parse(parse(text, { merge: true }));
const services = Object.entries(compose.services);
const workers = services.filter(([name]) => name.startsWith('worker-'));
const config = loadConfig({});

/** `127.0.0.1:9092:9092` of every service → host port → service. */
const published = new Map(
  services.flatMap(([name, { ports }]) => ports.map((mapping) => [Number(mapping.split(':')[1]), name] as const)),
);

it('describes every server with a health check and a memory limit, and waits only for what is healthy', () => {
  // The schema above has checked the former of each service that is in the file.
  expect(services.map(([name]) => name).sort()).toEqual([
    ...['datanode', 'grafana', 'hive', 'kafka', 'mongodb', 'namenode', 'postgres', 'prometheus', 'redis', 'sqlserver'],
    ...['temporal', 'worker-batch', 'worker-ingest', 'worker-simulator', 'worker-speed'],
  ]);
  for (const [name, { depends_on: needs }] of services) {
    for (const needed of Object.keys(needs)) expect([name, compose.services[needed]]).not.toEqual([name, undefined]);
  }
});

it('pins every image that it pulls to a version', () => {
  for (const [name, { image, build }] of services) {
    if (build !== undefined) continue;
    const tag = /^[\w./-]+:([\w.-]+)$/.exec(image)?.[1] ?? '';
    expect([name, tag]).toEqual([name, expect.stringMatching(/^v?\d+(\.\d+)+$|^\d{4}-CU\d+-/)]);
  }
});

it('declares the named volumes that it uses, all others are files of the project', () => {
  const used = services.flatMap(([, { volumes }]) => volumes.map((volume) => volume.split(':')[0] ?? ''));
  const named = used.filter((source) => !source.startsWith('.'));
  expect([...new Set(named)].sort()).toEqual(Object.keys(compose.volumes).sort());
  for (const source of used.filter((path) => path.startsWith('.'))) {
    expect([source, existsSync(projectFile(source))]).toEqual([source, true]);
  }
});

it('publishes the ports of the default configuration, on the loopback only', () => {
  const expected = {
    kafka: parseAddress(config.KAFKA_BROKERS[0] ?? '').port,
    namenode: parseAddress(config.WEBHDFS_URL[0] ?? '').port,
    hive: parseAddress(config.HIVE_URL).port,
    redis: parseAddress(config.REDIS_URL).port,
    mongodb: parseAddress(config.MONGODB_URL).port,
    postgres: parseAddress(config.SERVING_DATABASE_URL).port,
    temporal: parseAddress(config.TEMPORAL_ADDRESS[0] ?? '').port,
    'worker-ingest': config.INGEST_PORT,
  };
  for (const [service, port] of Object.entries(expected)) expect([port, published.get(port)]).toEqual([port, service]);
  expect(published.get(parseAddress(config.HISTORY_POSTGRES_URL).port)).toBe('postgres');
  expect(published.get(config.TEMPORAL_UI_PORT)).toBe('temporal');
  expect(published.get(config.RAW_TEXT_PORT)).toBe('worker-ingest');
  const mappings = services.flatMap(([, { ports }]) => ports);
  expect(mappings.filter((mapping) => !/^127\.0\.0\.1:(\d+):\1$/.test(mapping))).toEqual([]);
  expect(published.size).toBe(mappings.length);
});

it('makes the databases that the default configuration names', () => {
  const { environment, volumes } = compose.services['postgres'] ?? { environment: {}, volumes: [] };
  const serving = new URL(config.SERVING_DATABASE_URL);
  expect(environment).toMatchObject({ POSTGRES_DB: serving.pathname.slice(1), POSTGRES_USER: serving.username });
  const history = new URL(config.HISTORY_POSTGRES_URL);
  const script = volumes.find((volume) => volume.includes('/docker-entrypoint-initdb.d/'))?.split(':')[0] ?? '';
  expect(readFileSync(projectFile(script), 'utf8')).toContain(`CREATE DATABASE ${history.pathname.slice(1)};`);
});

it('gives workers only variables that the configuration or Node knows, with values that it takes', () => {
  for (const [name, { environment }] of workers) {
    const known = { ...environmentSchema.shape, ...npmScript(name.replace('-', ':')).environment };
    expect([name, Object.keys(environment).filter((key) => !Object.hasOwn(known, key))]).toEqual([name, []]);
    expect(() => loadConfig({ ...environment, LOG_LEVEL: 'info' })).not.toThrow();
  }
});

it('lets workers be reached for their health, and stop in their own time', () => {
  const healthPorts = new Map([
    ['worker-ingest', config.INGEST_PORT],
    ['worker-speed', config.SPEED_METRICS_PORT],
    ['worker-batch', config.BATCH_METRICS_PORT],
    ['worker-simulator', config.SIMULATOR_METRICS_PORT],
  ]);
  for (const [name, worker] of workers) {
    expect(worker.profiles).toEqual(['workers']);
    expect(worker.healthcheck.test.join(' ')).toContain(`http://localhost:${healthPorts.get(name) ?? 0}/healthz`);
    expect(Number(/^(\d+)s$/.exec(worker.stop_grace_period ?? '')?.[1]) * 1_000).toBeGreaterThan(
      config.SHUTDOWN_TIMEOUT_MS + 2_000,
    );
  }
});

it('lets whoever follows a WebHDFS redirect reach the DataNode, from the host and from the workers that write', () => {
  expect(compose.services['datanode']?.environment['HDFS-SITE.XML_dfs.datanode.hostname']).toBe('localhost');
  expect(published.get(9864)).toBe('datanode');
  for (const name of ['worker-speed', 'worker-batch']) {
    expect([name, compose.services[name]?.network_mode]).toEqual([name, 'service:datanode']);
  }
});

it('runs workers that are in the image', () => {
  const dockerfile = readFileSync(projectFile('infra/docker/Dockerfile'), 'utf8');
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) =>
    sources.split(' '),
  );
  expect(copied.length).toBeGreaterThan(5);
  for (const path of copied) expect([path, existsSync(projectFile(path))]).toEqual([path, true]);
  const ignored = readFileSync(projectFile('.dockerignore'), 'utf8').split('\n');
  for (const path of copied) expect(ignored).toContain(`!${path}`);
  for (const [, { command, build }] of workers) {
    const script = command.at(-1) ?? '';
    expect(build?.dockerfile).toBe('infra/docker/Dockerfile');
    expect(copied).toContain(script.split('/')[0]);
    expect(existsSync(projectFile(script))).toBe(true);
  }
});

it('runs workers as npm does', () => {
  for (const [name, { command, environment }] of workers) {
    const { flags, args, environment: own } = npmScript(name.replace('-', ':'));
    expect([name, command]).toEqual([name, [...flags, ...args.slice(-1)]]);
    expect(environment).toMatchObject(own);
  }
});

it('has each password in one place, whose default example.env tells', () => {
  const variables = [...text.matchAll(/\$\{(\w+):-([^}]*)\}/g)].map(([, name = '', value = '']) => ({ name, value }));
  const names = variables.map(({ name }) => name);
  expect(names).toHaveLength(new Set(names).size);
  const example = readFileSync(projectFile('example.env'), 'utf8');
  for (const { name, value } of variables) expect(example).toMatch(new RegExp(`^(# )?${name}=${value}$`, 'm'));
  const passwords = services.flatMap(([, { environment }]) =>
    Object.entries(environment).filter(([name]) => name.endsWith('PASSWORD')),
  );
  expect(passwords).toHaveLength(3);
  for (const [, value] of passwords) expect(value).toMatch(/^\$\{\w+:-.{8,}\}$/);
});

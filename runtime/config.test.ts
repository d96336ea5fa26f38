import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { describe, expect, it } from 'vitest';
import { GridError } from '../grid/errors.ts';
import { SINK_NAMES } from '../grid/sinks.ts';
import { environmentSchema, loadConfig, readEnvironment, type Config } from './config.ts';

const exampleText = readFileSync(new URL('../example.env', import.meta.url), 'utf8');
const example = parse(exampleText);
const names = Object.keys(environmentSchema.shape) as (keyof Config)[];

function faultOf(environment: NodeJS.ProcessEnv): GridError {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof GridError) return error;
    throw error;
  }
  throw new Error(`accepted ${JSON.stringify(environment)}`);
}

describe('example.env', () => {
  it('lists every variable once, in the order of the schema, and no other', () => {
    const listed = [...exampleText.matchAll(/^([A-Z0-9_]+)=/gm)].map(([, name]) => name);
    expect(listed).toEqual(names);
  });

  it('gives each variable the default that it has', () => {
    const defaults = loadConfig({});
    for (const name of names) {
      const value = example[name];
      // An empty variable counts as not set, so it would agree with any default.
      if (value === '') expect([name, defaults[name] ?? '']).toEqual([name, '']);
      else expect([name, loadConfig({ [name]: value })[name]]).toEqual([name, defaults[name]]);
    }
  });

  it('explains each variable in the line above it', () => {
    const lines = exampleText.split('\n');
    for (const name of names) {
      const above = lines[lines.findIndex((line) => line.startsWith(`${name}=`)) - 1];
      expect([name, above]).toEqual([name, expect.stringMatching(/^# \S.{15,}/)]);
    }
  });
});

describe('a bad value', () => {
  it.each([
    ['KAFKA_BROKERS', 'http://broker:9092', 'must be host:port'],
    ['KAFKA_BROKERS', ',', 'must name at least one broker'],
    ['WEBHDFS_URL', 'hdfs://namenode:9000', 'must be an http:// or https:// URL'],
    ['HIVE_URL', 'http://localhost:10000', 'must be a URL that starts with hive2://'],
    ['REDIS_URL', 'localhost:6379', 'must be a URL that starts with redis:// or rediss://'],
    ['MONGODB_URL', 'localhost', 'must be a URL that starts with mongodb://'],
    ['SERVING_DATABASE_URL', 'mysql://localhost/serving', 'must be a URL that starts with postgres://'],
    ['INGEST_PORT', '65536', 'must lie between 0 and 65535'],
    ['INGEST_PORT', '80a', 'must be a whole number'],
    ['INGEST_PORT', '8090.5', 'must be a whole number'],
    ['LOG_LEVEL', 'loud', 'expected one of'],
    ['TOPIC_INGESTION', 'no spaces', 'must be a Kafka topic name'],
    ['TOPIC_DLQ', '..', 'must be a Kafka topic name'],
    ['TOPIC_INGESTION', '_readings', 'must not begin with . or _'],
    ['TOPIC_UNORGANIZED', '.tmp', 'must not begin with . or _'],
    ['TOPIC_INGESTION', 't'.repeat(201), 'must have at most 200 characters'],
    ['SPEED_SINKS', 'hdfs,cassandra', `may name only: ${SINK_NAMES.join(', ')}`],
    ['HDFS_TOPICS_DIRECTORY', 'topics', 'must be an absolute HDFS path'],
    ['HDFS_TOPICS_DIRECTORY', '/topics/', 'without a slash at its end'],
    ['HDFS_TOPICS_DIRECTORY', '/a//b', 'must have no empty segment'],
    ['HDFS_TOPICS_DIRECTORY', '/a/../b', 'must have no empty segment'],
    ['HDFS_IMPORTS_DIRECTORY', '/a:b', 'and no colon'],
    ['HDFS_ROTATE_SECONDS', '0', 'must lie between 1 and 86400'],
    ['SIMULATOR_LATE_SHARE', '1.5', 'must lie between 0 and 1'],
    ['SIMULATOR_RATE_HZ', 'fast', 'must be a number'],
    ['SIMULATOR_START', '2016-03-01T12:00', 'must be a date'],
    ['SIMULATOR_START', '2016-13-01', 'must be a date'],
    ['FILE_SOURCE_LOOP', 'yes', 'expected one of'],
  ])('%s=%s is refused, named and explained', (name, value, explanation) => {
    const { code, message } = faultOf({ [name]: value });
    expect(code).toBe('invalid-configuration');
    expect(message).toContain(`${name}=${JSON.stringify(value)}`);
    expect(message).toContain(explanation);
  });

  it('does not hide another', () => {
    const { message } = faultOf({ INGEST_PORT: 'x', HTTP_PORT: 'y', REDIS_URL: 'z' });
    for (const name of ['INGEST_PORT="x"', 'HTTP_PORT="y"', 'REDIS_URL="z"']) expect(message).toContain(name);
  });

  it('is shown without the password in it', () => {
    const { message } = faultOf({ MONGODB_URL: 'http://reader:secret@db:27017' });
    expect(message).toContain('MONGODB_URL="http://reader:***@db:27017"');
    expect(message).not.toContain('secret');
  });
});

describe('values', () => {
  it('that are empty count as not set', () => {
    expect(loadConfig({ INGEST_PORT: '', SPEED_SINKS: '' })).toEqual(loadConfig({}));
  });

  it('that list several things are cut at commas, without the spaces around them', () => {
    const config = loadConfig({ KAFKA_BROKERS: 'a:1, b:2,', SPEED_SINKS: 'redis, hdfs' });
    expect(config.KAFKA_BROKERS).toEqual(['a:1', 'b:2']);
    expect(config.SPEED_SINKS).toEqual(['redis', 'hdfs']);
  });

  it('that are dates mean UTC unless they say otherwise', () => {
    expect(loadConfig({ FILE_SOURCE_FROM: '2016-03-01' }).FILE_SOURCE_FROM).toBe(Date.UTC(2016, 2, 1));
    expect(loadConfig({ FILE_SOURCE_FROM: '2016-03-01T12:00:00+02:00' }).FILE_SOURCE_FROM).toBe(
      Date.UTC(2016, 2, 1, 10),
    );
  });

  it('of the environment win over those of the .env file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'powergrid-config-'));
    const before = { directory: process.cwd(), port: process.env['INGEST_PORT'] };
    try {
      writeFileSync(join(directory, '.env'), 'INGEST_PORT=1001\nHTTP_PORT=1002\n');
      process.chdir(directory);
      process.env['INGEST_PORT'] = '2001';
      const config = loadConfig(readEnvironment());
      expect(config.INGEST_PORT).toBe(2001);
      if (process.env['HTTP_PORT'] === undefined) expect(config.HTTP_PORT).toBe(1002);
    } finally {
      process.chdir(before.directory);
      if (before.port === undefined) delete process.env['INGEST_PORT'];
      else process.env['INGEST_PORT'] = before.port;
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

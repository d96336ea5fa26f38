import { config as loadDotenv } from 'dotenv';
import { z } from 'zod';
import { GridError } from '../grid/errors.ts';
import { isResolution, RESOLUTIONS } from '../grid/aggregate/window.ts';
import { isSinkName, SINK_NAMES } from '../grid/sinks.ts';

/** `127.0.0.1:9092, other:9092` → its parts; at least one. */
const list = (description: string) =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .refine((parts) => parts.length > 0, `must name at least one ${description}`);

const hostAndPort = (name: string) =>
  list(name).refine(
    (parts) => parts.every((part) => /^[^\s:/]+:\d{1,5}$/.test(part)),
    'must be host:port, several separated by commas',
  );

const url = (...protocols: string[]) =>
  z.string().refine(
    (text) => {
      const parsed = URL.canParse(text) ? new URL(text) : undefined;
      return parsed !== undefined && protocols.includes(parsed.protocol.slice(0, -1));
    },
    `must be a URL that starts with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`,
  );

const integer = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^-?\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must lie between ${min} and ${max}`);

const decimal = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d+(\.\d+)?$/, 'must be a number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must lie between ${min} and ${max}`);

/** A date or a date and time with its offset from UTC, as epoch milliseconds; undefined when it is empty. */
const moment = () =>
  z
    .string()
    .refine(
      (text) =>
        text === '' || (/^\d{4}-\d\d-\d\d(T.*(Z|[+-]\d\d:\d\d))?$/.test(text) && !Number.isNaN(Date.parse(text))),
      'must be a date (UTC) or a date and time with its offset, such as 2016-03-01 or 2016-03-01T12:00:00Z',
    )
    .transform((text) => (text === '' ? undefined : Date.parse(text)));

/** The name of an HTTP header; empty: none. */
const headerName = () => z.string().regex(/^[A-Za-z0-9-]{0,100}$/, 'must be the name of an HTTP header');

const port = () => integer(0, 65_535);
const kafkaName = () => z.string().regex(/^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/, 'must be a Kafka topic name');
/** A topic whose records lie in HDFS, in a directory and in files of its name (255 bytes with the offsets behind it). */
const storedTopicName = () =>
  kafkaName()
    .regex(/^.{1,200}$/, 'must have at most 200 characters, since its files in HDFS are named after it')
    .regex(/^[^._]/, 'must not begin with . or _, since readers of HDFS pass over such directories');
const hdfsDirectory = () =>
  z
    .string()
    .max(1_000)
    .regex(/^\/[^\s]*[^/\s]$/, 'must be an absolute HDFS path without a slash at its end')
    .regex(/^(?:\/(?!\.{1,2}(?:\/|$))[^/:]+)+$/, 'must have no empty segment, no . or .., and no colon');

/**
 * Every variable that the project reads, with its default and its check. The defaults match the native stack.
 * `example.env` lists the same names; a test holds the two together.
 */
export const environmentSchema = z.object({
  // Addresses
  KAFKA_BROKERS: hostAndPort('broker').prefault('localhost:9092'),
  WEBHDFS_URL: list('NameNode URL')
    .refine((urls) => urls.every((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)), {
      message: 'must be an http:// or https:// URL, several (for high availability) separated by commas',
    })
    .prefault('http://localhost:9870'),
  HDFS_USER: z.string().min(1).prefault('powergrid'),
  HIVE_URL: url('hive2').prefault('hive2://localhost:10000'),
  REDIS_URL: url('redis', 'rediss').prefault('redis://localhost:6379'),
  MONGODB_URL: url('mongodb', 'mongodb+srv').prefault('mongodb://localhost:27017'),
  MONGODB_DATABASE: z.string().min(1).prefault('kafka'),
  TEMPORAL_ADDRESS: hostAndPort('address').prefault('localhost:7233'),
  TEMPORAL_UI_PORT: port().prefault('8233'),
  TEMPORAL_NAMESPACE: z.string().min(1).prefault('default'),
  SERVING_DATABASE_URL: url('postgres', 'postgresql').prefault('postgresql://powergrid@localhost:5432/serving'),
  SERVING_SCHEMA: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'must be lower-case letters, digits and underscores, no digit first')
    .prefault('public'),
  HISTORY_POSTGRES_URL: url('postgres', 'postgresql').prefault('postgresql://powergrid@localhost:5432/history'),
  HISTORY_MSSQL_URL: z.string().prefault(''),

  // Batch jobs
  TEMPORAL_TASK_QUEUE: z.string().min(1).prefault('batch'),
  BATCH_METRICS_PORT: port().prefault('9466'),
  HDFS_IMPORTS_DIRECTORY: hdfsDirectory().prefault('/imports'),
  HIVE_DATABASE_PREFIX: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be lower-case letters, digits and underscores, a letter first')
    .prefault('history'),
  HIVE_DATABASE: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be lower-case letters, digits and underscores, a letter first')
    .prefault('default'),
  HDFS_ANALYSIS_DIRECTORY: hdfsDirectory().prefault('/analysis'),
  HDFS_SAMPLE_TEXTS_DIRECTORY: hdfsDirectory().prefault('/texts/samples'),
  HIVE_ANALYSIS_DATABASE: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be lower-case letters, digits and underscores, a letter first')
    .prefault('analysis'),
  HIVE_QUERY_WRITES: z.enum(['on', 'off']).prefault('off'),
  MONGODB_ANALYSIS_DATABASE: z.string().min(1).prefault('analysis'),
  HDFS_UNORGANIZED_DIRECTORY: hdfsDirectory().prefault('/unorganized'),
  MONGODB_LEGACY_DATABASE: z.string().min(1).prefault('legacy'),
  LEGACY_SHARE: z
    .string()
    .regex(/^(?:(?:hdfs:)?\/.*)?$/, 'must be an absolute path of a directory, or hdfs: and an absolute path')
    .prefault(''),
  LEGACY_WORK_DIRECTORY: z.string().prefault(''),
  LEGACY_MAX_FILE_BYTES: integer(1, 2 ** 44).prefault('17179869184'),
  LEGACY_MAX_DEPTH: integer(0, 100).prefault('10'),
  LEGACY_MAX_UNPACKED_BYTES: integer(0, 2 ** 44).prefault('2147483648'),
  LEGACY_MAX_UNPACKED_ENTRIES: integer(0, 10_000_000).prefault('100000'),
  LEGACY_PARSERS: integer(1, 64).prefault('2'),
  LEGACY_PARSER_MEMORY_BYTES: integer(200 * 2 ** 20, 2 ** 40).prefault('469762048'),
  LEGACY_PARSER_CPU_MS: integer(100, 86_400_000).prefault('60000'),
  LEGACY_PARSER_WALL_MS: integer(100, 86_400_000).prefault('600000'),
  LEGACY_PARSER_OUTPUT_BYTES: integer(1_000, 2 ** 44).prefault('4294967296'),
  HIVE_CALL_TIMEOUT_MS: integer(1_000, 86_400_000).prefault('600000'),
  HISTORY_CONNECT_TIMEOUT_MS: integer(100, 600_000).prefault('5000'),
  HISTORY_MAX_CONNECTIONS: integer(1, 1_000).prefault('3'),
  HISTORY_MAX_BYTES_PER_SECOND: integer(0).prefault('0'),
  HISTORY_SPLIT_ROWS: integer(1, 1_000_000_000).prefault('1000000'),
  HISTORY_TELEMETRY_FILE: z.string().prefault('infra/config/telemetry-tables.json'),
  NIGHTLY_IMPORT: z.enum(['on', 'paused', 'off']).prefault('on'),
  NIGHTLY_IMPORT_SCHEDULE_ID: z.string().min(1).max(200).prefault('nightly-sql-import'),
  NIGHTLY_IMPORT_CRON: z.string().min(1).prefault('0 2 * * *'),
  NIGHTLY_IMPORT_TIME_ZONE: z.string().min(1).prefault('UTC'),
  NIGHTLY_IMPORT_CATCHUP_SECONDS: integer(10, 366 * 86_400).prefault('86400'),
  NIGHTLY_IMPORT_INPUT: z.string().min(2).prefault('{"mode":"merge","reconcile":true}'),
  NIGHTLY_VIEWS: z.enum(['on', 'paused', 'off']).prefault('on'),
  NIGHTLY_VIEWS_SCHEDULE_ID: z.string().min(1).max(200).prefault('nightly-batch-views'),
  NIGHTLY_VIEWS_CRON: z.string().min(1).prefault('30 3 * * *'),
  NIGHTLY_VIEWS_TIME_ZONE: z.string().min(1).prefault('UTC'),
  NIGHTLY_VIEWS_CATCHUP_SECONDS: integer(10, 366 * 86_400).prefault('86400'),
  NIGHTLY_VIEWS_INPUT: z.string().min(2).prefault('{}'),
  NIGHTLY_COMPACTION: z.enum(['on', 'paused', 'off']).prefault('on'),
  NIGHTLY_COMPACTION_SCHEDULE_ID: z.string().min(1).max(200).prefault('nightly-compaction'),
  NIGHTLY_COMPACTION_CRON: z.string().min(1).prefault('30 4 * * *'),
  NIGHTLY_COMPACTION_TIME_ZONE: z.string().min(1).prefault('UTC'),
  NIGHTLY_COMPACTION_CATCHUP_SECONDS: integer(10, 366 * 86_400).prefault('86400'),
  NIGHTLY_COMPACTION_INPUT: z.string().min(2).prefault('{}'),
  READINGS_GRACE_SECONDS: integer(0, 366 * 86_400).prefault('86400'),

  // Native stack
  STACK_HOME: z.string().min(1).prefault('.stack'),
  STACK_INSTALL_HOME: z.string().prefault(''),
  STACK_PORTS: z.string().prefault(''),

  // npm start
  START_FOR_SECONDS: integer(0, 366 * 86_400).prefault('0'),
  START_SIMBENCH: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .prefault('true'),
  START_IMPORT: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .prefault('true'),
  START_HISTORY_ROWS: integer(0, 100_000_000).prefault('1500000'),

  // Processes
  INGEST_HOST: z.string().min(1).prefault('127.0.0.1'),
  INGEST_PORT: port().prefault('8090'),
  RAW_TEXT_PORT: port().prefault('12345'),
  HTTP_HOST: z.string().min(1).prefault('127.0.0.1'),
  HTTP_PORT: port().prefault('8080'),
  OPERATIONS_HOST: z.string().min(1).prefault('127.0.0.1'),
  SPEED_METRICS_PORT: port().prefault('9464'),
  SIMULATOR_METRICS_PORT: port().prefault('9465'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).prefault('info'),
  LOG_FORMAT: z.enum(['json', 'pretty']).prefault('json'),
  SHUTDOWN_TIMEOUT_MS: integer(100, 600_000).prefault('10000'),

  // Serving API
  SERVING_MAX_QUERIES: integer(1, 1_000).prefault('8'),
  SERVING_QUERY_TIMEOUT_MS: integer(100, 600_000).prefault('10000'),
  SERVING_EVENT_KEYS: integer(100, 10_000_000).prefault('100000'),
  SERVING_EVENT_CLIENTS: integer(1, 100_000).prefault('5000'),
  SERVING_EVENTS_HZ: integer(1, 10).prefault('5'),
  ACCESS_TOKENS: z.string().prefault(''),
  ACCESS_TOKENS_FILE: z.string().prefault(''),
  ACCESS_ANONYMOUS_ROLE: z.enum(['none', 'read']).prefault('none'),
  ACCESS_PROXY_USER_HEADER: headerName().prefault(''),
  ACCESS_PROXY_ROLE_HEADER: headerName().prefault(''),
  ACCESS_PROXY_ADDRESSES: list('address').prefault('127.0.0.1,::1'),
  ACCESS_REQUESTS_PER_SECOND: integer(1, 1_000_000).prefault('500'),
  ACCESS_MAX_BODY_BYTES: integer(1_024, 2 ** 26).prefault('1048576'),

  // Kafka
  TOPIC_INGESTION: storedTopicName().prefault('INGESTION'),
  TOPIC_DLQ: kafkaName().prefault('INGESTION.DLQ'),
  TOPIC_UNORGANIZED: storedTopicName().prefault('UNORGANIZED'),
  TOPIC_AGGREGATES: kafkaName().prefault('AGGREGATES'),
  TOPIC_ALARMS: kafkaName().prefault('ALARMS'),
  TOPIC_PARTITIONS: integer(1, 10_000).prefault('6'),
  TOPIC_REPLICATION_FACTOR: integer(1, 10).prefault('1'),
  TOPIC_RETENTION_MS: integer(-1).prefault('-1'),
  CONSUMER_GROUP_PREFIX: kafkaName().prefault('powergrid'),
  KAFKA_SESSION_TIMEOUT_MS: integer(1_000, 600_000).prefault('10000'),
  KAFKA_MAX_BYTES_PER_PARTITION: integer(1_024, 2 ** 30).prefault('524288'),
  KAFKA_MAX_BYTES_PER_FETCH: integer(1_024, 2 ** 30).prefault('4194304'),
  KAFKA_PRODUCER_QUEUE_BYTES: integer(65_536, 2 ** 32).prefault('33554432'),
  KAFKA_DELIVERY_TIMEOUT_MS: integer(1_000, 86_400_000).prefault('120000'),

  // Readings
  ENVELOPE_MAX_BYTES: integer(256, 8 << 20).prefault('65536'),
  EVENT_TIME_MAX_AHEAD_SECONDS: integer(0, 10 * 366 * 86_400).prefault('3600'),
  ROUTES_FILE: z.string().min(1).prefault('infra/config/routes.json'),
  ROUTES_RELOAD_SECONDS: integer(1, 3_600).prefault('2'),

  // Speed layer
  SPEED_SINKS: list('sink')
    .refine((names) => names.every(isSinkName), { message: `may name only: ${SINK_NAMES.join(', ')}` })
    .transform((names) => names.filter(isSinkName))
    .prefault(SINK_NAMES.join(',')),
  SINK_RETRY_MAX_DELAY_MS: integer(100, 600_000).prefault('10000'),
  HDFS_TOPICS_DIRECTORY: hdfsDirectory().prefault('/topics'),
  HDFS_ROTATE_BYTES: integer(4_096, 2 ** 40).prefault('134217728'),
  HDFS_ROTATE_SECONDS: integer(1, 86_400).prefault('60'),
  SEGMENT_SECONDS: integer(1, 86_400).prefault('600'),
  HDFS_BUFFER_BYTES: integer(1_048_576, 2 ** 32).prefault('33554432'),
  HDFS_MAX_OPEN_FILES: integer(1, 4_096).prefault('64'),
  HDFS_CHECKPOINT_COMMITS: integer(2, 100_000).prefault('500'),
  HDFS_CALL_TIMEOUT_MS: integer(100, 600_000).prefault('15000'),
  WINDOW_RESOLUTIONS: list('resolution')
    .refine((names) => names.every(isResolution), { message: `may name only: ${RESOLUTIONS.join(', ')}` })
    .transform((names) => RESOLUTIONS.filter((name) => names.includes(name)))
    .prefault(RESOLUTIONS.join(',')),
  WINDOW_LATENESS_SECONDS: integer(0, 366 * 86_400).prefault('30'),
  WINDOW_IDLE_SECONDS: integer(1, 86_400).prefault('10'),
  WINDOW_DUPLICATE_OFFSETS: integer(0, 10_000_000).prefault('65536'),
  ALARM_RULES: z.string().min(1).prefault('infra/config/alarm-rules.json'),
  ALARM_GRACE_SECONDS: integer(0, 86_400).prefault('60'),
  ALARM_HISTORY_DAYS: integer(1, 36_600).prefault('90'),
  ALARM_WEBHOOK_URL: z.union([z.literal(''), url('http', 'https')]).prefault(''),
  ALARM_WEBHOOK_AUTHORIZATION: z.string().prefault(''),
  ALARM_WEBHOOK_TIMEOUT_MS: integer(100, 600_000).prefault('5000'),
  ALARM_WEBHOOK_GIVE_UP_SECONDS: integer(1, 366 * 86_400).prefault('86400'),

  // Sources
  INGEST_MAX_BODY_BYTES: integer(1_024, 2 ** 30).prefault('8388608'),
  INGEST_MAX_RECORDS: integer(1, 10_000_000).prefault('50000'),
  INGEST_MEMORY_BYTES: integer(65_536, 2 ** 34).prefault('67108864'),
  INGEST_REPLY_TIMEOUT_MS: integer(100, 600_000).prefault('30000'),
  INGEST_DEDUP_READINGS: integer(0, 100_000_000).prefault('100000'),
  INGEST_DEDUP_SECONDS: integer(1, 86_400 * 30).prefault('600'),
  RAW_TEXT_MAX_LINE_BYTES: integer(1_024, 900_000).prefault('900000'),
  SIMULATOR_SENSORS: integer(0, 10_000_000).prefault('100'),
  SIMULATOR_FIRST_SENSOR_ID: integer(0, 16_000_000).prefault('1'),
  SIMULATOR_SEED: integer(0).prefault('1'),
  SIMULATOR_RATE_HZ: decimal(0.0001, 10_000).prefault('1'),
  SIMULATOR_COUNT: integer(0).prefault('0'),
  SIMULATOR_START: moment().prefault(''),
  SIMULATOR_PREDICTION_SHARE: decimal(0, 1).prefault('0.1'),
  SIMULATOR_PREDICTION_HORIZON_SECONDS: integer(0, 30 * 86_400).prefault('900'),
  SIMULATOR_DUPLICATE_SHARE: decimal(0, 1).prefault('0'),
  SIMULATOR_OUT_OF_ORDER_SHARE: decimal(0, 1).prefault('0'),
  SIMULATOR_LATE_SHARE: decimal(0, 1).prefault('0'),
  SIMULATOR_MALFORMED_SHARE: decimal(0, 1).prefault('0'),
  FILE_SOURCE_MAPPING: z.string().prefault(''),
  FILE_SOURCE_DIRECTORY: z.string().prefault(''),
  FILE_SOURCE_SPEED: decimal(0, 1_000_000).prefault('1'),
  FILE_SOURCE_TIMESTAMPS: z.enum(['original', 'shifted']).prefault('original'),
  FILE_SOURCE_FROM: moment().prefault(''),
  FILE_SOURCE_TO: moment().prefault(''),
  FILE_SOURCE_LOOP: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .prefault('false'),
  FILE_SOURCE_STATE_FILE: z.string().prefault(''),
  PULL_SOURCES_FILE: z.string().prefault(''),
});

/** The validated configuration: see `example.env` for what each variable means. */
export type Config = z.output<typeof environmentSchema>;

/**
 * Reads and checks the configuration from `environment`, by default the process's own, over an `.env` file in the working
 * directory. A variable set to the empty string counts as not set, as in Compose files.
 *
 * @throws GridError `invalid-configuration`: one sentence per bad variable, each named.
 */
export function loadConfig(environment: NodeJS.ProcessEnv = readEnvironment()): Config {
  const named = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.safeParse(named);
  if (parsed.success) return parsed.data;
  const sentences = parsed.error.issues.map((issue) => {
    const name = issue.path.join('.');
    const value = environment[name];
    return `${name}=${value === undefined ? '' : JSON.stringify(withoutPassword(value))} ${issue.message}`;
  });
  throw new GridError(
    'invalid-configuration',
    `Reading the configuration: ${sentences.join('; ')}. Correct it in the environment or in .env (see example.env).`,
  );
}

/** The process's environment over the `.env` file; for the few values that users name themselves, such as API keys. */
export function readEnvironment(): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  // dotenv keeps what is already set, so set variables win over the file.
  loadDotenv({ processEnv: environment, quiet: true });
  return environment;
}

/** A connection URL without its password, fit for messages and logs. */
export function withoutPassword(text: string): string {
  return text.replace(/(\/\/[^:/@\s]*:)[^@\s]*@/g, '$1***@');
}

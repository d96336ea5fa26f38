import { hostname, networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GridError } from '../../grid/errors.ts';
import { loadConfig, type Config } from '../../runtime/config.ts';

export const PROJECT_DIRECTORY = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');

/** The servers of the native stack, in the order in which they are shown. */
export const SERVER_NAMES = ['kafka', 'hdfs', 'redis', 'mongodb', 'postgres', 'temporal', 'hive'] as const;
/** Those that come only when they are named. */
export const OPTIONAL_SERVER_NAMES = ['spark'] as const;
export type ServerName = (typeof SERVER_NAMES)[number] | (typeof OPTIONAL_SERVER_NAMES)[number];
export const ALL_SERVER_NAMES: readonly ServerName[] = [...SERVER_NAMES, ...OPTIONAL_SERVER_NAMES];

/** Every port that a native server listens on, with its default. */
const DEFAULT_PORTS = {
  kafka: 9092,
  'kafka-controller': 9093,
  'hdfs-http': 9870,
  'hdfs-rpc': 9000,
  'datanode-http': 9864,
  'datanode-data': 9866,
  'datanode-ipc': 9867,
  redis: 6379,
  mongodb: 27017,
  postgres: 5432,
  temporal: 7233,
  'temporal-ui': 8233,
  hive: 10000,
  spark: 10010,
} as const;
export type PortName = keyof typeof DEFAULT_PORTS;
export const PORT_NAMES = Object.keys(DEFAULT_PORTS) as PortName[];
/** Where a stack serves that nobody moved. */
export const USUAL_PORTS: ReadonlySet<number> = new Set(Object.values(DEFAULT_PORTS));

/** Ports that no address of the configuration names; `STACK_PORTS` moves them. */
type InnerPortName = Exclude<
  PortName,
  'kafka' | 'hdfs-http' | 'redis' | 'mongodb' | 'postgres' | 'temporal' | 'temporal-ui' | 'hive'
>;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where a native stack lives and which addresses it serves. */
export interface StackSettings {
  readonly config: Config;
  /** Holds data, configuration files, logs and process records of this stack. */
  readonly home: string;
  /** Holds downloads and installations; several stacks may share it. */
  readonly installHome: string;
  readonly ports: Readonly<Record<PortName, number>>;
}

/** Where the caller of the programmatic interface wants a stack; ports not named keep their defaults. */
export interface StackPlace {
  stackHome?: string;
  installHome?: string;
  ports?: Partial<Record<PortName, number>>;
}

/** The settings of the stack that the configuration (environment and `.env`) describes. */
export function settingsFromConfig(config: Config = loadConfig()): StackSettings {
  const home = resolve(PROJECT_DIRECTORY, config.STACK_HOME);
  const port = (text: string): number => parseAddress(text).port;
  const inner = { ...DEFAULT_PORTS, ...parsePorts(config.STACK_PORTS) };
  return {
    config,
    home,
    installHome: config.STACK_INSTALL_HOME === '' ? join(home, 'install') : resolve(config.STACK_INSTALL_HOME),
    ports: {
      ...inner,
      kafka: port(first(config.KAFKA_BROKERS)),
      'hdfs-http': port(first(config.WEBHDFS_URL)),
      redis: port(config.REDIS_URL),
      mongodb: mongoAddresses(config.MONGODB_URL)[0]?.port ?? DEFAULT_PORTS.mongodb,
      postgres: port(config.SERVING_DATABASE_URL),
      temporal: port(first(config.TEMPORAL_ADDRESS)),
      'temporal-ui': config.TEMPORAL_UI_PORT,
      // It names either of the two that speak its protocol.
      ...(port(config.HIVE_URL) === inner.spark ? {} : { hive: port(config.HIVE_URL) }),
    },
  };
}

/** The server of this stack that `HIVE_URL` names. */
export function sqlServerOf({ config, ports }: StackSettings): 'hive' | 'spark' {
  return parseAddress(config.HIVE_URL).port === ports.spark ? 'spark' : 'hive';
}

/** The environment variables that point every program of the project at a stack in another place or on other ports. */
export function environmentOf(place: StackPlace): Record<string, string> {
  const at = (name: PortName): string => `localhost:${place.ports?.[name] ?? DEFAULT_PORTS[name]}`;
  const inner = innerPorts().filter((name) => place.ports?.[name] !== undefined);
  return {
    KAFKA_BROKERS: at('kafka'),
    WEBHDFS_URL: `http://${at('hdfs-http')}`,
    HIVE_URL: `hive2://${at('hive')}`,
    REDIS_URL: `redis://${at('redis')}`,
    MONGODB_URL: `mongodb://${at('mongodb')}`,
    TEMPORAL_ADDRESS: at('temporal'),
    TEMPORAL_UI_PORT: String(place.ports?.['temporal-ui'] ?? DEFAULT_PORTS['temporal-ui']),
    SERVING_DATABASE_URL: `postgresql://powergrid@${at('postgres')}/serving`,
    HISTORY_POSTGRES_URL: `postgresql://powergrid@${at('postgres')}/history`,
    STACK_PORTS: inner.map((name) => `${name}=${place.ports?.[name] ?? 0}`).join(','),
    ...(place.stackHome === undefined ? {} : { STACK_HOME: place.stackHome }),
    ...(place.installHome === undefined ? {} : { STACK_INSTALL_HOME: place.installHome }),
  };
}

/** The settings of the configured stack, or, when `place` is given, of a stack of the caller's own. */
export function settingsOf(place?: StackPlace): StackSettings {
  if (place === undefined) return settingsFromConfig();
  return settingsFromConfig(loadConfig({ ...environmentOf(place) }));
}

/** The ports that URLs without one mean. */
const SCHEME_PORTS: ReadonlyMap<string, number> = new Map(
  Object.entries<number>({
    'http:': 80,
    'https:': 443,
    'hive2:': 10_000,
    'redis:': 6379,
    'rediss:': 6379,
    'postgres:': 5432,
    'postgresql:': 5432,
  }),
);

/** `host:port`, or a URL with or without a port. IPv6 addresses stand in brackets. */
export function parseAddress(text: string): Address {
  const scheme = /^([a-z0-9+]+:)\/\//.exec(text)?.[1];
  // Parsed as http, so that every scheme's host is read by the same rules.
  const url = new URL(scheme === undefined ? `http://${text}` : `http:${text.slice(scheme.length)}`);
  const explicitPort = /:(\d+)(?:[/?#]|$)/.exec(text.slice(text.indexOf('@') + 1).replace(/^[a-z0-9+]+:\/\//, ''))?.[1];
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: explicitPort === undefined ? (SCHEME_PORTS.get(scheme ?? '') ?? 80) : Number(explicitPort),
  };
}

/** `mongodb://user:password@host1:1,host2:2/database` → its hosts; `URL` does not parse several. */
export function mongoAddresses(url: string): Address[] {
  const hosts = /^mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?([^/?]+)/.exec(url)?.[1] ?? '';
  return hosts.split(',').map((text) => {
    const [, host = text, port] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(text) ?? [];
    return { host, port: port === undefined ? DEFAULT_PORTS.mongodb : Number(port) };
  });
}

/** Whether `host` is this machine's loopback, where the native servers listen. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/** Whether `host` is any address or name of this machine. */
export function isThisMachine(host: string): boolean {
  if (isLoopback(host) || host === '0.0.0.0' || host === '::' || host === hostname()) return true;
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === host) === true);
}

export function isServerName(text: string): text is ServerName {
  return (ALL_SERVER_NAMES as readonly string[]).includes(text);
}

function innerPorts(): InnerPortName[] {
  return ['kafka-controller', 'hdfs-rpc', 'datanode-http', 'datanode-data', 'datanode-ipc', 'spark'];
}

function parsePorts(text: string): Partial<Record<InnerPortName, number>> {
  const ports: Partial<Record<InnerPortName, number>> = {};
  for (const part of text.split(',').filter((piece) => piece.trim() !== '')) {
    const [name, value] = part.trim().split('=');
    const known = innerPorts().find((candidate) => candidate === name);
    const port = Number(value);
    if (known === undefined || !Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new GridError(
        'invalid-configuration',
        `Reading the configuration: STACK_PORTS="${text}" must list name=port, of: ${innerPorts().join(', ')}. Correct it in the environment or in .env.`,
      );
    }
    ports[known] = port;
  }
  return ports;
}

function first(list: readonly string[]): string {
  return list[0] ?? '';
}

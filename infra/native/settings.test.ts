import { describe, expect, it } from 'vitest';
import { environmentOf, isLoopback, mongoAddresses, parseAddress, settingsFromConfig, settingsOf } from './settings.ts';
import { loadConfig } from '../../runtime/config.ts';

describe('addresses of the configuration', () => {
  it.each([
    ['localhost:9092', 'localhost', 9092],
    ['http://namenode.example:9870', 'namenode.example', 9870],
    ['http://namenode.example/', 'namenode.example', 80],
    ['https://namenode.example', 'namenode.example', 443],
    ['redis://:secret@localhost', 'localhost', 6379],
    ['rediss://user:p%40ss@cache:6380/2', 'cache', 6380],
    ['postgresql://powergrid@localhost/serving', 'localhost', 5432],
    ['hive2://[::1]:10001', '::1', 10001],
  ])('reads host and port of %s', (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port });
  });

  it('reads every host of a MongoDB URL', () => {
    expect(mongoAddresses('mongodb://user:p:w@one:1,two/kafka?replicaSet=r')).toEqual([
      { host: 'one', port: 1 },
      { host: 'two', port: 27017 },
    ]);
  });

  it('tells the loopback from other hosts', () => {
    expect(['localhost', '127.0.0.1', '::1', '10.0.0.1', 'localhost.example'].map(isLoopback)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('a stack in a place of its own', () => {
  const place = {
    stackHome: '/tmp/s',
    installHome: '/tmp/i',
    ports: { kafka: 19092, 'kafka-controller': 19093, redis: 1 },
  };

  it('has the ports that were asked for and the defaults for the others', () => {
    const { ports, home, installHome } = settingsOf(place);
    expect(ports).toMatchObject({
      kafka: 19092,
      'kafka-controller': 19093,
      redis: 1,
      mongodb: 27017,
      'hdfs-rpc': 9000,
    });
    expect([home, installHome]).toEqual(['/tmp/s', '/tmp/i']);
  });

  it('is what programs with its environment variables use', () => {
    const config = loadConfig(environmentOf(place));
    expect(config.KAFKA_BROKERS).toEqual(['localhost:19092']);
    expect(config.REDIS_URL).toBe('redis://localhost:1');
  });

  it('refuses a port that has no such name, and names those that there are', () => {
    const config = loadConfig({ STACK_PORTS: 'kafka=1' });
    expect(() => settingsFromConfig(config)).toThrow(/STACK_PORTS="kafka=1" must list name=port, of: kafka-controller/);
  });
});

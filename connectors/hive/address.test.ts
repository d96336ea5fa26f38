import { describe, expect, it } from 'vitest';
import { parseHiveUrl } from './address.ts';

describe('an address of Hive', () => {
  it('is a host and a port, without a sign-in unless it is asked for', () => {
    expect(parseHiveUrl('hive2://localhost:10000', 'me')).toEqual({
      host: 'localhost',
      port: 10_000,
      database: 'default',
      tls: false,
      authentication: { kind: 'nosasl' },
      settings: {
        'hive.execution.engine': 'mr',
        'hive.rework.mapredwork': 'true',
        'mapreduce.input.fileinputformat.input.dir.recursive': 'true',
      },
      text: 'hive2://localhost:10000',
    });
  });

  it.each([
    ['hive2://host', { host: 'host', port: 10_000 }],
    ['hive2://host:80', { port: 80 }],
    ['hive2://[::1]:10001/', { host: '::1', port: 10_001, database: 'default' }],
    ['hive2://host/grid', { database: 'grid' }],
    ['hive2://host?auth=none', { authentication: { kind: 'plain', user: 'me', password: 'anonymous' } }],
    ['hive2://u%40x:p%3Aw@host', { authentication: { kind: 'plain', user: 'u@x', password: 'p:w' } }],
    ['hive2://u@host?auth=LDAP', { authentication: { kind: 'plain', user: 'u', password: 'anonymous' } }],
    ['hive2://host?ssl=true', { tls: true }],
    [
      'hive2://host?hive.execution.engine=tez&tez.queue.name=q',
      { settings: { 'hive.execution.engine': 'tez', 'tez.queue.name': 'q' } },
    ],
  ])('%s says %o', (url, expected) => {
    expect(parseHiveUrl(url, 'me')).toMatchObject(expected);
  });

  it.each([
    ['http://host', 'does not begin with hive2://'],
    ['hive2://host:port', 'is no URL'],
    ['hive2://host?auth=kerberos', 'auth=kerberos'],
    ['hive2://host?ssl=maybe', 'ssl is true or false'],
    ['hive2://host?pasword=x', 'unknown parameter pasword'],
  ])('%s is refused: %s', (url, problem) => {
    expect(() => parseHiveUrl(url, 'me')).toThrow(problem);
  });

  it('is never told with its password', () => {
    expect(() => parseHiveUrl('hive2://me:secret@host?auth=x', 'me')).toThrow(/me:\*\*\*@host/);
  });
});

import { describe, expect, it } from 'vitest';
import { qualifiedName, quoteIdentifier, quoteString, readableName } from './quoting.ts';

describe('quoting', () => {
  it('keeps names whole, whatever stands in them', () => {
    expect(quoteIdentifier('date')).toBe('`date`');
    expect(quoteIdentifier('a`b')).toBe('`a``b`');
    expect(qualifiedName('db', 'user')).toBe('`db`.`user`');
  });

  it.each([
    ["it's", String.raw`'it\'s'`],
    ['back\\slash', String.raw`'back\\slash'`],
    ['ü😀\n', String.raw`'\u00fc\ud83d\ude00\u000a'`],
    ['${hiveconf:x}', String.raw`'\u0024{hiveconf:x}'`],
    ['', "''"],
  ])('writes the string %j as %s', (text, literal) => {
    expect(quoteString(text)).toBe(literal);
  });

  it('writes names for people without quotes where Hive takes them so', () => {
    expect(readableName('history_postgres', 'telemetry')).toBe('history_postgres.telemetry');
    expect(readableName('history_postgres', 'user')).toBe('history_postgres.`user`');
    expect(readableName('history_postgres', '_private')).toBe('history_postgres.`_private`');
  });
});

import { expect, test } from 'vitest';
import { addressOf, connectAttempts } from './address.ts';

const URL_TEXT = 'postgresql://user:secret@db.example:5433/history';

test.each([
  ['', ['prefer', 'disable']],
  ['?sslmode=prefer', ['prefer', 'disable']],
  ['?sslmode=allow', ['disable', 'require']],
  ['?sslmode=disable', ['disable']],
  ['?sslmode=require', ['require']],
  ['?sslmode=verify-full', ['verify-full']],
  ['?sslmode=no-verify', ['no-verify']],
])('%s is tried as %j', (query, modes) => {
  const attempts = connectAttempts(URL_TEXT + query);
  expect(attempts.map(({ url }) => new URL(url).searchParams.get('sslmode'))).toEqual(modes);
  expect(attempts.map(({ tls }) => tls)).toEqual(modes.map((mode) => mode !== 'disable'));
});

test('other parameters are kept', () => {
  const [first] = connectAttempts(`${URL_TEXT}?sslrootcert=/ca.pem&sslmode=verify-ca`);
  expect(new URL(first?.url ?? '').searchParams.get('sslrootcert')).toBe('/ca.pem');
});

test('messages name host, port and database, never the password', () => {
  expect(addressOf(URL_TEXT)).toBe('PostgreSQL at db.example:5433, database history');
  expect(addressOf('postgres://localhost')).toBe('PostgreSQL at localhost:5432');
  expect(addressOf('postgres:///h?host=/run/postgresql')).toBe('PostgreSQL at /run/postgresql:5432, database h');
});

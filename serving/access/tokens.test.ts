import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { isOwnAddress } from './access-settings.ts';
import { mayDo } from './roles.ts';
import { Tokens } from './tokens.ts';

const TOKEN = '0123456789abcdef';

test('a token is known by its text or its digest, and no other is', () => {
  const hashed = createHash('sha256').update('another-token-of-length').digest('hex');
  const tokens = Tokens.read(`# who\nanna read ${TOKEN}\n\n ben  operate  sha256:${hashed}\n`, 'a test');
  expect(tokens.size).toBe(2);
  expect(tokens.whose(TOKEN)).toEqual({ name: 'anna', role: 'read' });
  expect(tokens.whose('another-token-of-length')).toEqual({ name: 'ben', role: 'operate' });
  for (const other of ['', `${TOKEN}0`, hashed, `sha256:${hashed}`, 'x'.repeat(100_000)])
    expect(tokens.whose(other)).toBeUndefined();
});

test('what is no token stops the start, and is not told', () => {
  for (const line of [
    'anna read short-secret',
    `anna admin ${TOKEN}`,
    `anna ${TOKEN}`,
    `anna read ${TOKEN} more`,
    'anna read sha256:12',
  ]) {
    expect(() => Tokens.read(line, 'a test'), line).toThrow('entry 1 is not');
    expect(() => Tokens.read(line, 'a test')).not.toThrow(/short-secret|0123456789/);
  }
});

test('a role may do what those before it may', () => {
  expect([mayDo('read', 'read'), mayDo('read', 'ingest'), mayDo('ingest', 'read'), mayDo('operate', 'ingest')]).toEqual(
    [...[true, false, true, true]],
  );
  expect(mayDo(undefined, 'read')).toBe(false);
});

test('only addresses of this machine are its own', () => {
  expect(['127.0.0.1', '127.8.8.8', 'localhost', '::1', '[::1]'].every(isOwnAddress)).toBe(true);
  expect(['0.0.0.0', '::', '10.0.0.1', 'example.org', '127.0.0.1.example.org', ''].some(isOwnAddress)).toBe(false);
});

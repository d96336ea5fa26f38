import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findOnPath } from '../../infra/native/command.ts';
import { withCode } from '../hdfs/test-bed.ts';
import { eventually } from '../support/eventually.ts';
import { startPrivateServer, type PrivateServer } from './private-server.ts';
import { copyAll, FULL, never } from './source-bed.ts';

let server: PrivateServer;
const table = { schema: 'public', name: 'readings' };

/** First line that fits decides. */
const HBA = [
  'host all with_password 127.0.0.1/32 scram-sha-256',
  'host all shut_out 127.0.0.1/32 reject',
  'hostssl all only_tls 127.0.0.1/32 trust',
  'hostnossl all only_tls 127.0.0.1/32 reject',
  'host all all 127.0.0.1/32 trust',
];

beforeAll(async () => {
  server = await startPrivateServer();
  await server.sql(`CREATE ROLE with_password LOGIN SUPERUSER PASSWORD 'right'`);
  await server.sql(`CREATE ROLE shut_out LOGIN; CREATE ROLE only_tls LOGIN SUPERUSER`);
  await server.sql('ALTER SYSTEM SET max_prepared_transactions = 5');
  await writeFile(join(server.dataDirectory, 'pg_hba.conf'), `${HBA.join('\n')}\n`);
  await server.stop();
  await server.start();
});

afterAll(async () => {
  await server.end();
});

const as =
  (user: string, password = '', sslmode?: string) =>
  (url: URL) => {
    url.username = user;
    url.password = password;
    if (sslmode !== undefined) url.searchParams.set('sslmode', sslmode);
  };

test('the right password opens, others are denied without being told', async () => {
  await server.sourceWith(as('with_password', 'right')).identify(never);
  for (const change of [
    as('with_password', 'secret-but-wrong'),
    as('with_password'),
    as('shut_out'),
    as('nobody_here'),
  ]) {
    const failure: unknown = await server
      .sourceWith(change)
      .identify(never)
      .catch((error: unknown) => error);
    expect(failure).toEqual(withCode('source-denied'));
    expect(String(failure)).not.toContain('secret-but-wrong');
  }
});

// The certificate is made by openssl.
test.skipIf(findOnPath('openssl') === undefined)('TLS is used as sslmode says', async () => {
  // Made by the server's own user, in its data directory.
  await server.sql(
    `COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; openssl req -x509 -nodes -newkey rsa:2048 -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout server.key -out server.crt 2> /dev/null'`,
  );
  await server.sql('ALTER SYSTEM SET ssl = on');
  await server.sql('SELECT pg_reload_conf()');
  await eventually('TLS is on', async () => {
    const failure = await server
      .sourceWith(as('only_tls', '', 'require'))
      .identify(never)
      .catch(String);
    return typeof failure !== 'string';
  });
  const usesTls = async (change: (url: URL) => void): Promise<boolean> => {
    const source = server.sourceWith(change, { applicationName: 'tls-test' });
    const reader = await source.read(undefined, never);
    const rows = await server.sql(
      `SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'tls-test'`,
    );
    await reader.close();
    return rows[0]?.[0] === 't';
  };
  expect(await usesTls(as('powergrid'))).toBe(true);
  expect(await usesTls(as('powergrid', '', 'disable'))).toBe(false);
  expect(await usesTls(as('powergrid', '', 'allow'))).toBe(false);
  expect(await usesTls(as('only_tls', '', 'allow'))).toBe(true);
  await expect(server.sourceWith(as('only_tls', '', 'disable')).identify(never)).rejects.toThrow(
    withCode('source-denied'),
  );
  const verifying = (mode: string, host: string, certificate?: string) => (url: URL) => {
    url.hostname = host;
    url.searchParams.set('sslmode', mode);
    if (certificate !== undefined) url.searchParams.set('sslrootcert', certificate);
  };
  await expect(server.sourceWith(verifying('verify-full', 'localhost')).identify(never)).rejects.toThrow(
    withCode('source-tls-refused'),
  );
  const certificate = join(server.dataDirectory, 'server.crt');
  expect(await readFile(certificate, 'utf8')).toContain('BEGIN CERTIFICATE');
  expect(await usesTls(verifying('verify-full', 'localhost', certificate))).toBe(true);
  await expect(server.sourceWith(verifying('verify-full', '127.0.0.1', certificate)).identify(never)).rejects.toThrow(
    withCode('source-tls-refused'),
  );
  expect(await usesTls(verifying('verify-ca', '127.0.0.1', certificate))).toBe(true);
});

test('a prepared transaction is a change of the import after its commit, with its savepoints', async () => {
  const source = server.sourceWith(() => undefined);
  await server.sql(`CREATE TABLE readings (v text); INSERT INTO readings VALUES ('old')`);
  await server.sql(
    `BEGIN; INSERT INTO readings VALUES ('prepared'); SAVEPOINT a; INSERT INTO readings VALUES ('in savepoint'); PREPARE TRANSACTION 'p'`,
  );
  await server.sql(`INSERT INTO readings VALUES ('beside')`);
  const held = await source.hold(never);
  await held.release();
  await server.sql(`COMMIT PREPARED 'p'`);
  const { fingerprint } = await source.identify(never);
  const reader = await source.read(undefined, never);
  const since = { position: held.snapshot.position, fingerprint };
  const plan = await reader.plan(table, { ...FULL, since }, never);
  expect((await copyAll(reader, plan)).lines).toEqual(['prepared', 'in savepoint']);
  await reader.close();
});

test('a server that is killed takes its snapshot along, and serves new ones when it is back', async () => {
  const source = server.sourceWith(() => undefined);
  const held = await source.hold(never);
  const reader = await source.read(held.snapshot, never);
  const [[pid] = []] = await server.sql(
    `SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1`,
  );
  // As the kernel does when memory runs out: the server ends all sessions and recovers.
  process.kill(Number(pid), 'SIGKILL');
  await expect(reader.plan(table, FULL, never)).rejects.toThrow(withCode('source-unavailable'));
  await expect(held.check(never)).rejects.toThrow(withCode('snapshot-lost'));
  const again = await eventually('the server is back', async () => {
    try {
      return await source.hold(never);
    } catch (error) {
      expect(error).toEqual(withCode('source-unavailable'));
      return undefined;
    }
  });
  await expect(source.read(held.snapshot, never)).rejects.toThrow(withCode('snapshot-lost'));
  await again.check(never);

  await server.stop();
  await expect(again.check(never)).rejects.toThrow(withCode('snapshot-lost'));
  await expect(source.identify(never)).rejects.toThrow(withCode('source-unavailable'));
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { TablePlan } from '../../grid/history/sql-source.ts';
import { eventually } from '../support/eventually.ts';
import { scripted } from './scripted-table.ts';
import type { Certificate } from './tds-tls.ts';
import { closeAll, closeLater, failure, never, peerWith, sourceAt } from './wire-bed.ts';

afterEach(closeAll);

/** A certificate that nobody has signed; undefined where there is no openssl to make one. */
function selfSigned(): Certificate | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'tds-peer-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const made = spawnSync(
    'openssl',
    // prettier-ignore
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost'],
    { stdio: 'ignore' },
  );
  try {
    return made.status === 0 ? { key: readFileSync(key), cert: readFileSync(cert) } : undefined;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const certificate = selfSigned();

/** A plan, of whatever source. */
async function planOf(): Promise<TablePlan> {
  const peer = await peerWith({ answer: scripted({ rows: [] }) });
  const reader = await sourceAt(peer.url()).read(undefined, never);
  closeLater(reader);
  return reader.plan({ schema: 'dbo', name: 'telemetry' }, { splitRows: 10, onUnsupported: 'refuse' }, never);
}

/** A listener that does with each connection what it is told to. */
async function listener(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeLater({
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => {
          resolve();
        });
      }),
  });
  return (server.address() as AddressInfo).port;
}

const at = (port: number, parameters = 'encrypt=false'): string =>
  `mssql://reader:s3cret@127.0.0.1:${port}/history?${parameters}`;

describe('connecting to SQL Server', () => {
  it('fails with source-unavailable when nothing listens', async () => {
    const port = await listener(() => undefined);
    await closeAll();
    const error = await failure(sourceAt(at(port)).identify(never));
    expect(error.code).toBe('source-unavailable');
    expect(error.message).toContain(`127.0.0.1:${port}/history`);
  });

  it('fails with source-unavailable when the host is unknown', async () => {
    expect((await failure(sourceAt('mssql://a:b@no-such-host.invalid/d').identify(never))).code).toBe(
      'source-unavailable',
    );
  });

  it('fails within its time limit when the server says nothing', async () => {
    const port = await listener(() => undefined);
    expect((await failure(sourceAt(at(port), 300).identify(never))).code).toBe('source-unavailable');
    expect((await failure(sourceAt(at(port, 'encrypt=true'), 300).identify(never))).code).toBe('source-unavailable');
  });

  it('fails with source-unavailable when the server cuts', async () => {
    const port = await listener((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect((await failure(sourceAt(at(port)).identify(never))).code).toBe('source-unavailable');
  });

  it('stops at once when it is aborted', async () => {
    const port = await listener(() => undefined);
    const controller = new AbortController();
    const identified = sourceAt(at(port), 60_000).identify(controller.signal);
    controller.abort(new Error('enough'));
    await expect(identified).rejects.toThrow('enough');
  });

  it('fails with source-denied when the login is refused', async () => {
    const peer = await peerWith({ loginErrors: [{ number: 18_456, message: "Login failed for user 'reader'." }] });
    const error = await failure(sourceAt(peer.url()).identify(never));
    expect(error.code).toBe('source-denied');
    expect(error.message).toContain("Login failed for user 'reader'");
  });

  it('tries again later when the login is refused only for now', async () => {
    const peer = await peerWith({
      loginErrors: [{ number: 18_401, message: 'Login failed: server is in script upgrade mode.' }],
    });
    expect((await failure(sourceAt(peer.url()).identify(never))).code).toBe('source-unavailable');
  });

  it.each([
    ['it does not accept connections yet', [{ number: 17_142, message: 'SQL Server service has been paused.' }]],
    [
      'its database recovers',
      [
        { number: 4060, message: 'Cannot open database "history" requested by the login. The login failed.' },
        { number: 18_456, message: "Login failed for user 'reader'." },
      ],
    ],
    [
      'it says something that nobody knows',
      [{ number: 50_123, message: 'The server is not yet accepting connections.' }],
    ],
    ['it hides why', [{ number: 18_456, message: "Login failed for user 'reader'." }]],
  ])('tries again later when a server that was restarted refuses the login, since %s', async (_, loginErrors) => {
    const answer = scripted({ rows: [] });
    const before = await peerWith({ answer });
    const source = sourceAt(before.url());
    const reader = await source.read(undefined, never);
    const { port } = before;
    await before.close();
    expect((await failure(reader.count(await planOf(), never))).code).toBe('source-unavailable');
    const starting = await peerWith({ answer, port, loginErrors });
    // Another source, as every activity opens its own.
    const refused = await failure(sourceAt(starting.url()).read(undefined, never));
    expect(refused).toMatchObject({ code: 'source-unavailable', retryable: true });
    // Others than those that worked are refused for good.
    const others = starting.url().replace('s3cret', 'other');
    if (loginErrors[0]?.number !== 17_142) {
      expect((await failure(sourceAt(others).read(undefined, never))).code).toBe('source-denied');
    }
    await starting.close();
    const started = await peerWith({ answer, port });
    const again = await sourceAt(started.url()).read(undefined, never);
    await again.close();
  });

  it('is denied for good when the password was changed, though it worked before', async () => {
    const answer = scripted({ rows: [] });
    const before = await peerWith({ answer });
    await sourceAt(before.url()).identify(never);
    const { port } = before;
    await before.close();
    const wrong = { number: 18_456, state: 8, message: "Login failed for user 'reader'." };
    const after = await peerWith({ answer, port, loginErrors: [wrong] });
    expect((await failure(sourceAt(after.url()).identify(never))).code).toBe('source-denied');
  });

  it('sends no password to a server that cannot encrypt when encryption is asked for', async () => {
    const peer = await peerWith({ encryption: 2, answer: scripted({ rows: [] }) });
    const error = await failure(sourceAt(peer.url('encrypt=true&trustServerCertificate=true')).identify(never));
    expect(error.code).toBe('source-tls-refused');
    expect(error.message).toContain('does not support encryption');
    expect(peer.logins).toBe(0);
  });

  it('fails with source-tls-refused when the server demands encryption and none is asked for', async () => {
    const peer = await peerWith({ encryption: 3 });
    expect((await failure(sourceAt(peer.url('encrypt=false')).identify(never))).code).toBe('source-tls-refused');
    expect(peer.logins).toBe(0);
  });

  describe.skipIf(certificate === undefined)('with TLS (needs openssl for a certificate)', () => {
    const secure = {
      encryption: 1,
      ...(certificate === undefined ? {} : { certificate }),
      answer: scripted({ rows: [] }),
    };

    it('works when the certificate is trusted without a check', async () => {
      const peer = await peerWith(secure);
      const identity = await sourceAt(peer.url('encrypt=true&trustServerCertificate=true')).identify(never);
      expect(identity.database).toBe('history');
      expect(await sourceAt(peer.url('trustServerCertificate=true')).tables(never)).toHaveLength(2);
    });

    it('fails with source-tls-refused, before login, when the certificate is not trusted', async () => {
      const peer = await peerWith(secure);
      const error = await failure(sourceAt(peer.url('encrypt=true')).identify(never));
      expect(error.code).toBe('source-tls-refused');
      expect(error.message).toContain('trustServerCertificate');
      expect(peer.logins).toBe(0);
    });
  });

  it('finds a server that is no SQL Server unsupported', async () => {
    const peer = await peerWith({ answer: scripted({ rows: [], unknown: ["N'a\\b'"] }) });
    expect((await failure(sourceAt(peer.url()).identify(never))).code).toBe('unsupported-server');
  });
});

describe('what a server is', () => {
  it('is said with how far its rows are of one moment', async () => {
    const peer = await peerWith({ answer: scripted({ rows: [] }) });
    const source = sourceAt(peer.url());
    const identity = await source.identify(never);
    expect(identity).toMatchObject({
      product: 'SQL Server 2022 16.0.4195.2',
      database: 'history',
      sharedSnapshots: false,
      consistency: 'table',
      notes: [],
    });
    expect(identity.fingerprint).toMatch(/^[0-9a-f]{32}$/);
    expect(await source.tables(never)).toEqual([
      { schema: 'dbo', name: 'secret', readable: false },
      { schema: 'dbo', name: 'telemetry', readable: true },
    ]);
    await eventually('the connection closes', () => peer.open === 0);
  });

  it('comes with notes where it cannot do everything', async () => {
    const unknown = [
      'HASHBYTES',
      'CONVERT(float, 1)',
      'MIN_ACTIVE_ROWVERSION',
      'recovery_fork',
      'security_policies',
      'SET ',
    ];
    const peer = await peerWith({ answer: scripted({ rows: [], snapshotState: '0', unknown }) });
    const { consistency, notes } = await sourceAt(peer.url()).identify(never);
    expect(consistency).toBe('none');
    expect(notes.join(' ')).toContain('ALLOW_SNAPSHOT_ISOLATION ON');
    expect(notes.join(' ')).toContain('counts only');
    expect(notes.join(' ')).toContain('cursor column');
    expect(notes.join(' ')).toContain('float');
  });
});

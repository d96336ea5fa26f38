import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { GridError } from '../../grid/errors.ts';
import type { TablePlan } from '../../grid/history/sql-source.ts';
import { eventually } from '../support/eventually.ts';
import { hashOf, scripted, sent, SENT_COLUMNS, type ScriptedRow, type ScriptedTable } from './scripted-table.ts';
import type { PeerOptions } from './tds-peer.ts';
import { closeAll, closeLater, failure, never, peerWith, sourceAt } from './wire-bed.ts';

const table = { schema: 'dbo', name: 'telemetry' };

afterEach(closeAll);

describe('reading a table', () => {
  const rows: ScriptedRow[] = [
    [1, 'one', 'DEADBEEF'],
    [-2, 'tab\t and \\N', null],
    [3, '😀', ''],
    [4, null, '00'],
  ];
  const bytes = Buffer.from('1\tone\t3q2+7w==\n-2\ttab\\\t and \\\\N\t\\N\n3\t😀\t\n4\t\\N\tAA==\n');

  async function readerOf(script: ScriptedTable, options: PeerOptions = {}) {
    const peer = await peerWith({ answer: scripted(script), ...options });
    const source = sourceAt(peer.url());
    const reader = await source.read(undefined, never);
    closeLater(reader);
    return { peer, source, reader };
  }
  const planOptions = { splitRows: 10, onUnsupported: 'refuse' } as const;

  it('gives the bytes that Hive is to read, and a digest that the server confirms', async () => {
    const { peer, reader } = await readerOf({ rows, boundaries: ['2'] });
    expect(reader.snapshot.position).toBe('0x00000000000007D1');
    expect(peer.begins).toBe(1);
    const plan = await reader.plan(table, planOptions, never);
    expect(plan).toMatchObject({ key: ['id'], estimatedRows: 3, estimatedBytes: 16 * 8192 });
    expect(plan.columns.map(({ hiveType }) => hiveType)).toEqual(['INT', 'STRING', 'BINARY']);
    expect(plan.splits).toHaveLength(2);
    // A plan travels as JSON.
    const kept = JSON.parse(JSON.stringify(plan)) as TablePlan;
    const chunks: Buffer[] = [];
    const write = (chunk: Buffer): Promise<void> => Promise.resolve(void chunks.push(chunk));
    const copied = await reader.copy(kept, 1, write, { verify: true, signal: never });
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    expect(copied).toMatchObject({ rows: 4, textBytes: bytes.length });
    expect(await reader.digest(kept, 1, never)).toEqual({ rows: 4, digest: copied.digest });
    expect(await reader.copy(kept, 1, () => Promise.resolve(), { verify: false, signal: never })).toEqual(copied);
    expect(await reader.count(kept, never)).toEqual({ rows: 4, chosen: 4 });
  });

  it('has no digest and no bytes for a split without rows', async () => {
    const { reader } = await readerOf({ rows: [] });
    const plan = await reader.plan(table, planOptions, never);
    const write = (): Promise<void> => Promise.reject(new Error('nothing to write'));
    expect(await reader.copy(plan, 0, write, { verify: true, signal: never })).toEqual({
      rows: 0,
      digest: '',
      textBytes: 0,
    });
  });

  it('fails verification when a row is not what the server has hashed', async () => {
    const { reader } = await readerOf({ rows, hash: (row) => hashOf(row[0] === -2 ? [-2, 'other', null] : row) });
    const plan = await reader.plan(table, planOptions, never);
    const error = await failure(reader.copy(plan, 0, () => Promise.resolve(), { verify: true, signal: never }));
    expect(error.code).toBe('import-verification-failed');
    expect(error.message).toContain('row 1 of the split');
    await reader.copy(plan, 0, () => Promise.resolve(), { verify: false, signal: never });
  });

  it('fails verification when fewer rows come than the server has counted', async () => {
    const { reader } = await readerOf({ rows, counted: 5 });
    const plan = await reader.plan(table, planOptions, never);
    const error = await failure(reader.copy(plan, 0, () => Promise.resolve(), { verify: true, signal: never }));
    expect(error.message).toContain('4 rows came, and the server counts 5');
  });

  it('verifies by counts, and compares digests by reading, where the server computes no hashes', async () => {
    const { reader } = await readerOf({ rows, unknown: ['HASHBYTES'] });
    const plan = await reader.plan(table, planOptions, never);
    const copied = await reader.copy(plan, 0, () => Promise.resolve(), { verify: true, signal: never });
    expect(await reader.digest(plan, 0, never)).toEqual({ rows: 4, digest: copied.digest });
  });

  it('stops with table-changed when the table is not the one that was planned', async () => {
    const script: ScriptedTable = { rows };
    const { reader } = await readerOf(script);
    const plan = await reader.plan(table, planOptions, never);
    const later = await readerOf({ rows, objectId: '102' });
    const error = await failure(later.reader.copy(plan, 0, () => Promise.resolve(), { verify: true, signal: never }));
    expect(error.code).toBe('table-changed');
    expect((await failure(later.reader.digest(plan, 0, never))).code).toBe('table-changed');
  });

  it('refuses half a character, with its column', async () => {
    const { reader } = await readerOf({ rows: [[1, 'broken \ud83d', null]] });
    const plan = await reader.plan(table, planOptions, never);
    const error = await failure(reader.copy(plan, 0, () => Promise.resolve(), { verify: true, signal: never }));
    expect(error.code).toBe('unsupported-column');
    expect(error.message).toContain('column note');
  });

  it('knows a row that is too large by its missing text', async () => {
    const { reader } = await readerOf({
      rows: [],
      onRead: (reply) => reply.rows(SENT_COLUMNS, [['0', '1', null, null, null]]),
    });
    const plan = await reader.plan(table, planOptions, never);
    expect((await failure(reader.copy(plan, 0, () => Promise.resolve(), { verify: true, signal: never }))).code).toBe(
      'row-too-large',
    );
  });

  it('reads no faster than what it reads is written', async () => {
    let made = 0;
    function* endless(): Generator<ScriptedRow> {
      for (;;) yield [made++, 'x'.repeat(1_000), null];
    }
    const { peer, reader } = await readerOf({ rows: endless() });
    const plan = await reader.plan(table, planOptions, never);
    const controller = new AbortController();
    let writes = 0;
    const copied = reader.copy(
      plan,
      0,
      async () => {
        writes++;
        // The first chunk is never done with, until all is cancelled.
        await new Promise((resolve) => {
          controller.signal.addEventListener('abort', resolve);
        });
      },
      { verify: true, signal: controller.signal },
    );
    await eventually('a chunk is written', () => writes > 0);
    let before = -1;
    await eventually(
      'rows stop coming',
      () => {
        const still = before === made;
        before = made;
        return still;
      },
      30_000,
      500,
    );
    // What the sockets hold between the two, and no more.
    expect(made).toBeLessThan(50_000);
    expect(writes).toBe(1);
    controller.abort(new Error('enough'));
    await expect(copied).rejects.toThrow('enough');
    expect(peer.cancels).toBe(1);
  });

  it('cancels the statement at the server, and can go on with the same transaction', async () => {
    let reads = 0;
    const { peer, reader } = await readerOf({
      rows: [],
      onRead: (reply) => {
        reads++;
        return reads === 1 ? reply.rowsWithoutEnd(SENT_COLUMNS, []) : reply.rows(SENT_COLUMNS, [sent([1, 'x', null])]);
      },
    });
    const plan = await reader.plan(table, planOptions, never);
    const controller = new AbortController();
    const copied = reader.copy(plan, 0, () => Promise.resolve(), { verify: true, signal: controller.signal });
    await eventually('rows are asked for', () => reads === 1);
    controller.abort(new Error('enough'));
    await expect(copied).rejects.toThrow('enough');
    expect(peer.cancels).toBe(1);
    expect(await reader.copy(plan, 0, () => Promise.resolve(), { verify: true, signal: never })).toMatchObject({
      rows: 1,
    });
    expect(peer.begins).toBe(1);
  });

  it('closes the connection when a cancel is not acknowledged', async () => {
    let reads = 0;
    const { peer, reader } = await readerOf(
      {
        rows: [],
        onRead: (reply) => {
          reads++;
          return reply.rowsWithoutEnd(SENT_COLUMNS, []);
        },
      },
      { acknowledgesCancel: false },
    );
    const plan = await reader.plan(table, planOptions, never);
    const controller = new AbortController();
    const copied = reader.copy(plan, 0, () => Promise.resolve(), { verify: true, signal: controller.signal });
    await eventually('rows are asked for', () => reads === 1);
    controller.abort(new Error('enough'));
    await expect(copied).rejects.toThrow('enough');
    await eventually('the connection closes', () => peer.open === 0);
    expect((await failure(reader.digest(plan, 0, never))).code).toBe('source-unavailable');
  });

  it('stops the statement when writing fails, with that failure', async () => {
    function* endless(): Generator<ScriptedRow> {
      for (;;) yield [1, 'x'.repeat(1_000), null];
    }
    const { peer, reader } = await readerOf({ rows: endless() });
    const plan = await reader.plan(table, planOptions, never);
    const write = (): Promise<void> => Promise.reject(new GridError('hdfs-no-space', 'full'));
    expect((await failure(reader.copy(plan, 0, write, { verify: true, signal: never }))).code).toBe('hdfs-no-space');
    expect(peer.cancels).toBe(1);
  });

  it('fails with source-unavailable when the connection is cut in the middle', async () => {
    const { reader } = await readerOf({
      rows: [],
      onRead: async (reply) => {
        await reply.rowsWithoutEnd(SENT_COLUMNS, [sent([1, 'x', null])]);
        reply.cut();
      },
    });
    const plan = await reader.plan(table, planOptions, never);
    const error = await failure(reader.copy(plan, 0, () => Promise.resolve(), { verify: true, signal: never }));
    expect(error).toMatchObject({ code: 'source-unavailable', retryable: true });
    // Nothing is read as of another moment afterwards.
    expect((await failure(reader.digest(plan, 0, never))).code).toBe('source-unavailable');
  });

  it.each(['text', 'large'] as const)('outlives a reply that ends within a row of %s values', async (column) => {
    const { reader } = await readerOf({
      rows: [],
      onRead: (reply) => {
        reply.halfRow([column], ['1\tx\t\\N']);
      },
    });
    const plan = await reader.plan(table, planOptions, never);
    const error = await failure(reader.copy(plan, 0, () => Promise.resolve(), { verify: false, signal: never }));
    expect(error.code).toBe('source-unavailable');
  });

  it('looks for a moment without half-done changes, and takes its position from before the snapshot', async () => {
    const position = (value: number): string => `0x${value.toString(16).padStart(16, '0')}`;
    const { peer, reader } = await readerOf({
      rows,
      positions: [
        // Asked once to see whether the server knows it, then before and after the snapshot.
        [position(10), position(9)],
        [position(20), position(25)],
        [position(20), position(25)],
        [position(31), position(30)],
        [position(31), position(30)],
      ],
    });
    expect(reader.snapshot.position).toBe(position(31));
    expect(peer.begins).toBe(2);
  });

  it('asks for what not every server knows before the transaction, which such a server may end', async () => {
    const unknown = ['c.encryption_type', 'sys.allocation_units', 'p.partition_number'];
    const { peer, reader } = await readerOf({ rows, endsTransaction: unknown });
    const plan = await reader.plan(table, planOptions, never);
    expect(await reader.copy(plan, 0, () => Promise.resolve(), { verify: true, signal: never })).toMatchObject({
      rows: 4,
    });
    expect(peer.begins).toBe(1);
    const begin = peer.statements.findIndex((statement) => statement.includes('@@DBTS'));
    for (const part of unknown) {
      const asked = peer.statements.flatMap((statement, at) => (statement.includes(part) ? [at] : []));
      expect(asked).toHaveLength(1);
      expect(asked[0]).toBeLessThan(peer.statements.indexOf('SET LOCK_TIMEOUT 120000'));
    }
    expect(begin).toBeGreaterThan(0);
  });

  it('reads money by way of decimal where the server drops its decimals, and says so', async () => {
    const peer = await peerWith({ answer: scripted({ rows, typeTexts: { money: '-922337203685477.58' } }) });
    const { notes } = await sourceAt(peer.url()).identify(never);
    expect(notes).toEqual([expect.stringContaining('drops decimals of money')]);
  });

  it.each([
    ['int', '0'],
    ['bigint', '-9223372036854775808'],
    ['decimal', '-1234567890123456800000000000.0123456789'],
    ['float', '0.333333333333333'],
    ['real', '0.3333333'],
    ['datetime', '9999-12-31 23:59:59.99'],
    ['datetime2', '9999-12-31 23:59:59.9999'],
    ['datetimeoffset', '2024-02-29T18:29:59.1234567+00:00'],
    ['char', 'Gr??e ?'],
    ['binary', '00'],
    ['sql_variant', '{"type":"money","value":"-1.23"}'],
  ])('does not believe a server that sends another %s than it holds', async (type, text) => {
    const peer = await peerWith({ answer: scripted({ rows, typeTexts: { [type]: text } }) });
    const { notes } = await sourceAt(peer.url()).identify(never);
    expect(notes.join(' ')).toContain('are refused:');
    expect(notes.join(' ')).toContain(type);
  });

  it('refuses the columns of types that the server does not send as they are stored', async () => {
    const { reader } = await readerOf({ rows, typeTexts: { binary: '00' } });
    const refused = await failure(reader.plan(table, planOptions, never));
    expect(refused.code).toBe('unsupported-column');
    expect(refused.message).toContain('column code varbinary(4) cannot be kept');
  });

  it.each([
    ['the table was exchanged for another one by renaming', { objectId: '102' }],
    [
      'a partition was exchanged',
      {
        partitions: [
          ['2', '1', '11'],
          ['1', '2', '99'],
          ['1', '3', '33'],
        ],
      },
    ],
    [
      'partitions changed places',
      {
        partitions: [
          ['2', '2', '11'],
          ['1', '1', '22'],
          ['1', '3', '33'],
        ],
      },
    ],
  ] as const)('knows the table for another one when %s', async (_, change) => {
    const partitions = [
      ['2', '1', '11'],
      ['1', '2', '22'],
      ['1', '3', '33'],
    ] as const;
    const { reader } = await readerOf({ rows, partitions });
    const plan = await reader.plan(table, planOptions, never);
    expect(plan.estimatedRows).toBe(4);
    const same = await readerOf({ rows, partitions });
    expect((await same.reader.plan(table, planOptions, never)).identity).toBe(plan.identity);
    const other = await readerOf({ rows, partitions, ...change });
    expect((await other.reader.plan(table, planOptions, never)).identity).not.toBe(plan.identity);
    expect((await failure(other.reader.digest(plan, 0, never))).code).toBe('table-changed');
    // Nor is anything added to what was imported of the one before.
    const { fingerprint } = await other.source.identify(never);
    if (plan.origin === undefined) throw new Error('a plan without origin');
    const since = { position: '', fingerprint, cursor: 'id', cursorValue: '4', origin: plan.origin };
    const options = { ...planOptions, cursor: 'id', since };
    expect((await failure(other.reader.plan(table, options, never))).code).toBe('append-impossible');
  });

  it('begins no SNAPSHOT transaction, and gives each reader a snapshot of its own', async () => {
    const { source, reader } = await readerOf({ rows, snapshotState: '0' });
    const other = await source.read(reader.snapshot, never);
    expect(other.snapshot.id).not.toBe(reader.snapshot.id);
    await other.close();
  });
});

describe('closing a source', () => {
  it('closes the connections of its readers, in the middle of a transaction', async () => {
    const peer = await peerWith({ answer: scripted({ rows: [] }) });
    const source = sourceAt(peer.url());
    const reader = await source.read(undefined, never);
    await source.read(undefined, never);
    expect(peer.open).toBe(2);
    await source.close();
    await eventually('the connections close', () => peer.open === 0);
    await source.close();
    await reader.close();
    expect((await failure(reader.plan(table, { splitRows: 10, onUnsupported: 'refuse' }, never))).code).toBe(
      'source-unavailable',
    );
  });

  it('lets the process end, though a reader was left open', async () => {
    const peer = await peerWith({ answer: scripted({ rows: [] }) });
    const script = fileURLToPath(new URL('read-and-close.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', script, peer.url()], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    closeLater({ close: () => Promise.resolve(void child.kill('SIGKILL')) });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    expect({ code, said }).toEqual({ code: 0, said: 'closed\n' });
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { GridError } from '../../grid/errors.ts';
import type { TablePlan } from '../../grid/history/sql-source.ts';
import { eventually } from '../support/eventually.ts';
import { hashOf, scripted, type ScriptedTable } from './scripted-table.ts';
import type { PeerOptions } from './tds-peer.ts';
import { closeAll, closeLater, failure, never, peerWith, sourceAt } from './wire-bed.ts';

const table = { schema: 'dbo', name: 'telemetry' };

afterEach(closeAll);

describe('reading a table', () => {
  const rows = ['1\tone\tDEADBEEF', '2\ttab\\\t and \\\\N\t\\N', '3\t😀\t'];
  const bytes = Buffer.from('1\tone\t3q2+7w==\n2\ttab\\\t and \\\\N\t\\N\n3\t😀\t\n');

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
    expect(copied).toMatchObject({ rows: 3, textBytes: bytes.length });
    expect(await reader.digest(kept, 1, never)).toEqual({ rows: 3, digest: copied.digest });
    expect(await reader.copy(kept, 1, () => Promise.resolve(), { verify: false, signal: never })).toEqual(copied);
    expect(await reader.count(kept, never)).toEqual({ rows: 3, chosen: 3 });
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
    const { reader } = await readerOf({ rows, hash: (text) => hashOf(text.startsWith('2') ? 'other' : text) });
    const plan = await reader.plan(table, planOptions, never);
    const error = await failure(reader.copy(plan, 0, () => Promise.resolve(), { verify: true, signal: never }));
    expect(error.code).toBe('import-verification-failed');
    expect(error.message).toContain('row 1 of the split');
    await reader.copy(plan, 0, () => Promise.resolve(), { verify: false, signal: never });
  });

  it('fails verification when fewer rows come than the server has counted', async () => {
    const { reader } = await readerOf({ rows, counted: 4 });
    const plan = await reader.plan(table, planOptions, never);
    const error = await failure(reader.copy(plan, 0, () => Promise.resolve(), { verify: true, signal: never }));
    expect(error.message).toContain('3 rows came, and the server counts 4');
  });

  it('verifies by counts, and compares digests by reading, where the server computes no hashes', async () => {
    const { reader } = await readerOf({ rows, unknown: ['HASHBYTES'] });
    const plan = await reader.plan(table, planOptions, never);
    const copied = await reader.copy(plan, 0, () => Promise.resolve(), { verify: true, signal: never });
    expect(await reader.digest(plan, 0, never)).toEqual({ rows: 3, digest: copied.digest });
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
    const { reader } = await readerOf({ rows: ['1\tbroken \ud83d\t\\N'] });
    const plan = await reader.plan(table, planOptions, never);
    const error = await failure(reader.copy(plan, 0, () => Promise.resolve(), { verify: true, signal: never }));
    expect(error.code).toBe('unsupported-column');
    expect(error.message).toContain('column note');
  });

  it('knows a row that is too large by its missing text', async () => {
    const { reader } = await readerOf({ rows: [], onRead: (reply) => reply.rows(['large', 'bytes'], [[null, null]]) });
    const plan = await reader.plan(table, planOptions, never);
    expect((await failure(reader.copy(plan, 0, () => Promise.resolve(), { verify: true, signal: never }))).code).toBe(
      'row-too-large',
    );
  });

  it('reads no faster than what it reads is written', async () => {
    let sent = 0;
    function* endless(): Generator<string> {
      for (;;) yield `${sent++}\t${'x'.repeat(1_000)}\t\\N`;
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
        const still = before === sent;
        before = sent;
        return still;
      },
      30_000,
      500,
    );
    // What the sockets hold between the two, and no more.
    expect(sent).toBeLessThan(50_000);
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
        return reads === 1
          ? reply.rowsWithoutEnd(['large', 'bytes'], [])
          : reply.rows(['large', 'bytes'], [['1\tx\t\\N', hashOf('1\tx\t\\N')]]);
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
          return reply.rowsWithoutEnd(['large', 'bytes'], []);
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
    function* endless(): Generator<string> {
      for (;;) yield `1\t${'x'.repeat(1_000)}\t\\N`;
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
        await reply.rowsWithoutEnd(['large', 'bytes'], [['1\tx\t\\N', hashOf('1\tx\t\\N')]]);
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

  it('begins no SNAPSHOT transaction, and gives each reader a snapshot of its own', async () => {
    const { source, reader } = await readerOf({ rows, snapshotState: '0' });
    const other = await source.read(reader.snapshot, never);
    expect(other.snapshot.id).not.toBe(reader.snapshot.id);
    await other.close();
  });
});

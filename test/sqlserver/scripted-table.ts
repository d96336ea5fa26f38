import { createHash } from 'node:crypto';
import type { PeerOptions, PeerValue, Reply } from './tds-peer.ts';

/** What a scripted database answers; all of one table `dbo.telemetry (id int primary key, note nvarchar(max), code varbinary(4))`. */
export interface ScriptedTable {
  /** Rows' texts, as the server would write them. */
  rows: Iterable<string>;
  /** `sys.databases.snapshot_isolation_state`. */
  snapshotState?: '0' | '1';
  /** Statements that hold one of these are not understood. */
  unknown?: readonly string[];
  objectId?: string;
  /** Hash that is sent with a row; default its own. */
  hash?: (text: string) => Buffer;
  /** Rows that the reply claims to have had. */
  counted?: number;
  /** `MIN_ACTIVE_ROWVERSION()` and `@@DBTS`, one after another. */
  positions?: [string, string][];
  boundaries?: readonly string[];
  /** Takes over the answer to the statement that reads rows. */
  onRead?: (reply: Reply) => void | Promise<void>;
}

/** SHA-256 of a text as SQL Server stores it. */
export function hashOf(text: string): Buffer {
  return createHash('sha256').update(text, 'utf16le').digest();
}

/** An answer to every statement that a reader of that table sends. */
export function scripted(table: ScriptedTable): NonNullable<PeerOptions['answer']> {
  const positions = [...(table.positions ?? [])];
  const answers: readonly (readonly [string, (reply: Reply, statement: string) => void | Promise<void>])[] = [
    ['ProductVersion', text([['16.0.4195.2', 'history']])],
    ["N'a\\b'", text([['a\\\\b\t\\N']])],
    [
      'snapshot_isolation_state',
      text([[table.snapshotState ?? '1', '0', '2024-01-01 00:00:00.000', 'broker', 'Latin1_General_CI_AS']]),
    ],
    ['CONVERT(float, 1)', text([['3.3333333333333331e-001']])],
    ['Größe', (reply) => reply.rows(['bytes'], [[hashOf('Größe\t1')]])],
    [
      'MIN_ACTIVE_ROWVERSION',
      (reply) => reply.rows(['text', 'text'], [positions.shift() ?? ['0x00000000000007D1', '0x00000000000007D0']]),
    ],
    ['recovery_fork_guid', text([['fork-1']])],
    ['sys.security_policies', text([['0']])],
    ['system_type_id = 189', text([['1']])],
    ['SYSDATETIMEOFFSET', text([['2024-02-29T23:59:59.1234567+00:00']])],
    [
      'QUOTENAME',
      text([
        ['dbo', 'telemetry', '1'],
        ['dbo', 'secret', '0'],
      ]),
    ],
    ['t.create_date', text([['dbo', 'telemetry', table.objectId ?? '101', '2024-01-01 00:00:00.000']])],
    [
      'c.max_length',
      text([
        ['id', 'int', 'int', '4', '10', '0', null, '0', '0', '0', '0', '0'],
        ['note', 'nvarchar', 'nvarchar', '-1', '0', '0', 'Latin1_General_CI_AS', '1', '0', '0', '0', '0'],
        ['code', 'varbinary', 'varbinary', '4', '0', '0', null, '1', '0', '0', '0', '0'],
      ]),
    ],
    ['c.encryption_type', text([])],
    ['sys.index_columns', text([['1', '1', '1', '1', '0', 'id']])],
    ['sys.allocation_units', text([['16']])],
    ['SUM(p.rows)', text([['3', '1', '72057594', '72057594']])],
    ['ROW_NUMBER', text((table.boundaries ?? []).map((boundary) => [boundary]))],
    [
      'CROSS APPLY',
      (reply, statement) => {
        if (statement.includes('1 = 0')) return reply.rows(['large', 'bytes'], []);
        if (table.onRead !== undefined) return table.onRead(reply);
        const hash = table.hash ?? hashOf;
        if (statement.startsWith('SELECT HASHBYTES'))
          return reply.rows(
            ['bytes'],
            mapped(table.rows, (row) => [hash(row)]),
            table.counted,
          );
        if (!statement.includes('HASHBYTES'))
          return reply.rows(
            ['large'],
            mapped(table.rows, (row) => [row]),
            table.counted,
          );
        return reply.rows(
          ['large', 'bytes'],
          mapped(table.rows, (row) => [row, hash(row)]),
          table.counted,
        );
      },
    ],
    ['COUNT_BIG', (reply, statement) => text([statement.split('COUNT_BIG').length > 2 ? ['3', '3'] : ['3']])(reply)],
    ['SET ', (reply) => reply.rows(['text'], [])],
    ['SELECT TOP (1)', text([['1']])],
  ];
  return (statement, reply) => {
    if (table.unknown?.some((part) => statement.includes(part)) === true) {
      reply.error(195, 'It is not a recognized built-in function name.');
      return;
    }
    const answer = answers.find(([part]) => statement.includes(part));
    if (answer === undefined) {
      reply.error(102, `no answer to: ${statement.slice(0, 200)}`);
      return;
    }
    return answer[1](reply, statement);
  };
}

function text(rows: readonly (readonly PeerValue[])[]): (reply: Reply) => Promise<void> {
  return (reply) =>
    reply.rows(
      Array.from({ length: rows[0]?.length ?? 1 }, () => 'text' as const),
      rows,
    );
}

function* mapped<T, U>(values: Iterable<T>, make: (value: T) => U): Generator<U> {
  for (const value of values) yield make(value);
}

import { createHash } from 'node:crypto';
import { MONEY_BY_DECIMAL, TYPE_PROBES, type TypeProbe } from '../../connectors/sqlserver/type-probes.ts';
import type { PeerOptions, Reply } from './tds-peer.ts';
import type { PeerColumn, PeerValue } from '../../connectors/sqlserver/test-tokens.ts';

/** A row: id, note, code in hexadecimal. */
export type ScriptedRow = readonly [id: number, note: string | null, code: string | null];

/** 0E984725-C51C-4BF4-9960-E1C80E27ABA0 as it is stored: the first three groups little end first. */
const GUID_BYTES = Buffer.from('2547980e1cc5f44b9960e1c80e27aba0', 'hex');

/** What a row is sent in: whether it is not too large, its values, its hash. */
export const SENT_COLUMNS: readonly PeerColumn[] = ['int not null', 'int', 'large', 'bytes', 'hash'];

/** What a scripted database answers; all of one table `dbo.telemetry (id int primary key, note nvarchar(max), code varbinary(4))`. */
export interface ScriptedTable {
  rows: Iterable<ScriptedRow>;
  /** `sys.databases.snapshot_isolation_state`. */
  snapshotState?: '0' | '1';
  /** Statements that hold one of these are not understood. */
  unknown?: readonly string[];
  objectId?: string;
  /** Hash that is sent with a row; default its own. */
  hash?: (row: ScriptedRow) => Buffer;
  /** Values that the server sends of types, in place of what is stored. */
  typeTexts?: Readonly<Record<string, string>>;
  /** Number of the column `code`. */
  codeNumber?: string;
  /** Rows, partition numbers and heaps of the table's partitions. */
  partitions?: readonly (readonly [string, string, string])[];
  /** Statements that hold one of these are refused, and end the transaction. */
  endsTransaction?: readonly string[];
  /** Rows that the reply claims to have had. */
  counted?: number;
  /** `MIN_ACTIVE_ROWVERSION()` and `@@DBTS`, one after another. */
  positions?: [string, string][];
  boundaries?: readonly string[];
  /** Takes over the answer to the statement that reads rows. */
  onRead?: (reply: Reply) => void | Promise<void>;
}

/** The first bytes of SHA-256 of what a row's hash is of, in UTF-16. */
export function hashOf([id, note, code]: ScriptedRow): Buffer {
  const noteText = note === null ? ':' : `${note.length * 2}:${note}`;
  const text = `${id}\t${noteText}\t${code === null ? '' : `0x${code}`}`;
  return createHash('sha256').update(text, 'utf16le').digest().subarray(0, 16);
}

/** A row as it is sent. */
export function sent(row: ScriptedRow, hash = hashOf(row)): readonly PeerValue[] {
  const [id, note, code] = row;
  return ['1', String(id), note, code === null ? null : Buffer.from(code, 'hex'), hash];
}

/** What a server that does as SQL Server answers to the probes that a statement asks for. */
function probed(table: ScriptedTable): (reply: Reply, statement: string) => Promise<void> {
  const columnOf = ({ types: [type = ''] }: TypeProbe): PeerColumn => {
    if (type === 'tinyint' || type === 'smallint' || type === 'int' || type === 'bigint' || type === 'bit') return type;
    if (type === 'uniqueidentifier') return 'guid';
    return type === 'binary' ? 'bytes' : 'text';
  };
  const valueOf = (probe: TypeProbe, column: PeerColumn): PeerValue => {
    const text =
      probe === MONEY_BY_DECIMAL ? probe.expected : (table.typeTexts?.[probe.types[0] ?? ''] ?? probe.expected);
    if (column === 'guid') return GUID_BYTES;
    if (column === 'bytes') return Buffer.from(text, 'hex');
    return column === 'bit' ? text === '1' : text;
  };
  return (reply, statement) => {
    const asked = [...TYPE_PROBES, MONEY_BY_DECIMAL].filter(({ expression }) => statement.includes(expression));
    const columns = asked.map(columnOf);
    return reply.rows(columns, [asked.map((probe, at) => valueOf(probe, columns[at] ?? 'text'))]);
  };
}

/** `COUNT_BIG(*)`, `COUNT_BIG(hash)` and the sums of the hashes' words. */
function digestRow(hashes: readonly Buffer[]): readonly string[] {
  const sums = [0, 4, 8, 12].map((at) => hashes.reduce((sum, hash) => sum + BigInt(hash.readUInt32BE(at)), 0n));
  return [String(hashes.length), String(hashes.length), ...sums.map(String)];
}

/** An answer to every statement that a reader of that table sends. */
export function scripted(table: ScriptedTable): NonNullable<PeerOptions['answer']> {
  const positions = [...(table.positions ?? [])];
  const answers: readonly (readonly [string, (reply: Reply, statement: string) => void | Promise<void>])[] = [
    ['ProductVersion', text([['16.0.4195.2', 'history']])],
    ["N'a\\b'", text([['a\\b\t\\N']])],
    [
      'snapshot_isolation_state',
      text([[table.snapshotState ?? '1', '0', '2024-01-01 00:00:00.000', 'broker', 'Latin1_General_CI_AS']]),
    ],
    [
      "DATALENGTH(N'Größe')",
      (reply) => {
        const hash = createHash('sha256').update('1\t10:Größe', 'utf16le').digest().subarray(0, 16);
        return reply.rows(['hash', 'text'], [[hash, String(hash.readUInt32BE(0))]]);
      },
    ],
    [
      'MIN_ACTIVE_ROWVERSION',
      (reply) => reply.rows(['text', 'text'], [positions.shift() ?? ['0x00000000000007D1', '0x00000000000007D0']]),
    ],
    ['recovery_fork_guid', text([['fork-1']])],
    ['sys.security_policies', text([['0']])],
    ['system_type_id = 189', text([['1']])],
    ['SYSDATETIMEOFFSET', text([['2024-02-29T23:59:59.1234567+00:00']])],
    ['c.encryption_type', text([])],
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
        ['id', 'int', 'int', '4', '10', '0', null, '0', '0', '0', '0', '0', '1'],
        ['note', 'nvarchar', 'nvarchar', '-1', '0', '0', 'Latin1_General_CI_AS', '1', '0', '0', '0', '0', '2'],
        ['code', 'varbinary', 'varbinary', '4', '0', '0', null, '1', '0', '0', '0', '0', table.codeNumber ?? '3'],
      ]),
    ],
    ['sys.index_columns', text([['1', '1', '1', '1', '0', 'id']])],
    ['sys.allocation_units', text([['16']])],
    ['p.partition_number', text(table.partitions ?? [['3', '1', '72057594']])],
    ['ROW_NUMBER', text((table.boundaries ?? []).map((boundary) => [boundary]))],
    ['COUNT_BIG(h.h)', (reply) => text([digestRow([...table.rows].map((row) => (table.hash ?? hashOf)(row)))])(reply)],
    [
      'CROSS APPLY',
      (reply, statement) => {
        if (statement.includes('1 = 0')) return reply.rows(SENT_COLUMNS, []);
        if (table.onRead !== undefined) return table.onRead(reply);
        const columns = statement.includes('HASHBYTES') ? SENT_COLUMNS : SENT_COLUMNS.slice(0, -1);
        return reply.rows(
          columns,
          mapped(table.rows, (row) => sent(row, table.hash?.(row))),
          table.counted,
        );
      },
    ],
    [
      'COUNT_BIG',
      (reply, statement) => {
        const rows = String([...table.rows].length);
        return text([statement.split('COUNT_BIG').length > 2 ? [rows, rows] : [rows]])(reply);
      },
    ],
    ['SET ', (reply) => reply.rows(['text'], [])],
    ['SELECT TOP (1)', text([['1']])],
    ['', probed(table)],
  ];
  return (statement, reply) => {
    if (table.endsTransaction?.some((part) => statement.includes(part)) === true) {
      reply.error(195, 'It is not a recognized built-in function name.', { endsTransaction: true });
      return;
    }
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

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import { POSITION } from '../plan/changes.ts';
import { CATALOGUE_PROBES, catalogueRows, type CatalogueAbilities } from './catalogue.ts';
import { HASH_BYTES, hashOf, wordSums } from '../read/row-statements.ts';
import type { Session } from '../session/session.ts';
import { findTypeAbilities } from './type-abilities.ts';
import type { TypeAbilities } from '../plan/types.ts';
import type { Row } from '../session/wire-row.ts';

/** What a server is and can do, found out once. Nothing that only newer servers know is taken for granted. */
export interface ServerFacts extends TypeAbilities {
  readonly product: string;
  readonly database: string;
  readonly fingerprint: string;
  /** Isolation that readers ask for. */
  readonly isolation: 'snapshot' | 'read committed';
  readonly catalogue: CatalogueAbilities;
  /** `HASHBYTES('SHA2_256', …)` computes what Node computes. */
  readonly rowHashes: boolean;
  /** `MIN_ACTIVE_ROWVERSION()` and `@@DBTS` are there. */
  readonly rowversions: boolean;
  /** Some table has a rowversion column. */
  readonly rowversionsUsed: boolean;
  /** Statements for each new connection, which this server has taken. */
  readonly sessionSettings: readonly string[];
  readonly notes: readonly string[];
}

const YEARS: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({ 13: '2016', 14: '2017', 15: '2019', 16: '2022', 17: '2025' }),
);

const ESSENTIAL = `SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')), CONVERT(nvarchar(128), DB_NAME())`;
const BASIC_TEXT = "SELECT CONCAT(CONVERT(nvarchar(20), N'a\\b'), NCHAR(9), ISNULL(CONVERT(varchar(20), NULL), '\\N'))";
const BASIC_TEXT_RESULT = 'a\\b\t\\N';
/** The hash of a row as statements ask for it, and the first word of the sum. */
const ROW_HASH = `SELECT h.h, ${wordSums('h.h')[0] ?? ''} FROM (SELECT ${hashOf("CONCAT(N'', 1, NCHAR(9), DATALENGTH(N'Größe'), N':', N'Größe' COLLATE Latin1_General_BIN2)")} AS h) AS h GROUP BY h.h`;
const HASHED_SAMPLE = createHash('sha256').update('1\t10:Größe', 'utf16le').digest().subarray(0, HASH_BYTES);
export const POSITION_NOW =
  'SELECT CONVERT(varchar(18), CONVERT(binary(8), MIN_ACTIVE_ROWVERSION()), 1), CONVERT(varchar(18), CONVERT(binary(8), @@DBTS), 1)';
const ROWVERSION_COLUMNS =
  'SELECT CONVERT(varchar(20), COUNT(*)) FROM sys.columns AS c JOIN sys.tables AS t ON t.object_id = c.object_id WHERE c.system_type_id = 189';
const DATABASE = `SELECT CONVERT(varchar(3), d.snapshot_isolation_state), CONVERT(varchar(3), CONVERT(int, d.is_read_committed_snapshot_on)),
CONVERT(varchar(30), d.create_date, 121), CONVERT(varchar(36), d.service_broker_guid), CONVERT(nvarchar(128), d.collation_name)
FROM sys.databases AS d WHERE d.database_id = DB_ID()`;
/** Changes with each restore, and not when the database fails over to a replica. */
const RECOVERY_FORK = `SELECT CONVERT(varchar(36), r.recovery_fork_guid) FROM sys.database_recovery_status AS r WHERE r.database_id = DB_ID()`;
const ROW_FILTERS = 'SELECT CONVERT(varchar(20), COUNT(*)) FROM sys.security_policies AS p WHERE p.is_enabled = 1';
const SETTINGS = [
  // A table that DDL holds for long is tried again later rather than waited for.
  'SET LOCK_TIMEOUT 120000',
  // Of two that block each other, the import gives way to the application.
  'SET DEADLOCK_PRIORITY LOW',
];

const SNAPSHOT_ON = '1';

/**
 * Finds out what the server is and can do.
 *
 * @throws GridError `unsupported-server` when it cannot even write text, and failures of the connection
 */
export async function serverFacts(session: Session, shown: string, signal: AbortSignal): Promise<ServerFacts> {
  const attempt = `Asking SQL Server at ${shown} what it is`;
  const maybe = async (statement: string): Promise<Row | undefined> => {
    try {
      return (await session.query(statement, attempt, signal))[0] ?? [];
    } catch (error) {
      // A server that does not know a word says so and goes on; a lost connection is a failure.
      if (error instanceof GridError && !error.retryable && !session.closed) return undefined;
      throw error;
    }
  };
  const one = async (statement: string): Promise<string | undefined> => {
    const value = (await maybe(statement))?.[0];
    return typeof value === 'string' ? value : undefined;
  };

  const [essential] = catalogueRows(
    z.tuple([z.string(), z.string()]),
    await session.query(ESSENTIAL, attempt, signal),
    'its version',
  );
  if (essential === undefined || (await one(BASIC_TEXT)) !== BASIC_TEXT_RESULT) {
    throw new GridError(
      'unsupported-server',
      `${attempt}: it does not write text as SQL Server 2016 and later do (CONCAT, REPLACE under a binary collation). Import from such a server.`,
    );
  }
  const [version, database] = essential;
  const row = await maybe(DATABASE);
  const [snapshotState, readCommittedSnapshot, createdAt, brokerId] = (row ?? []).map((value) =>
    typeof value === 'string' ? value : '',
  );
  const types = await findTypeAbilities(async (statement) => maybe(statement));
  const [hashed, firstWord] = (await maybe(ROW_HASH)) ?? [];
  const rowHashes =
    Buffer.isBuffer(hashed) && hashed.equals(HASHED_SAMPLE) && firstWord === String(HASHED_SAMPLE.readUInt32BE(0));
  const catalogue = {
    secrecy: (await maybe(CATALOGUE_PROBES.secrecy)) !== undefined,
    partitions: (await maybe(CATALOGUE_PROBES.partitions)) !== undefined,
    pages: (await maybe(CATALOGUE_PROBES.pages)) !== undefined,
  };
  const rowversions = POSITION.test((await one(POSITION_NOW)) ?? '');
  const fork = await one(RECOVERY_FORK);
  const sessionSettings: string[] = [];
  for (const setting of SETTINGS)
    if (await understood(session, setting, attempt, signal)) sessionSettings.push(setting);
  const isolation = snapshotState === SNAPSHOT_ON ? 'snapshot' : 'read committed';
  const filters = await one(ROW_FILTERS);
  const notes = [
    ...(isolation === 'snapshot' ? [] : [noSnapshotNote(database, readCommittedSnapshot === '1')]),
    ...(rowHashes
      ? []
      : [
          "The server does not compute HASHBYTES('SHA2_256', …): what is read is verified by counts only, and splits of an earlier attempt are compared by reading them again.",
        ]),
    ...(types.inexact.size === 0
      ? []
      : [
          `The server does not send all types as they are stored, so columns of them are refused: ${[...types.inexact.keys()].join(', ')}.`,
        ]),
    ...(types.moneyByDecimal === true
      ? ['The server drops decimals of money: it is read by way of decimal(19,4), which keeps them.']
      : []),
    ...(rowversions
      ? []
      : ['The server does not know MIN_ACTIVE_ROWVERSION(): incremental imports need a cursor column.']),
    ...(filters === undefined || filters === '0'
      ? []
      : ['Row-level security is on in this database: rows that its policies hide from the user are not imported.']),
  ];
  return {
    product: `SQL Server ${YEARS.get(version.split('.')[0] ?? '') ?? ''} ${version}`
      .replace(/ +/, ' ')
      .replace('Server  ', 'Server '),
    database,
    fingerprint: fingerprintOf(fork, brokerId, createdAt, database),
    isolation,
    ...types,
    catalogue,
    rowHashes,
    rowversions,
    rowversionsUsed: rowversions && (await one(ROWVERSION_COLUMNS)) !== '0',
    sessionSettings,
    notes,
  };
}

function noSnapshotNote(database: string, readCommittedSnapshot: boolean): string {
  const each = readCommittedSnapshot
    ? 'each split is of one moment of its own (READ_COMMITTED_SNAPSHOT is on)'
    : 'rows are read as they are when their turn comes, and writers may block reading';
  return `Database ${database} does not allow snapshot isolation: ${each}, so a table's rows need not belong to one moment. ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON makes them.`;
}

/**
 * Tells the database from others and from itself before a restore: the recovery fork where the user may see it, else what
 * was given to it when it was created here.
 */
function fingerprintOf(fork: string | undefined, brokerId = '', createdAt = '', database: string): string {
  const parts = fork === undefined ? [database, brokerId, createdAt] : [database, fork];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
}

async function understood(session: Session, statement: string, attempt: string, signal: AbortSignal): Promise<boolean> {
  try {
    await session.query(statement, attempt, signal);
    return true;
  } catch (error) {
    if (error instanceof GridError && !error.retryable && !session.closed) return false;
    throw error;
  }
}

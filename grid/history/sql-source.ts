/**
 * What an import needs of a database, whatever its kind. `connectors/postgres` and `connectors/sqlserver` implement it;
 * `activities/import` uses it. A value never passes through a JavaScript number or Date: it is text made by the database,
 * or read from the bytes that the database stores.
 */
import { z } from 'zod';

/** The databases that history is imported from. */
export const SOURCE_NAMES = ['postgres', 'sqlserver'] as const;
export type SourceName = (typeof SOURCE_NAMES)[number];

export const tableId = z.object({ schema: z.string(), name: z.string() }).readonly();
export type TableId = z.output<typeof tableId>;

/** A moment of the source that rows are read as of. Plain data: it travels through workflow histories. */
export const sourceSnapshot = z
  .object({
    /** What a reader opens the snapshot by; where snapshots cannot be shared it opens nothing, and only tells one from another. */
    id: z.string(),
    /**
     * Where the moment lies among all changes, in the database's own terms: PostgreSQL `pg_current_snapshot()` as text,
     * SQL Server `MIN_ACTIVE_ROWVERSION()` as hexadecimal. Incremental imports start from it.
     */
    position: z.string(),
    /** The database's clock, ISO with offset. */
    takenAt: z.string(),
  })
  .readonly();
export type SourceSnapshot = z.output<typeof sourceSnapshot>;

/** A snapshot as long as its transaction lives. */
export interface HeldSnapshot {
  readonly snapshot: SourceSnapshot;
  /** Asks the server whether it is still held. @throws GridError `snapshot-lost` */
  check(signal: AbortSignal): Promise<void>;
  release(): Promise<void>;
}

export interface SourceIdentity {
  /** `PostgreSQL 18.1`, for people. */
  readonly product: string;
  readonly database: string;
  /** Tells this database from a restored or another one: positions of one mean nothing in another. */
  readonly fingerprint: string;
  /** Whether one snapshot serves many connections. Where not, a table is read through one connection. */
  readonly sharedSnapshots: boolean;
  /** How far rows of one table belong to one moment. */
  readonly consistency: 'database' | 'table' | 'none';
  /** What an operator should know, in sentences. */
  readonly notes: readonly string[];
}

/** What is done with a column that does not fit its Hive type. */
export type OnUnsupported = 'refuse' | 'text' | 'skip';

/** A column as it is imported. */
export interface ImportColumn {
  readonly name: string;
  /** The source's own type, as its catalogue writes it: `numeric(12,4)`. */
  readonly sourceType: string;
  /** Hive's: `DECIMAL(12,4)`. */
  readonly hiveType: string;
  /** SQL expression over the row that the field is made of; what it gives (Hive's text, or the value) is the connector's own affair. */
  readonly expression: string;
  /** Whether it has no NULLs, by its declaration; absent where that is not known. */
  readonly neverNull?: boolean;
  /** A cheaper one, for rows at the snapshot at which the plan has looked at all values. */
  readonly provenExpression?: string;
}

/** A column that is not imported as its own type, and why. */
export const columnRemark = z
  .object({
    column: z.string(),
    sourceType: z.string(),
    reason: z.string(),
    done: z.enum(['refused', 'kept as text', 'left out']),
  })
  .readonly();
export type ColumnRemark = z.output<typeof columnRemark>;

/** What tables are made of physically, and what a split is a range of; opaque outside the connector (JSON). */
export type SplitRange = Readonly<Record<string, string | number | null>>;

/** What the text of a column depends on beside its rows: labels of an enum, attributes of a composite type, … */
export interface ValueDefinition {
  readonly column: string;
  /** Part and meaning, in the source's own terms. */
  readonly parts: readonly (readonly [part: string, meaning: string])[];
}

/** Tells whether the next import meets the table, and the reading of its values, that this one has met. JSON, kept with the import. */
export interface TableOrigin {
  /** The database's own number of the table: another one when it was made anew, or swapped for another by renaming. */
  readonly table: string;
  /** Likewise of the parts that have its rows (partitions, heirs): rows come and go with them. */
  readonly parts: readonly string[];
  /** Of those columns whose text depends on more than their rows. */
  readonly definitions: readonly ValueDefinition[];
}

/** All that is needed to read a table in splits, decided once; JSON, kept in HDFS. */
export interface TablePlan {
  readonly table: TableId;
  readonly columns: readonly ImportColumn[];
  readonly remarks: readonly ColumnRemark[];
  /** Names of the primary key's columns in its order; empty without one. */
  readonly key: readonly string[];
  /** Why the primary key is none, where the table has one: `its heirs may hold the same keys`. */
  readonly keyless?: string;
  /** Changes when the table is dropped, truncated, rewritten or altered: then the plan does not hold any more. */
  readonly identity: string;
  /** What the next import compares with; absent where the source tells nothing of the kind. */
  readonly origin?: TableOrigin;
  /** Position of the snapshot at which the plan has found that every value can be kept; absent when it has not looked. */
  readonly provenAt?: string;
  /** SQL condition over the row that chooses what an incremental import reads; absent for all rows. */
  readonly condition?: string;
  /** Where a condition ends that has an upper bound of its own: the next import starts there, whatever snapshot the rows were read at. */
  readonly upperPosition?: string;
  readonly splits: readonly SplitRange[];
  /** Estimated for a full import, counted for an incremental one. */
  readonly estimatedRows: number;
  readonly estimatedBytes: number;
}

/** From where on an incremental import reads. */
export interface ChangesSince {
  readonly position: string;
  readonly fingerprint: string;
  /** Cursor column that was asked for. */
  readonly cursor?: string;
  /** Highest cursor value that was imported, as text. */
  readonly cursorValue?: string;
  /** What the last import has met; absent of those that kept nothing of it. */
  readonly origin?: TableOrigin;
}

export interface PlanOptions {
  readonly splitRows: number;
  readonly onUnsupported: OnUnsupported;
  readonly since?: ChangesSince;
  readonly cursor?: string;
}

/** How many rows a table has, and how many of them are changes, at the reader's snapshot. */
export interface RowCounts {
  readonly rows: number;
  /** Rows that the plan's condition chooses; equal to `rows` without one. */
  readonly chosen: number;
}

/**
 * What a split's text is, as the database has computed it. `digest` is lower-case hexadecimal, the source's own: equal for
 * equal rows in equal order, made of digests that the database computes; empty string for a split without rows.
 */
export interface SplitDigest {
  readonly rows: number;
  readonly digest: string;
}

/** What a copied split was. */
export interface CopiedSplit extends SplitDigest {
  /** Of the text, uncompressed. */
  readonly textBytes: number;
}

/** One connection with a transaction at one snapshot. Used by one caller, one call at a time. */
export interface SnapshotReader {
  readonly snapshot: SourceSnapshot;
  /**
   * Describes the table and plans its splits.
   *
   * @throws GridError `unknown-table`, `source-denied`, `unsupported-column` (all such columns named, before any row is
   * read for keeps), `unknown-column` (cursor), `append-impossible` (`since` is of another database)
   */
  plan(table: TableId, options: PlanOptions, signal: AbortSignal): Promise<TablePlan>;
  /** Exact counts. @throws as `copy` */
  count(plan: TablePlan, signal: AbortSignal): Promise<RowCounts>;
  /**
   * Reads a split as lines in Hive's text format (fields separated by TAB, each line ended by LF). Chunks are handed to
   * `write` one at a time, and the memory of one is used again when it resolves. With `verify`, every block is compared with the
   * digest that the database computed of it.
   *
   * @throws GridError `table-changed`, `unknown-table`, `snapshot-lost`, `source-unavailable`, `source-denied`, `row-too-large`,
   * `import-verification-failed` (the block named), and whatever `write` rejects with. Aborting `signal` cancels the query at the server.
   */
  copy(
    plan: TablePlan,
    split: number,
    write: (chunk: Buffer) => Promise<void>,
    options: { readonly verify: boolean; readonly signal: AbortSignal },
  ): Promise<CopiedSplit>;
  /** The digest of a split as the table is at this snapshot, without reading its rows over the wire. @throws as `copy` */
  digest(plan: TablePlan, split: number, signal: AbortSignal): Promise<SplitDigest>;
  /** Highest value of a cursor column as text; undefined for no rows. */
  highest(plan: TablePlan, column: string, signal: AbortSignal): Promise<string | undefined>;
  close(): Promise<void>;
}

/** A database with history. Opening one connects to nothing; every method that waits for the server is bounded in time. */
export interface SqlSource {
  readonly name: SourceName;
  /**
   * Connects, checks what is asked of a server, and says what it is.
   *
   * @throws GridError `source-unavailable` (refused, unknown host, time-out), `source-denied` (password, database,
   * rights), `source-tls-refused`, `unsupported-server`
   */
  identify(signal: AbortSignal): Promise<SourceIdentity>;
  /** Tables that can be imported, sorted by schema and name; those without the right to read them are told apart. */
  tables(signal: AbortSignal): Promise<readonly (TableId & { readonly readable: boolean })[]>;
  /** Holds a snapshot for other connections. Only where `sharedSnapshots`. */
  hold(signal: AbortSignal): Promise<HeldSnapshot>;
  /** Opens a reader at `snapshot`, or (where snapshots are not shared, or none is given) at one of its own. @throws `snapshot-lost` */
  read(snapshot: SourceSnapshot | undefined, signal: AbortSignal): Promise<SnapshotReader>;
  close(): Promise<void>;
}

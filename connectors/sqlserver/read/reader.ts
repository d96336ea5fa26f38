import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import { WriteBehind } from '../../../runtime/write-behind.ts';
import type {
  CopiedSplit,
  PlanOptions,
  RowCounts,
  SnapshotReader,
  SourceSnapshot,
  SplitDigest,
  TableId,
  TablePlan,
} from '../../../grid/history/sql-source.ts';
import { catalogueRows, describeTable } from '../catalogue/catalogue.ts';
import {
  changeTracking,
  cursorColumn,
  cursorRange,
  highestStatement,
  rowversionRange,
  type ChangeRange,
} from '../plan/changes.ts';
import { orderedType } from '../plan/ordered-types.ts';
import { digestOf, RowDigest } from './row-digest.ts';
import { assertCount, assertFits, assertSameHash, tooLarge } from './row-checks.ts';
import { RowLines } from './row-lines.ts';
import { countsStatement, countStatement, digestStatement, rowLayout, rowsStatement } from './row-statements.ts';
import type { ServerFacts } from '../catalogue/server-facts.ts';
import type { Session } from '../session/session.ts';
import { boundariesStatement, parseSplit, rowOrder, splitsBetween, type Split } from '../plan/splits.ts';
import { mapColumns } from '../plan/types.ts';
import { refuseUnkeepable } from '../plan/refusal.ts';
import { nameOfTable } from '../../../grid/history/table-name.ts';

const wordSum = z
  .string()
  .regex(/^\d{1,19}$/)
  .nullable()
  .transform((text) => BigInt(text ?? 0));
const rowCount = z
  .string()
  .regex(/^\d{1,16}$/)
  .transform(Number)
  .refine(Number.isSafeInteger);

/** Rough bytes of a row where the catalogue does not tell the size of the table. */
const ROW_BYTES_GUESS = 100;
/** Chunks of text that are being written or wait for it, while one more is made. */
const CHUNKS_BEHIND = 2;

/** A connection to SQL Server with its transaction; see {@link SnapshotReader}. */
export class SqlServerReader implements SnapshotReader {
  readonly snapshot: SourceSnapshot;
  readonly #session: Session;
  readonly #facts: ServerFacts;

  constructor(session: Session, facts: ServerFacts, snapshot: SourceSnapshot) {
    this.#session = session;
    this.#facts = facts;
    this.snapshot = snapshot;
  }

  async plan(table: TableId, options: PlanOptions, signal: AbortSignal): Promise<TablePlan> {
    const description = await describeTable(this.#session, table, this.#facts.catalogue, signal);
    const mapped = mapColumns(description.columns, options.onUnsupported, this.#facts);
    refuseUnkeepable(table, mapped);
    if (options.cursor !== undefined && !description.columns.some(({ type }) => type === 'timestamp')) {
      cursorColumn(table, description.columns, options.cursor);
    }
    const changes = options.since === undefined ? undefined : await this.#changes(description, options, signal);
    const primary = description.indexes.find((index) => index.primary);
    const draft = {
      table,
      columns: mapped.columns,
      remarks: mapped.remarks,
      key: primary?.columns.map(({ name }) => name) ?? [],
      identity: description.identity,
      origin: description.origin,
      ...(changes === undefined ? {} : { condition: changes.condition }),
      ...(changes?.upperPosition === undefined ? {} : { upperPosition: changes.upperPosition }),
    };
    const order = rowOrder(description);
    const splits = splitsBetween(
      order,
      await this.#boundaries(description, order, options, changes, signal),
      changes?.horizon,
    );
    const rowBytes =
      description.estimatedRows > 0 && description.estimatedBytes > 0
        ? description.estimatedBytes / description.estimatedRows
        : ROW_BYTES_GUESS;
    const plan: TablePlan = {
      ...draft,
      splits,
      estimatedRows: description.estimatedRows,
      estimatedBytes: description.estimatedBytes,
    };
    await this.#compile(plan, signal);
    if (changes === undefined) return plan;
    const { chosen } = await this.count(plan, signal);
    return { ...plan, estimatedRows: chosen, estimatedBytes: Math.round(chosen * rowBytes) };
  }

  async count(plan: TablePlan, signal: AbortSignal): Promise<RowCounts> {
    const attempt = `Counting the rows of ${nameOfTable(plan.table)} in SQL Server`;
    const [first] = plan.splits;
    const statement = countsStatement(plan, first === undefined ? undefined : parseSplit(plan.table, first));
    const rows = await this.#session.query(statement, attempt, signal);
    const [counts] = catalogueRows(z.tuple([rowCount, rowCount]), rows, 'a count');
    return { rows: counts?.[0] ?? 0, chosen: counts?.[1] ?? 0 };
  }

  async copy(
    plan: TablePlan,
    split: number,
    write: (chunk: Buffer) => Promise<void>,
    { verify, signal }: { readonly verify: boolean; readonly signal: AbortSignal },
  ): Promise<CopiedSplit> {
    const attempt = `Reading split ${split} of ${nameOfTable(plan.table)} from SQL Server`;
    const range = this.#split(plan, split, attempt);
    await this.#sameTable(plan, attempt, signal);
    const hashed = verify && this.#facts.rowHashes;
    // The next rows are checked while the last ones are compressed.
    const behind = new WriteBehind(write, CHUNKS_BEHIND);
    let textBytes = 0;
    const { sent, digest } = await this.#readRows(plan, range, { attempt, hashed, signal }, behind, (chunk) => {
      textBytes += chunk.length;
      return behind.add(chunk);
    });
    await behind.end();
    if (verify) {
      assertCount(digest.rows, sent, attempt);
      if (!hashed) assertCount(digest.rows, await this.#countSplit(plan, range, attempt, signal), attempt);
    }
    return { ...digest.result(), textBytes };
  }

  async digest(plan: TablePlan, split: number, signal: AbortSignal): Promise<SplitDigest> {
    const attempt = `Computing the digest of split ${split} of ${nameOfTable(plan.table)} in SQL Server`;
    const range = this.#split(plan, split, attempt);
    await this.#sameTable(plan, attempt, signal);
    if (this.#facts.rowHashes) {
      const rows = await this.#session.query(digestStatement(plan, range), attempt, signal);
      const sums = [wordSum, wordSum, wordSum, wordSum] as const;
      const [found] = catalogueRows(z.tuple([rowCount, rowCount, ...sums]), rows, 'a digest');
      const [counted = 0, hashed = 0, ...words] = found ?? [];
      if (hashed !== counted) throw tooLarge(attempt);
      return digestOf(counted, words);
    }
    // Without hashes from the server the rows themselves have to come.
    const nowhere = new WriteBehind<Buffer>(() => Promise.resolve(), 1);
    const { sent, digest } = await this.#readRows(
      plan,
      range,
      { attempt, hashed: false, signal },
      nowhere,
      () => undefined,
    );
    assertCount(digest.rows, sent, attempt);
    return digest.result();
  }

  async highest(plan: TablePlan, column: string, signal: AbortSignal): Promise<string | undefined> {
    const attempt = `Finding the highest ${column} of ${nameOfTable(plan.table)} in SQL Server`;
    const { columns } = await describeTable(this.#session, plan.table, this.#facts.catalogue, signal);
    // A cursor that is named for many tables may be missing where the rowversion column is what counts.
    const unused = columns.some(({ type }) => type === 'timestamp') && columns.every(({ name }) => name !== column);
    if (unused) return undefined;
    const type = orderedType(cursorColumn(plan.table, columns, column));
    if (type === undefined) {
      throw new GridError('append-impossible', `${attempt}: the column has no order. Name another cursor column.`);
    }
    return this.#text(highestStatement(plan.table, { column, type }, plan.condition), attempt, signal);
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  /** Reads a split's rows as lines, in chunks. @returns rows that the server says it has sent, and the digest of those that came */
  async #readRows(
    plan: TablePlan,
    range: Split,
    { attempt, hashed, signal }: { readonly attempt: string; readonly hashed: boolean; readonly signal: AbortSignal },
    behind: WriteBehind<Buffer>,
    take: (chunk: Buffer) => Promise<void> | undefined,
  ): Promise<{ readonly sent: number; readonly digest: RowDigest }> {
    const layout = rowLayout(plan, hashed);
    const digest = new RowDigest();
    const lines = new RowLines(plan, layout.valuesAt);
    const running = this.#session.run(rowsStatement(plan, range, hashed), {
      attempt,
      signal,
      onRow: (row) => {
        assertFits(row, layout, attempt);
        const own = lines.add(row);
        assertSameHash(row, layout, own, attempt, digest.rows);
        digest.add(own);
        return lines.full ? take(lines.take()) : undefined;
      },
    });
    const sent = await behind.while(running, signal);
    if (!lines.empty) void take(lines.take());
    return { sent, digest };
  }

  async #changes(
    description: Parameters<typeof changeTracking>[0],
    options: PlanOptions,
    signal: AbortSignal,
  ): Promise<ChangeRange | undefined> {
    if (options.since === undefined) return undefined;
    const tracking = changeTracking(description, options.since, options, this.#facts);
    if (tracking.kind === 'cursor') {
      const attempt = `Finding the highest ${tracking.column} of ${nameOfTable(description.table)} in SQL Server`;
      return cursorRange(
        tracking,
        await this.#text(highestStatement(description.table, tracking, undefined), attempt, signal),
      );
    }
    const upper = this.snapshot.position;
    if (BigInt(upper) < BigInt(tracking.from)) {
      throw new GridError(
        'append-impossible',
        `Planning an incremental import of ${nameOfTable(description.table)} from SQL Server: its last import ended at rowversion ${tracking.from}, ` +
          `and the database is only at ${upper}, so it was restored since. Import it whole (mode full).`,
      );
    }
    return rowversionRange(tracking, upper);
  }

  async #boundaries(
    description: Awaited<ReturnType<typeof describeTable>>,
    order: ReturnType<typeof rowOrder>,
    options: PlanOptions,
    changes: ChangeRange | undefined,
    signal: AbortSignal,
  ): Promise<string[][]> {
    const { table, estimatedRows } = description;
    if (order.columns.length === 0) return [];
    const statement = boundariesStatement(table, order, {
      splitRows: options.splitRows,
      estimatedRows,
      condition: changes?.condition,
    });
    const attempt = `Finding where to split ${nameOfTable(table)} in SQL Server`;
    return catalogueRows(
      z.array(z.string()).length(order.columns.length),
      await this.#session.query(statement, attempt, signal),
      'a key',
    );
  }

  /** Lets the server compile what will be read: a right that is missing shows before any row is copied. */
  async #compile(plan: TablePlan, signal: AbortSignal): Promise<void> {
    const [first] = plan.splits;
    if (first === undefined) return;
    const attempt = `Planning the import of ${nameOfTable(plan.table)} from SQL Server`;
    const nothing = { ...plan, condition: '1 = 0' };
    const statement = rowsStatement(nothing, parseSplit(plan.table, first), this.#facts.rowHashes);
    await this.#session.query(statement, attempt, signal);
  }

  #split(plan: TablePlan, split: number, attempt: string): Split {
    const range = plan.splits[split];
    if (range === undefined)
      throw new GridError('defect', `${attempt}: the plan has only ${plan.splits.length} splits.`);
    return parseSplit(plan.table, range);
  }

  async #sameTable(plan: TablePlan, attempt: string, signal: AbortSignal): Promise<void> {
    const { identity } = await describeTable(this.#session, plan.table, this.#facts.catalogue, signal);
    if (identity === plan.identity) return;
    throw new GridError(
      'table-changed',
      `${attempt}: the table was altered, truncated, rebuilt, or dropped and made anew since it was planned. It has to be planned anew.`,
    );
  }

  async #countSplit(plan: TablePlan, range: Split, attempt: string, signal: AbortSignal): Promise<number> {
    const rows = await this.#session.query(countStatement(plan, range), attempt, signal);
    return catalogueRows(z.tuple([rowCount]), rows, 'a count')[0]?.[0] ?? 0;
  }

  async #text(statement: string, attempt: string, signal: AbortSignal): Promise<string | undefined> {
    const value = (await this.#session.query(statement, attempt, signal))[0]?.[0];
    return typeof value === 'string' ? value : undefined;
  }
}

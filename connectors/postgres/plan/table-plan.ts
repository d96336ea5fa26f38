import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import type { ColumnRemark, ImportColumn, PlanOptions, TableId, TablePlan } from '../../../grid/history/sql-source.ts';
import { PLANNER_SETUP } from '../read/blocks.ts';
import { describeTable, type CatalogueTable } from '../catalogue/catalogue.ts';
import { changesSince } from './changes.ts';
import { columnForm, fieldExpression, isPlainText, textForm, type ColumnForm } from './types.ts';
import type { PostgresSession, Task } from '../session/session.ts';
import { frequentValues } from './frequent-values.ts';
import { sizesOf } from './leaf-sample.ts';
import type { PostgresServer } from '../catalogue/server-facts.ts';
import { refuseOtherOrigin } from '../catalogue/origin.ts';
import { planSplits } from './splits.ts';
import { lockUnchanged } from '../catalogue/table-lock.ts';
import { findUnkeepable, remarkOn, type UnkeepableColumn } from './unkeepable.ts';
import { nameOfTable } from '../../../grid/history/table-name.ts';

/** Columns that one message names. */
const MOST_LISTED = 100;

/** Describes a table at the transaction's snapshot, and plans how it is read. @throws as `SnapshotReader.plan` */
export async function planTable(
  connection: PostgresSession,
  server: PostgresServer,
  table: TableId,
  options: PlanOptions,
  task: Task,
): Promise<TablePlan> {
  const where = `${task.attempt} (${connection.address})`;
  const described = await describeTable(connection, table, task);
  checkCursor(described, table, options, where);
  const { relation } = await lockUnchanged(connection, described.oid, nameOfTable(table), task);
  const condition = await conditionOf(connection, server, described, options, task);
  const candidates = described.columns.map((column) => ({ column, form: columnForm(column.type, server.moneyDigits) }));
  const unkeepable = await findUnkeepable(connection, relation, condition, candidates, task);
  if (unkeepable.length > 0 && options.onUnsupported === 'refuse') throw refusal(where, table, unkeepable);
  const remarks = unkeepable.map((found) => remarkOn(found, options.onUnsupported));
  const chosen = condition === undefined ? undefined : await countChosen(connection, relation, condition, task);
  // From here on, only some pages are read.
  await connection.run(PLANNER_SETUP, task);
  const sizes = await sizesOf(connection, described.leaves, task);
  const texts = described.columns.filter(({ type }) => isPlainText(type)).map(({ name }) => name);
  const frequent = await frequentValues(connection, sizes, texts, task);
  const columns = importColumns(candidates, remarks, frequent, options);
  if (columns.length === 0) {
    throw new GridError(
      'unsupported-column',
      `${where}: ${nameOfTable(table)} has no columns that could be imported, and Hive knows no table without columns. Leave it out.`,
    );
  }
  const planned = await planSplits(connection, described.leaves, sizes, columns, options.splitRows, task);
  const share = chosen === undefined ? 1 : chosen / Math.max(1, planned.estimatedRows);
  return {
    table,
    columns,
    remarks,
    key: described.key,
    ...(described.keyless === undefined ? {} : { keyless: described.keyless }),
    identity: described.identity,
    origin: described.origin,
    ...(condition === undefined ? {} : { condition }),
    splits: planned.splits,
    estimatedRows: chosen ?? planned.estimatedRows,
    estimatedBytes: Math.round(planned.estimatedBytes * Math.min(1, share)),
  };
}

/** A cursor is not needed here, but one that does not exist is a mistake. */
function checkCursor(described: CatalogueTable, table: TableId, options: PlanOptions, where: string): void {
  const { cursor } = options;
  if (cursor === undefined || described.columns.some(({ name }) => name === cursor)) return;
  throw new GridError(
    'unknown-column',
    `${where}: ${nameOfTable(table)} has no column "${cursor}" to serve as cursor; it has ${described.columns.map(({ name }) => name).join(', ')}. Correct the cursor, or leave it out: PostgreSQL needs none.`,
  );
}

/** The condition of what has changed; all rows of parts that the last import has not met, which may be older than it. */
async function conditionOf(
  connection: PostgresSession,
  server: PostgresServer,
  { origin }: CatalogueTable,
  { since }: PlanOptions,
  task: Task,
): Promise<string | undefined> {
  if (since === undefined) return undefined;
  if (since.fingerprint !== server.identity.fingerprint) {
    throw new GridError(
      'append-impossible',
      `${task.attempt} (${connection.address}): the last import was from another database, or from this one before it was restored or failed over (${since.fingerprint}; now ${server.identity.fingerprint}). Import the table whole.`,
    );
  }
  refuseOtherOrigin(since.origin, origin, `${task.attempt} (${connection.address})`);
  const changed = await changesSince(connection, since.position, task);
  if (since.origin === undefined) return changed;
  const known = new Set(since.origin.parts);
  const added = origin.parts.filter((part) => !known.has(part));
  return added.length === 0 ? changed : `(r.tableoid = ANY ('{${added.join(',')}}'::oid[]) OR ${changed})`;
}

function refusal(where: string, table: TableId, unkeepable: readonly UnkeepableColumn[]): GridError {
  return new GridError(
    'unsupported-column',
    `${where}: ${nameOfTable(table)} has ${unkeepable.length} ${unkeepable.length === 1 ? 'column' : 'columns'} whose values cannot all be kept. Import it with onUnsupported "text" (they become STRING) or "skip" (they are left out), or correct the rows: ${listed(unkeepable)}.`,
    { details: { columns: unkeepable.map((found) => remarkOn(found, 'refuse')) } },
  );
}

/** All columns, those with the same reason together; of very many the first ones. */
function listed(unkeepable: readonly UnkeepableColumn[]): string {
  const byReason = new Map<string, string[]>();
  for (const { column, reason } of unkeepable.slice(0, MOST_LISTED)) {
    const columns = byReason.get(reason) ?? [];
    columns.push(`${column.name} (${column.declared})`);
    byReason.set(reason, columns);
  }
  const groups = [...byReason].map(([reason, columns]) => `${columns.join(', ')}: ${reason}`);
  const more = unkeepable.length - MOST_LISTED;
  return groups.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

function importColumns(
  candidates: readonly { readonly column: CatalogueTable['columns'][number]; readonly form: ColumnForm }[],
  remarks: readonly ColumnRemark[],
  frequent: ReadonlyMap<string, readonly string[]>,
  { onUnsupported }: PlanOptions,
): readonly ImportColumn[] {
  const remarked = new Set(remarks.map(({ column }) => column));
  return candidates.flatMap(({ column, form }) => {
    const { name, declared: sourceType, type, neverNull } = column;
    if (remarked.has(name) && onUnsupported === 'skip') return [];
    const kept = remarked.has(name) ? textForm(type) : form;
    const field = { neverNull, frequent: frequent.get(name) ?? [] };
    const expression = fieldExpression(name, kept, { ...field, proven: false });
    const provenExpression = fieldExpression(name, kept, { ...field, proven: true });
    const cheaper = provenExpression === expression ? {} : { provenExpression };
    const declared = neverNull ? { neverNull } : {};
    return [{ name, sourceType, hiveType: kept.hiveType, expression, ...declared, ...cheaper }];
  });
}

const CHOSEN = z.object({ chosen: z.string().transform(Number) });

async function countChosen(
  connection: PostgresSession,
  relation: string,
  condition: string,
  task: Task,
): Promise<number> {
  const sql = `SELECT count(*)::text AS chosen FROM ${relation} AS r WHERE ${condition}`;
  return (await connection.row(CHOSEN, sql, task)).chosen;
}

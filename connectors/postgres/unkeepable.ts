import type { ColumnRemark, OnUnsupported } from '../../grid/history/sql-source.ts';
import { z } from 'zod';
import type { CatalogueColumn } from './catalogue.ts';
import type { ColumnForm } from './column-types.ts';
import type { PostgresConnection, Task } from './connection.ts';
import { quoted } from './identifier.ts';

/** A column some of whose values its Hive type cannot hold. */
export interface UnkeepableColumn {
  readonly column: CatalogueColumn;
  readonly reason: string;
}

export interface Candidate {
  readonly column: CatalogueColumn;
  readonly form: ColumnForm;
}

const DONE: Readonly<Record<OnUnsupported, ColumnRemark['done']>> = {
  refuse: 'refused',
  text: 'kept as text',
  skip: 'left out',
};

/**
 * Finds the columns that hold values beyond their Hive type's range, by their least and greatest value: from an index where
 * the column has one, all others in one pass over the rows.
 *
 * @param relation the table, quoted, with all its parts.
 * @param condition of the rows that are imported; all when absent.
 */
export async function findUnkeepable(
  connection: PostgresConnection,
  relation: string,
  condition: string | undefined,
  candidates: readonly Candidate[],
  task: Task,
): Promise<readonly UnkeepableColumn[]> {
  const found: UnkeepableColumn[] = [];
  const limited = candidates.filter(({ form }) => form.unkeepable !== undefined);
  const byIndex = condition === undefined ? limited.filter(({ column }) => column.indexed) : [];
  const byPass = limited.filter((candidate) => !byIndex.includes(candidate));
  const where = condition === undefined ? '' : ` WHERE ${condition}`;
  for (const candidate of byIndex) found.push(...(await ask(connection, relation, where, [candidate], task)));
  if (byPass.length > 0) found.push(...(await ask(connection, relation, where, byPass, task)));
  return found;
}

export function remarkOn({ column, reason }: UnkeepableColumn, onUnsupported: OnUnsupported): ColumnRemark {
  return { column: column.name, sourceType: column.declared, reason, done: DONE[onUnsupported] };
}

async function ask(
  connection: PostgresConnection,
  relation: string,
  where: string,
  candidates: readonly Candidate[],
  task: Task,
): Promise<UnkeepableColumn[]> {
  const outputs = candidates.flatMap(({ column, form: { unkeepable } }, index) => {
    if (unkeepable === undefined) return [];
    const name = `r.${quoted(column.name)}`;
    const { lowest, beyond } = unkeepable;
    const least = lowest === undefined ? '' : `min(${name}) < ${lowest} OR `;
    return [`coalesce(${least}max(${name}) >= ${beyond}, false) AS c${index}`];
  });
  const flags = z.record(z.string(), z.enum(['t', 'f']));
  const row = await connection.row(flags, `SELECT ${outputs.join(', ')} FROM ${relation} AS r${where}`, task);
  return candidates.flatMap(({ column, form: { unkeepable } }, index) =>
    unkeepable !== undefined && row[`c${index}`] === 't' ? [{ column, reason: `holds ${unkeepable.reason}` }] : [],
  );
}

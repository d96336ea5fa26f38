import type { ImportInput } from '../../../workflows/import/input.ts';
import type { ChangesSince, RowCounts, TableId, TablePlan } from '../../../grid/history/sql-source.ts';
import type { ImportCommit } from '../publish/commit.ts';
import { tableName } from '../table-names.ts';

/** What is read of a table: all its rows, or those that changed since the last import. */
export type ImportWay =
  | { readonly kind: 'whole'; readonly notes: readonly string[] }
  | { readonly kind: 'changes'; readonly since: ChangesSince }
  | { readonly kind: 'refused'; readonly reason: string };

/** What becomes of a table whose changes have been counted. */
export type ImportDecision =
  /** Nothing has changed. */
  | { readonly kind: 'unchanged' }
  /** The changed rows are read. */
  | { readonly kind: 'changes'; readonly publishAs: 'append' | 'merge'; readonly notes: readonly string[] }
  /** All rows are read after all. */
  | { readonly kind: 'whole'; readonly notes: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: string };

/** How a table's columns compare with those of its last import. */
export type ColumnChange =
  | { readonly kind: 'same' }
  /** At the end, and no others changed. */
  | { readonly kind: 'added'; readonly columns: readonly string[] }
  | { readonly kind: 'changed'; readonly description: string };

interface ComparedColumn {
  readonly name: string;
  readonly hiveType: string;
}

/** First decision, from the mode and the last import alone. @param fingerprint of the database as it is now */
export function wayToImport(
  table: TableId,
  mode: ImportInput['mode'],
  last: Pick<ImportCommit, 'watermark' | 'origin'> | undefined,
  fingerprint: string,
): ImportWay {
  if (mode === 'full' || last === undefined) return { kind: 'whole', notes: [] };
  const { watermark } = last;
  if (watermark.fingerprint !== fingerprint) {
    return instead(
      table,
      mode,
      'the last import read another database (this one was restored or replaced since), so what has changed cannot be told',
    );
  }
  return { kind: 'changes', since: { ...watermark, ...(last.origin === undefined ? {} : { origin: last.origin }) } };
}

/** How a table's primary key compares with that of its last import. */
export type KeyChange =
  | { readonly kind: 'same' }
  /** There is none, or columns of it are not imported. */
  | { readonly kind: 'unusable'; readonly reason: string }
  | { readonly kind: 'changed' };

/** What the second decision goes by. */
export interface ChangeFacts {
  readonly mode: Exclude<ImportInput['mode'], 'full'>;
  readonly reconcile: boolean;
  /** Rows of the source table at its last import. */
  readonly rowsBefore: number;
  /** Rows of all runs that make up the imported table: more than `rowsBefore` when some were replaced or deleted since the last whole import. */
  readonly rowsImported: number;
  readonly counts: RowCounts;
  /** Whether one of the runs that make up the imported table was merged. */
  readonly hasMerges: boolean;
  readonly key: KeyChange;
  readonly columns: ColumnChange;
  /**
   * Whether the rows are read at the snapshot they were counted at. Where not, rows that were only added until now may be updated
   * before they are read.
   */
  readonly sharedSnapshots: boolean;
}

/**
 * Second decision, from the counts. The rows that the condition chooses were inserted or updated since, so
 * `rowsBefore + chosen − rows` is the number of rows that were updated or deleted: when it is 0, appending is exact.
 */
export function decisionByCounts(table: TableId, facts: ChangeFacts): ImportDecision {
  const { mode, reconcile, rowsBefore, counts, key, columns } = facts;
  if (columns.kind === 'changed' || (columns.kind === 'added' && mode === 'merge')) {
    // A column that was added may have a value in old rows, too: its default.
    const description = columns.kind === 'changed' ? columns.description : `it has got ${columns.columns.join(', ')}`;
    return instead(table, mode, `its columns have changed since the last import (${description})`);
  }
  // What is a table's newest row of a key can be told by one key only, and what earlier merges have made of its rows stands on it.
  if (key.kind === 'unusable' && mode === 'merge' && facts.hasMerges) {
    return instead(table, mode, `its earlier imports were merged by a key, and ${key.reason}`);
  }
  if (key.kind === 'changed' && (mode === 'merge' || facts.hasMerges)) {
    return instead(table, mode, 'its primary key has changed since the last import');
  }
  const replaced = rowsBefore + counts.chosen - counts.rows;
  const figures = `${counts.rows} rows now, ${rowsBefore} at the last import, ${counts.chosen} inserted or updated since`;
  if (mode === 'merge' && reconcile && facts.rowsImported > rowsBefore) {
    return instead(table, mode, 'an import without reconcile may have left rows that were deleted');
  }
  if (counts.chosen === 0 && replaced === 0) return { kind: 'unchanged' };
  if (replaced < 0) {
    return instead(table, mode, `there are rows that the last import did not count (${figures})`);
  }
  if (mode === 'incremental') {
    if (replaced > 0) return instead(table, mode, `${replaced} rows were updated or deleted (${figures})`);
    if (facts.hasMerges && key.kind === 'unusable')
      return instead(table, mode, 'its earlier imports were merged by a key');
    return { kind: 'changes', publishAs: 'append', notes: notesOfAdded(columns) };
  }
  if (key.kind === 'unusable')
    return { kind: 'whole', notes: [`${tableName(table)} has changed, and ${key.reason}: imported whole.`] };
  if (replaced === 0) return { kind: 'changes', publishAs: facts.sharedSnapshots ? 'append' : 'merge', notes: [] };
  if (reconcile) {
    return {
      kind: 'whole',
      notes: [
        `${replaced} rows of ${tableName(table)} were updated or deleted: imported whole, so that deleted rows go.`,
      ],
    };
  }
  if (counts.chosen === 0) {
    return {
      kind: 'changes',
      publishAs: 'merge',
      notes: [`${replaced} rows of ${tableName(table)} were deleted, and stay without reconcile.`],
    };
  }
  return {
    kind: 'changes',
    publishAs: 'merge',
    notes: [`${replaced} rows of ${tableName(table)} were updated or deleted; deleted rows stay without reconcile.`],
  };
}

/** Compares columns by name, order and Hive type. */
export function columnChange(before: readonly ComparedColumn[], now: readonly ComparedColumn[]): ColumnChange {
  const nowByName = new Map(now.map((column) => [column.name, column]));
  const beforeNames = new Set(before.map(({ name }) => name));
  const added = now.filter(({ name }) => !beforeNames.has(name)).map(({ name }) => name);
  const problems = before.flatMap((column) => {
    const other = nowByName.get(column.name);
    if (other === undefined) return [`without ${column.name}`];
    return other.hiveType === column.hiveType ? [] : [`${column.name} ${other.hiveType} for ${column.hiveType}`];
  });
  if (problems.length > 0) return { kind: 'changed', description: problems.join(', ') };
  if (before.some(({ name }, index) => now[index]?.name !== name)) {
    return { kind: 'changed', description: 'in another order' };
  }
  return added.length === 0 ? { kind: 'same' } : { kind: 'added', columns: added };
}

/** Compares primary keys, in whatever order of their columns. */
export function keyChange(
  before: readonly string[],
  {
    key: now,
    keyless,
    columns,
  }: Pick<TablePlan, 'key' | 'keyless'> & { readonly columns: readonly Pick<ComparedColumn, 'name'>[] },
): KeyChange {
  const imported = new Set(columns.map(({ name }) => name));
  if (now.length === 0) return { kind: 'unusable', reason: keyless ?? 'it has no primary key' };
  const missing = now.filter((name) => !imported.has(name));
  if (missing.length > 0) return { kind: 'unusable', reason: `the key column ${missing.join(', ')} is not imported` };
  return JSON.stringify([...before].sort()) === JSON.stringify([...now].sort())
    ? { kind: 'same' }
    : { kind: 'changed' };
}

/** What a mode does when changes alone will not do. */
function instead(
  table: TableId,
  mode: ImportInput['mode'],
  obstacle: string,
):
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'whole'; readonly notes: readonly string[] } {
  if (mode !== 'incremental') return { kind: 'whole', notes: [`${tableName(table)} is imported whole: ${obstacle}.`] };
  return {
    kind: 'refused',
    reason: `Appending to ${tableName(table)}: ${obstacle}. Import it with mode merge or full.`,
  };
}

function notesOfAdded(columns: ColumnChange): readonly string[] {
  if (columns.kind !== 'added') return [];
  return [
    `Rows of earlier imports have NULL in the new columns ${columns.columns.join(', ')}, whatever their default.`,
  ];
}

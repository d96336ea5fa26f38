import { createHash } from 'node:crypto';
import {
  qualifiedName,
  quoteIdentifier,
  quoteString,
  type HiveCallOptions,
  type HiveClient,
} from '../../connectors/hive/hive.ts';
import { GridError, type ErrorCode } from '../../grid/errors.ts';
import { pause } from '../../runtime/waiting/pause.ts';
import { describeTable, ensureDatabase, tableConflict, VIEW, type FoundTable, type TableName } from './metastore.ts';

/** Property of what this job has made: the digest of the definition it was made by. */
export const DEFINITION_PROPERTY = 'powergrid.definition';

/** A view as it has to be. */
export interface ViewDefinition extends TableName {
  readonly columns: readonly (readonly [name: string, type: string, comment: string])[];
  readonly about: string;
  /** In one line. */
  readonly select: string;
}

/** What came of one table or view. */
export interface Ensured {
  readonly outcome: 'created' | 'evolved' | 'mended' | 'unchanged';
  readonly columnsAdded: readonly string[];
  /** What was done, in sentences. */
  readonly notes: readonly string[];
}

/** Answers after which it is looked again what is there: somebody else may have made, changed or dropped something meanwhile. */
const LOOK_AGAIN: ReadonlySet<string> = new Set<ErrorCode>(['hive-conflict', 'hive-refused', 'hive-not-found']);
/** Each means that another one was quicker. */
const MOST_ROUNDS = 4;
const RETRY_DELAY_MS = 250;

/**
 * Does `round` until it says that nothing is left to do. Each round looks at what is there first, so that what others do at the same time, and what a
 * statement did whose answer was lost, is taken for what it is.
 */
export async function converge<T extends { readonly isDone: boolean }>(
  round: () => Promise<T>,
  { signal }: HiveCallOptions,
): Promise<T> {
  for (let number = 1; ; number++) {
    try {
      const state = await round();
      if (state.isDone || number === MOST_ROUNDS) return state;
    } catch (error) {
      const isPassing = error instanceof GridError && LOOK_AGAIN.has(error.code);
      if (!isPassing || number === MOST_ROUNDS) throw error;
      await pause(number * RETRY_DELAY_MS, signal);
    }
  }
}

/**
 * Makes a view, or replaces it where it is another one, by one call of the metastore: who queries it sees the former or the new one.
 *
 * @param define the definition, made anew in each round, since it hangs on what is there
 * @throws GridError `table-conflict`: somebody else's table or view has its name
 */
export async function ensureView<D extends ViewDefinition>(
  hive: HiveClient,
  define: () => Promise<D>,
  call: HiveCallOptions,
): Promise<Ensured & { readonly definition: D }> {
  const { definition, ...rest } = await converge(async () => {
    const definition = await define();
    const found = await describeTable(hive, definition, call);
    if (found !== undefined) refuseForeign(definition, found);
    const change = changeOf(definition, found);
    if (change.outcome !== 'unchanged') {
      if (found === undefined) await ensureDatabase(hive, definition.database, call);
      await hive.execute(viewStatement(definition), call);
    }
    return { ...change, definition, isDone: true };
  }, call);
  const { outcome, columnsAdded, notes } = rest;
  return { outcome, columnsAdded, notes, definition };
}

function refuseForeign(definition: ViewDefinition, { kind, properties }: FoundTable): void {
  if (kind !== VIEW) {
    throw tableConflict(
      'Making the view',
      definition,
      `there is a table of this name, which stays as it is. Drop or rename it, or set another HIVE_DATABASE.`,
    );
  }
  if (!properties.has(DEFINITION_PROPERTY)) {
    throw tableConflict(
      'Making the view',
      definition,
      `there is a view of this name that somebody else has made, and it stays as it is. Drop or rename it, or set another HIVE_DATABASE.`,
    );
  }
}

function changeOf(definition: ViewDefinition, found: FoundTable | undefined): Ensured {
  if (found === undefined) return { outcome: 'created', columnsAdded: [], notes: [] };
  const there = new Set(found.columns.map(({ name }) => name));
  const columnsAdded = definition.columns.map(([name]) => name).filter((name) => !there.has(name));
  const isOfThisDefinition = found.properties.get(DEFINITION_PROPERTY) === digestOf(definition);
  if (!isOfThisDefinition)
    return { outcome: 'evolved', columnsAdded, notes: ['its SELECT is replaced by the present one'] };
  if (unquoted(found.viewText) === unquoted(definition.select))
    return { outcome: 'unchanged', columnsAdded: [], notes: [] };
  return { outcome: 'mended', columnsAdded: [], notes: ['its SELECT had been altered by hand, and is put back'] };
}

/** Hive shows a view's text without the quotes of names. */
function unquoted(sql: string): string {
  return sql.replaceAll('`', '');
}

function digestOf({ columns, select }: ViewDefinition): string {
  return createHash('sha256')
    .update(JSON.stringify([columns, select]))
    .digest('hex');
}

/** Makes or replaces the view. */
export function viewStatement(view: ViewDefinition): string {
  const heads = view.columns.map(([name, , comment]) => `${quoteIdentifier(name)} COMMENT ${quoteString(comment)}`);
  return [
    `CREATE OR REPLACE VIEW ${qualifiedName(view.database, view.name)} (${heads.join(', ')})`,
    `COMMENT ${quoteString(view.about)}`,
    `TBLPROPERTIES (${quoteString(DEFINITION_PROPERTY)}=${quoteString(digestOf(view))})`,
    `AS ${view.select}`,
  ].join('\n');
}

import { GridError } from '../../../grid/errors.ts';
import type { ImportInput } from '../../../workflows/import/input.ts';
import type { TableId } from '../../../grid/history/sql-source.ts';
import { nearNames } from '../../../runtime/near-names.ts';
import { tableName } from '../table-names.ts';

export type FoundTable = TableId & { readonly readable: boolean };

export interface ChosenTables {
  readonly tables: readonly TableId[];
  /** Not asked for by name, and not to be had. */
  readonly skipped: readonly { readonly table: TableId; readonly reason: string }[];
}

/** Names in one message. */
const MOST_NAMES = 10;

/**
 * Which tables of those that are there an input means. Every name in it must name exactly one: in `exclude`, `cursor` and `telemetry`
 * as well, where a slip would change what is done without a word.
 *
 * @throws GridError `unknown-table` (all that are missing, with what is called alike), `invalid-input` (all that are ambiguous),
 * `source-denied` (asked for by name, without the right to read it)
 */
export function chooseTables(
  database: string,
  found: readonly FoundTable[],
  input: Pick<ImportInput, 'tables' | 'exclude' | 'cursor' | 'telemetry'>,
): ChosenTables {
  const index = new TableIndex(found);
  const named = input.tables === undefined ? undefined : index.resolve(input.tables);
  const excluded = index.resolve(input.exclude);
  if (typeof input.cursor === 'object') index.resolve(Object.keys(input.cursor));
  if (input.telemetry !== undefined) index.resolve(Object.keys(input.telemetry));
  index.complain(database);

  const chosen = (named ?? found).filter((table) => !excluded.includes(table));
  const denied = chosen.filter(({ readable }) => !readable);
  if (named !== undefined && denied.length > 0) {
    throw new GridError(
      'source-denied',
      `Importing from ${database}: there is no right to read ${listed(denied.map(tableName))}. Grant SELECT, or leave ${denied.length === 1 ? 'it' : 'them'} out.`,
    );
  }
  const tables = chosen.filter(({ readable }) => readable);
  if (tables.length === 0) {
    const reason =
      found.length === 0
        ? 'there are no tables'
        : denied.length > 0
          ? `there is no right to read any of its ${denied.length} tables`
          : 'all tables are excluded';
    throw new GridError('unknown-table', `Importing from ${database}: ${reason}. Nothing can be imported.`);
  }
  return {
    tables: tables.map(withoutRight),
    skipped: denied.map((table) => ({ table: withoutRight(table), reason: 'There is no right to read it.' })),
  };
}

/** Finds tables by `schema.table` or `table`, and gathers what cannot be found. */
class TableIndex {
  readonly #byName = new Map<string, Set<FoundTable>>();
  readonly #names: readonly string[];
  readonly #missing: string[] = [];
  readonly #ambiguous: string[] = [];

  constructor(found: readonly FoundTable[]) {
    for (const table of found) {
      for (const name of [tableName(table), table.name]) {
        const same = this.#byName.get(name) ?? new Set();
        this.#byName.set(name, same.add(table));
      }
    }
    this.#names = found.map(tableName);
  }

  /** The tables, each once. */
  resolve(names: readonly string[]): readonly FoundTable[] {
    const tables = new Set<FoundTable>();
    for (const name of names) {
      const [only, ...others] = this.#byName.get(name) ?? [];
      if (only === undefined) this.#missing.push(name);
      else if (others.length > 0) this.#ambiguous.push(`${name} (${listed([only, ...others].map(tableName))})`);
      else tables.add(only);
    }
    return [...tables];
  }

  /** @throws GridError for all names that were not found, or found more than once */
  complain(database: string): void {
    const missing = [...new Set(this.#missing)];
    if (missing.length > 0) {
      const told = missing.slice(0, MOST_NAMES).map((name) => {
        const near = nearNames(name, this.#names);
        return near.length === 0 ? name : `${name} (did you mean ${near.join(' or ')}?)`;
      });
      throw new GridError(
        'unknown-table',
        `Importing from ${database}: there is no table ${listed(told, missing.length)}. Names match case by case; write schema.table.`,
      );
    }
    if (this.#ambiguous.length > 0) {
      throw new GridError(
        'invalid-input',
        `Importing from ${database}: several tables are called ${listed(this.#ambiguous)}. Write schema.table.`,
      );
    }
  }
}

function listed(names: readonly string[], total = names.length): string {
  const more = total - Math.min(names.length, MOST_NAMES);
  return names.slice(0, MOST_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function withoutRight({ schema, name }: FoundTable): TableId {
  return { schema, name };
}

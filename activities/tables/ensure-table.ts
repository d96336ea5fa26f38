import { qualifiedName, type HiveCallOptions, type HiveClient } from '../../connectors/hive/hive.ts';
import { converge, type Ensured } from './ensure-view.ts';
import { describePartition, describeTable, ensureDatabase, unlessMissing } from './metastore.ts';
import {
  directoryOf,
  partitionOf,
  stepsTo,
  type FoundPartition,
  type Step,
  type TableDefinition,
} from './table-definition.ts';

/** Partitions that are looked at; a table of ours has at most as many as there may be directories, and what was added by hand. */
const MOST_PARTITIONS = 1_000;

/**
 * Makes a table, or brings it to what its definition says: looks what the metastore has, does what is missing, and looks again. Each statement leaves a
 * table that can be queried, so it may be broken off anywhere, run again, and run by two at once.
 *
 * @throws GridError `table-conflict`: it is somebody else's, or cannot become this one; nothing of it is changed then
 */
export async function ensureTable(
  hive: HiveClient,
  definition: TableDefinition,
  call: HiveCallOptions,
): Promise<Ensured> {
  const taken: Step[] = [];
  await converge(async () => {
    const found = await describeTable(hive, definition, call);
    const isPartitioned = found !== undefined && found.partitionColumns.length > 0;
    const partitions = isPartitioned ? await partitionsOf(hive, definition, call) : [];
    const steps = stepsTo(definition, found, partitions);
    if (steps.length > 0 && found === undefined) await ensureDatabase(hive, definition.database, call);
    for (const step of steps) {
      await hive.execute(step.statement, call);
      taken.push(step);
    }
    return { isDone: steps.length === 0 };
  }, call);
  return ensuredBy(taken);
}

function ensuredBy(taken: readonly Step[]): Ensured {
  const outcomes = new Set(taken.map(({ outcome }) => outcome));
  return {
    outcome: (['created', 'evolved', 'mended'] as const).find((one) => outcomes.has(one)) ?? 'unchanged',
    columnsAdded: [...new Set(taken.flatMap(({ columnsAdded = [] }) => columnsAdded))],
    notes: [...new Set(taken.flatMap(({ note }) => note ?? []))],
  };
}

async function partitionsOf(
  hive: HiveClient,
  definition: TableDefinition,
  call: HiveCallOptions,
): Promise<readonly FoundPartition[]> {
  const { partitions, database, name } = definition;
  if (partitions === undefined) return [];
  const sql = `SHOW PARTITIONS ${qualifiedName(database, name)} LIMIT ${MOST_PARTITIONS}`;
  const rows = (await unlessMissing(() => hive.rows(sql, call))) ?? [];
  const found: FoundPartition[] = [];
  for (const [text] of rows) {
    const directory = directoryOf(text ?? '', partitions);
    const partition = await describePartition(hive, definition, partitionOf(partitions, directory), call);
    if (partition !== undefined) found.push({ directory, ...partition });
  }
  return found;
}

import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { entriesIfThere, ifThere, type HdfsClient } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';
import { hiveReadingsNames, hiveTableNames } from '../../../grid/history/hive-name.ts';
import type { SourceName, TableId } from '../../../grid/history/sql-source.ts';
import { tableName } from '../table-names.ts';

const claim = z.object({ schema: z.string(), name: z.string() });
const MAX_CLAIM_BYTES = 65_536;

/**
 * Who has which name in Hive: `<imports>/<source>/_names/<name>.json` names the table. Names of two tables can become the same
 * (`Users` and `users`); which of them a run sees depends on what it imports. So the first that is published keeps its name for
 * ever, whatever is imported later, and the other one gets a name with a digest.
 */
export class NameClaims {
  readonly #hdfs: HdfsClient;
  readonly #source: SourceName;
  readonly #directory: string;
  readonly #workDirectory: string;

  /** @param workDirectory where claims are written first */
  constructor(hdfs: HdfsClient, importsDirectory: string, source: SourceName, workDirectory: string) {
    this.#workDirectory = workDirectory;
    this.#hdfs = hdfs;
    this.#source = source;
    this.#directory = namesDirectory(importsDirectory, source);
  }

  /** The table's name in Hive. */
  claimTable(table: TableId): Promise<string> {
    return this.#claim(hiveTableNames(this.#source, table), table);
  }

  /** The name of the view of readings over the table that is called `hiveTable`. */
  claimReadings(table: TableId, hiveTable: string): Promise<string> {
    return this.#claim(hiveReadingsNames(this.#source, table, hiveTable), table);
  }

  /** The first of `names` that no other table has. */
  async #claim(names: readonly string[], table: TableId): Promise<string> {
    for (const name of names) {
      const path = `${this.#directory}/${name}.json`;
      const owner = (await this.#owner(path)) ?? (await this.#take(path, table));
      if (owner.schema === table.schema && owner.name === table.name) return name;
    }
    throw new GridError(
      'import-conflict',
      `Naming ${tableName(table)} in Hive: ${names.join(' and ')} are taken by other tables. Move ${this.#directory} away if they are gone.`,
    );
  }

  #owner(path: string): Promise<TableId | undefined> {
    return ownerOf(this.#hdfs, path);
  }

  /** Writes the claim, and says who has the name then: another process may have been first. */
  async #take(path: string, { schema, name }: TableId): Promise<TableId> {
    await this.#hdfs.makeDirectory(this.#directory);
    const written = `${this.#workDirectory}/name.${randomUUID()}.json`;
    await this.#hdfs.writeFile(written, Buffer.from(JSON.stringify({ schema, name })));
    if (await this.#hdfs.rename(written, path)) return { schema, name };
    await this.#hdfs.delete(written);
    const owner = await this.#owner(path);
    if (owner !== undefined) return owner;
    throw new GridError('hdfs-unavailable', `Claiming ${path}: HDFS refused it, though it is free. It is tried again.`);
  }
}

/** The tables that have a name of each kind, of the table and of its view of readings: others are no telemetry. */
export async function claimantsOfReadings(
  hdfs: HdfsClient,
  importsDirectory: string,
  source: SourceName,
): Promise<readonly TableId[]> {
  const claims = new Map<string, { readonly table: TableId; names: number }>();
  for await (const { name, path } of entriesIfThere(hdfs.list(namesDirectory(importsDirectory, source)))) {
    const table = name.endsWith('.json') ? await ownerOf(hdfs, path) : undefined;
    if (table === undefined) continue;
    const key = JSON.stringify([table.schema, table.name]);
    const found = claims.get(key) ?? { table, names: 0 };
    found.names++;
    claims.set(key, found);
  }
  return [...claims.values()].filter(({ names }) => names > 1).map(({ table }) => table);
}

function namesDirectory(importsDirectory: string, source: SourceName): string {
  return `${importsDirectory}/${source}/_names`;
}

async function ownerOf(hdfs: HdfsClient, path: string): Promise<TableId | undefined> {
  const bytes = await ifThere(hdfs.readFile(path, { maxBytes: MAX_CLAIM_BYTES }));
  if (bytes === undefined) return undefined;
  try {
    return claim.parse(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    throw new GridError('commit-log-corrupt', `Reading ${path}: it does not name a table. Delete it.`, {
      cause: error,
    });
  }
}

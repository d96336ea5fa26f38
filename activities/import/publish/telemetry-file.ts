import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import type { SourceName, TableId } from '../../../grid/history/sql-source.ts';
import { telemetryMapping, type TelemetryMapping } from '../../../workflows/import/input.ts';
import { readJsonFile } from '../../../runtime/json-file.ts';

/** Mappings by table: `schema.table` or `table`, with `<source>:` before it where it is of one source only. */
export type TelemetryTables = Readonly<Record<string, TelemetryMapping>>;

const telemetryFile = z.strictObject({
  $comment: z.union([z.string(), z.array(z.string())]).optional(),
  tables: z.record(
    z.string().regex(/^(?:(?:postgres|sqlserver):)?.+$/, 'must name a table'),
    telemetryMapping.extend({ $comment: z.string().optional() }).transform(({ $comment: _, ...mapping }) => mapping),
  ),
});

/**
 * Reads the file that says which imported tables are telemetry. The empty path: none are.
 *
 * @throws GridError `invalid-configuration`: it cannot be read, or the field that is wrong
 */
export async function loadTelemetryFile(path: string): Promise<TelemetryTables> {
  if (path === '') return {};
  const code = 'invalid-configuration';
  const attempt = `Reading the telemetry tables ${path}`;
  const advice = 'Correct the file, or set HISTORY_TELEMETRY_FILE to another (empty: no table is telemetry).';
  const json = await readJsonFile(path, { code, attempt, advice });
  const parsed = telemetryFile.safeParse(json);
  if (parsed.success) return parsed.data.tables;
  const issues = parsed.error.issues.map(({ path: field, message }) => `${field.join('.')}: ${message}`);
  throw new GridError(code, `${attempt}: ${issues.join('; ')}. ${advice}`, { cause: parsed.error });
}

/**
 * How a table's rows read as readings; undefined: it is no telemetry. The import's own input goes before the configuration, and the
 * more exact name before the less exact one.
 */
export function telemetryOf(
  source: SourceName,
  table: TableId,
  ...configurations: readonly (TelemetryTables | undefined)[]
): TelemetryMapping | undefined {
  const qualified = `${table.schema}.${table.name}`;
  const names = [`${source}:${qualified}`, qualified, `${source}:${table.name}`, table.name];
  for (const tables of configurations) {
    for (const name of names) {
      // A table may be called like a member of every object.
      const mapping = tables !== undefined && Object.hasOwn(tables, name) ? tables[name] : undefined;
      if (mapping !== undefined) return mapping;
    }
  }
  return undefined;
}

import { z } from 'zod';

const table = z.object({ schema: z.string(), name: z.string() });

/** What the view needs of the answer to the query `progress` of `importSqlHistory`. */
export const importProgress = z.object({
  phase: z.string(),
  database: z.string().optional(),
  tables: z.array(z.object({ table, state: z.string(), reason: z.string().optional() })),
  total: z.object({
    tables: z.number(),
    tablesDone: z.number(),
    estimatedRows: z.number(),
    rows: z.number(),
    etaSeconds: z.number().optional(),
  }),
});
export type ImportProgressAnswer = z.output<typeof importProgress>;

/** What the view needs of the result of `importSqlHistory`. */
export const importSummary = z.object({
  product: z.string(),
  database: z.string(),
  source: z.string(),
  notes: z.array(z.string()),
  tables: z.array(
    z.discriminatedUnion('state', [
      z.object({
        state: z.literal('published'),
        table,
        hiveTable: z.string(),
        rows: z.number(),
        sourceRows: z.number(),
        verified: z.boolean(),
      }),
      z.object({ state: z.literal('unchanged'), table, rows: z.number() }),
    ]),
  ),
  publishedTables: z.number(),
  unchangedTables: z.number(),
  skippedTables: z.number(),
  rows: z.number(),
  textBytes: z.number(),
  fileBytes: z.number(),
  splits: z.number(),
  durationMs: z.number(),
});
export type ImportSummaryAnswer = z.output<typeof importSummary>;

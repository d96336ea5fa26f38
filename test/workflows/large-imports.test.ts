import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { summaryOf, WorkflowBed } from './workflow-bed.ts';

/** Where Temporal begins to warn: limit.historyCount.warn, limit.historySize.warn, limit.blobSize.warn. */
const WARNING_EVENTS = 10_240;
const WARNING_BYTES = 10 << 20;
const WARNING_PAYLOAD_BYTES = 512 << 10;

let bed: WorkflowBed;
beforeAll(async () => {
  bed = await WorkflowBed.open();
});
afterAll(async () => {
  await bed.close();
});

describe('an import of 500 tables and 10,000 splits', () => {
  it('stays below what Temporal warns of, in every run of its workflows', async () => {
    const small = Array.from({ length: 500 }, (_, at) => [`measurements_of_substation_${at}`, { splits: 1 }] as const);
    const { start, activities } = await bed.importing({
      tables: { ...Object.fromEntries(small), telemetry: { splits: 10_000 } },
      maxConnections: 31,
    });
    const handle = await start();
    const summary = await summaryOf(handle);

    expect(summary).toMatchObject({ publishedTables: 501, parkedTables: 0, splits: 10_500, rows: 105_000 });
    expect(summary.tables.length + summary.tablesLeftOut).toBe(501);
    const brought = activities.stretches.reduce((sum, { from, to, skip }) => sum + to - from - skip.length, 0);
    expect(brought).toBe(10_500);

    const runs = await bed.runsOf(handle.workflowId);
    expect(runs.filter(({ type }) => type === 'copyTables').length).toBeGreaterThan(1);
    for (const { type, workflowId, runId, historyLength, historySize } of runs) {
      expect(historyLength, type).toBeLessThan(WARNING_EVENTS);
      expect(historySize, type).toBeLessThan(WARNING_BYTES);
      expect(await largestEvent(workflowId, runId), type).toBeLessThan(WARNING_PAYLOAD_BYTES);
    }
  });
});

async function largestEvent(workflowId: string, runId: string): Promise<number> {
  const { events } = await bed.client.sdk.workflow.getHandle(workflowId, runId).fetchHistory();
  return Math.max(...(events ?? []).map((event) => JSON.stringify(event).length));
}

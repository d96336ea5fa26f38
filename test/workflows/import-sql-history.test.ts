import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImportSummary } from '../../workflows/import/contract.ts';
import { failureOf, progressOf, summaryOf, WorkflowBed } from './workflow-bed.ts';

let bed: WorkflowBed;
beforeAll(async () => {
  bed = await WorkflowBed.open();
});
afterAll(async () => {
  await bed.close();
});

describe.concurrent('importSqlHistory', () => {
  it('copies all tables at one snapshot, lets go of it, and publishes each', async () => {
    const { start, activities } = await bed.importing({
      tables: {
        loads: { splits: 5 },
        nodes: { splits: 1 },
        empty: { splits: 0 },
        same: { splits: 1, unchanged: true },
      },
    });
    const handle = await start();
    const summary = await summaryOf(handle);

    expect(summary.runId).toMatch(/^\d{4}-\d\d-\d\d-[0-9a-f]{12}$/);
    expect(summary.runId.slice(0, 10)).toBe(summary.businessDate);
    expect(summary).toMatchObject({
      source: 'postgres',
      publishedTables: 3,
      unchangedTables: 1,
      parkedTables: 0,
      rows: 60,
      splits: 6,
      mode: 'full',
      consistency: 'database',
      snapshot: { id: 'snapshot-1' },
      notes: [],
      tablesLeftOut: 0,
    });
    expect(summary.tables.map(({ state, table }) => `${table.name} ${state}`)).toEqual([
      'loads published',
      'nodes published',
      'empty published',
      'same unchanged',
    ]);
    // One of the three connections holds the snapshot.
    expect(activities.mostBusy).toBeLessThanOrEqual(2);
    const { calls } = activities;
    expect(calls.indexOf('holdSnapshot ended')).toBeLessThan(
      calls.findIndex((call) => call.startsWith('publishTable')),
    );
    expect(calls).not.toContain('discardWork');
    expect((await progressOf(handle)).total).toMatchObject({
      tables: 4,
      tablesDone: 4,
      splits: 6,
      splitsDone: 6,
      rows: 60,
    });
  });

  it('parks a split that fails for good, publishes the other tables, and fails with what and why', async () => {
    const { start, activities } = await bed.importing({
      tables: {
        loads: {
          splits: 6,
          broken: new Map([
            [2, 'row-too-large'],
            [3, 'row-too-large'],
          ]),
        },
        nodes: { splits: 1 },
        changed: { splits: 2, gone: 'table-changed' },
        contested: { splits: 1, conflict: 'import-conflict' },
      },
    });
    const failure = await failureOf(await start());

    expect(failure.type).toBe('splits-parked');
    expect(failure.nonRetryable).toBe(true);
    const summary = failure.details?.[0] as ImportSummary;
    expect(summary.parked.map(({ table, code, splits }) => [table.name, code, splits])).toEqual([
      ['loads', 'row-too-large', [2, 3]],
      ['changed', 'table-changed', []],
      ['contested', 'import-conflict', []],
    ]);
    expect(failure.message).toContain('3 of 4 tables are not imported; 1 other is.');
    expect(failure.message).toMatch(/public\.loads +splits 2, 3 +row-too-large: Copying split 2 of loads/);
    expect(failure.message).toContain(`{"resume":"${summary.runId}"}`);
    // All but the two are done, and kept for the retry.
    expect(activities.work.get('loads')?.size).toBe(4);
    expect([...activities.published.keys()]).toEqual(['nodes']);
    expect(activities.calls).not.toContain('discardWork');
  });

  it('resumes a run: its business date stays, and what it had published is not touched again', async () => {
    const broken = new Map([[1, 'row-too-large' as const]]);
    const { start, activities } = await bed.importing({
      tables: { loads: { splits: 3, broken }, nodes: { splits: 1 } },
    });
    const failure = await failureOf(await start({ businessDate: '2020-02-29' }));
    const { runId } = failure.details?.[0] as ImportSummary;
    expect(runId.startsWith('2020-02-29-')).toBe(true);
    broken.clear();
    const before = activities.calls.length;

    const summary = await summaryOf(await start({ resume: runId }));

    expect(summary).toMatchObject({ runId, businessDate: '2020-02-29', publishedTables: 2, parkedTables: 0 });
    expect(summary.notes.join()).toContain('public.nodes');
    expect(activities.calls.slice(before)).not.toContain('publishTable nodes');
  });

  it('leaves out a table that is dropped meanwhile, unless it was asked for by name', async () => {
    const tables = { loads: { splits: 1 }, dropped: { splits: 1, gone: 'unknown-table' } } as const;
    const all = await bed.importing({ tables });
    const summary = await summaryOf(await all.start());
    expect(summary).toMatchObject({ publishedTables: 1, skippedTables: 1 });
    expect(summary.skipped[0]?.table.name).toBe('dropped');
    expect(all.activities.calls).toContain('discardWork dropped');

    const named = await bed.importing({ tables });
    const failure = await failureOf(await named.start({ tables: ['public.loads', 'public.dropped'] }));
    expect(failure.type).toBe('splits-parked');
    expect(failure.message).toContain('unknown-table');
  });

  it('fails with the reason, and leaves nothing behind, when every table is refused before anything is copied', async () => {
    const { start, activities } = await bed.importing({
      tables: { loads: { splits: 1, refusal: 'unsupported-column' } },
    });
    const failure = await failureOf(await start({ tables: ['public.loads'] }));
    expect(failure.type).toBe('unsupported-column');
    expect(failure.message).toContain('table public.loads: Planning loads: column "x" cannot be kept.');
    expect(activities.calls.at(-1)).toBe('discardWork');
  });

  it('stands for the day of its schedule in the zone of its schedule', async () => {
    const { start } = await bed.importing({ tables: {} });
    const handle = await start({}, { memo: { businessTimeZone: 'Pacific/Kiritimati' } });
    const { businessDate } = await summaryOf(handle);
    const { startTime } = await handle.describe();
    const ahead = new Date(startTime.getTime() + 14 * 3_600_000);
    expect(businessDate).toBe(ahead.toISOString().slice(0, 10));
  });

  it('says so when there is nothing to import', async () => {
    const { start } = await bed.importing({ tables: {} });
    expect(await summaryOf(await start())).toMatchObject({
      publishedTables: 0,
      notes: ['The database has no table that could be imported.'],
    });
  });

  it('goes on whatever signals it is sent', async () => {
    const { start } = await bed.importing({
      tables: { loads: { splits: 1 } },
      beforeStretch: () => new Promise((resolve) => setTimeout(resolve, 1_000)),
    });
    const handle = await start();
    for (const name of ['snapshotTaken', 'snapshotLost', 'tablesProgressed', 'retryFailed', 'nonsense']) {
      await handle.signal(name, 'nonsense');
      await handle.signal(name);
    }
    expect(await summaryOf(handle)).toMatchObject({ publishedTables: 1 });
  });

  it('reads each table through one connection where snapshots cannot be shared', async () => {
    const { start, activities } = await bed.importing({
      tables: {
        loads: { splits: 900, broken: new Map([[5, 'row-too-large']]) },
        nodes: { splits: 3 },
        empty: { splits: 0 },
      },
      sharedSnapshots: false,
      maxConnections: 2,
      maxBytesPerSecond: 1_000,
    });
    const failure = await failureOf(await start({ source: 'mssql' }));
    const summary = failure.details?.[0] as ImportSummary;
    expect(summary.source).toBe('sqlserver');
    expect(summary.snapshot).toBeUndefined();
    expect(summary.parked.map(({ table, splits }) => [table.name, splits])).toEqual([['loads', [5]]]);
    expect([...activities.published.keys()].sort()).toEqual(['empty', 'nodes']);
    expect(
      activities.stretches.map(({ table, from, to, skip }) => `${table.name} ${from}-${to} ${skip.join()}`).sort(),
    ).toEqual(['empty 0-0 ', 'loads 0-900 ', 'loads 0-900 5', 'nodes 0-3 ']);
    expect(activities.calls).not.toContain('holdSnapshot');
    expect(activities.stretches[0]?.maxBytesPerSecond).toBe(500);
  });

  it('gives up when a server stays down, rather than trying each of thousands of splits for minutes', async () => {
    const down = Array.from({ length: 30 }, (_, at) => [`t${at}`, { splits: 3, outage: 'hdfs-unavailable' }] as const);
    const { start, activities } = await bed.importing({ tables: Object.fromEntries(down) });
    const failure = await failureOf(await start());
    expect(failure.type).toBe('splits-parked');
    const { parked } = failure.details?.[0] as ImportSummary;
    expect(parked.length).toBe(30);
    expect(activities.stretches.length).toBeLessThan(10);
    expect(parked.at(-1)).toMatchObject({ code: 'hdfs-unavailable' });
    expect(parked.at(-1)?.reason).toMatch(
      /^It was not tried, since the last \d+ attempts failed: Copying .*nobody answers/,
    );
  });

  it('fails at once, for good and with one sentence, on a bad input', async () => {
    const { start, activities } = await bed.importing({ tables: {} });
    const bad: readonly [input: unknown, told: RegExp][] = [
      ['text', /expected object/],
      [[], /expected object/],
      [{ source: 'oracle' }, /source: .*"postgres"/],
      [{ tables: [] }, /tables: /],
      [{ splitRows: -1 }, /splitRows: .*>=1/],
      [{ splitRows: 1.5 }, /splitRows: /],
      [{ maxConnections: 0 }, /maxConnections: /],
      [{ mode: 'all' }, /mode: .*"full"/],
      [{ tabels: ['a'] }, /tabels/],
      [{ businessDate: '2020-02-30' }, /businessDate: /],
      [{ resume: 'yesterday' }, /resume: /],
      [{ parkedWaitHours: 0 }, /parkedWaitHours: /],
    ];
    await Promise.all(
      bad.map(async ([input, told]) => {
        const failure = await failureOf(await start(input));
        expect(failure.type).toBe('invalid-input');
        expect(failure.nonRetryable).toBe(true);
        expect(failure.message).toMatch(told);
        expect(failure.message).toMatch(/^Reading the input of importSqlHistory: .*\{\} takes the defaults\.$/);
      }),
    );
    expect(activities.calls).toEqual([]);
  });

  it('fails with what the source is refused for, having begun nothing', async () => {
    const { start, activities } = await bed.importing({ tables: {}, refusal: 'source-denied' });
    const failure = await failureOf(await start());
    expect(failure).toMatchObject({
      type: 'source-denied',
      message: 'Opening the source: it is refused.',
      nonRetryable: true,
    });
    expect(activities.calls).toEqual(['openImport']);
  });
});

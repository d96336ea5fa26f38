import { describe, expect, it } from 'vitest';
import { GridError } from '../../../grid/errors.ts';
import { importInput } from '../../../workflows/import/input.ts';
import { importCommit, runOf, type ImportCommit } from './commit.ts';
import { nextCommit, refuseUnfit, resultOf, type ReadyRun } from './next-commit.ts';
import { tableView } from './view-statements.ts';

const ID = { name: 'id', sourceType: 'bigint', hiveType: 'BIGINT' };
const VALUE = { name: 'Value', sourceType: 'numeric(5,2)', hiveType: 'DECIMAL(5,2)' };
const NOTE = { name: 'note', sourceType: 'text', hiveType: 'STRING' };

interface Step {
  readonly publishAs: 'full' | 'append' | 'merge';
  readonly columns?: readonly (typeof ID)[];
  readonly rows?: number;
  readonly sourceRows?: number;
  readonly reconcile?: boolean;
}

function ready(
  number: number,
  { publishAs, columns = [ID, VALUE], rows = 1, sourceRows, reconcile = false }: Step,
): ReadyRun {
  const table = { schema: 'public', name: 'telemetry' };
  const runId = `2026-01-0${number}-00000000000${number}`;
  const snapshot = { id: `s${number}`, position: `${number}:${number}:`, takenAt: '2026-01-01T00:00:00Z' };
  return {
    run: {
      source: 'postgres',
      runId,
      workflowId: 'w',
      workflowRunId: 'r',
      businessDate: '2026-01-01',
      input: importInput.parse({ reconcile }),
    },
    table,
    plan: {
      planId: 'p',
      plan: {
        table,
        columns: columns.map((column) => ({ ...column, expression: 'x' })),
        remarks: [],
        key: ['id'],
        identity: 'i',
        splits: [],
        estimatedRows: 0,
        estimatedBytes: 0,
      },
      publishAs,
      product: 'PostgreSQL 15',
      database: 'history',
      fingerprint: 'f',
      plannedAt: snapshot,
      notes: ['Why it was published so.'],
      keepUntilMs: 0,
      ...(sourceRows === undefined ? {} : { sourceRows }),
    },
    snapshot,
    directory: `/imports/postgres/public.telemetry/run=${runId}`,
    figures: { rows, textBytes: 1, fileBytes: 1, splits: 1, digest: '', verified: true },
    hiveTable: 'telemetry',
    present: new Set(
      Array.from({ length: 9 }, (_, n) => `/imports/postgres/public.telemetry/run=2026-01-0${n}-00000000000${n}`),
    ),
    committedAt: '2026-01-01T00:00:00Z',
  };
}

/** Commits one after the other. */
function commits(...steps: readonly Step[]): ImportCommit {
  let last: ImportCommit | undefined;
  for (const [index, step] of steps.entries()) last = nextCommit(last, ready(index + 1, step));
  if (last === undefined) throw new Error('no steps');
  return importCommit.parse(JSON.parse(JSON.stringify(last)));
}

const seqs = (runs: readonly { readonly seq: number }[]): readonly number[] => runs.map(({ seq }) => seq);

describe('the next commit', () => {
  it('of a full run is that run alone, and keeps the one before for those who read it', () => {
    const commit = commits({ publishAs: 'full' }, { publishAs: 'full' }, { publishAs: 'full', rows: 7 });
    expect(commit).toMatchObject({ seq: 3, mode: 'full', sourceRows: 7 });
    expect([seqs(commit.runs), seqs(commit.retained), seqs(commit.obsolete)]).toEqual([[3], [2], [1]]);
    expect(commit.runs[0]?.generation).toBe('00000000000000000003-2026-01-03-000000000003');
  });

  it('of an added run is all that were there and it, in one generation', () => {
    const commit = commits(
      { publishAs: 'full', rows: 5 },
      { publishAs: 'append', rows: 2, sourceRows: 7 },
      { publishAs: 'merge', rows: 3, sourceRows: 8 },
    );
    expect(seqs(commit.runs)).toEqual([1, 2, 3]);
    expect(new Set(commit.runs.map(({ generation }) => generation)).size).toBe(1);
    expect([commit.retained, commit.obsolete, commit.sourceRows]).toEqual([[], [], 8]);
  });

  it('is whole when it is the first, whatever was asked for', () => {
    expect(commits({ publishAs: 'merge', sourceRows: 1 }).mode).toBe('full');
  });

  it('forgets what is obsolete and gone, and the lists of columns that nobody has any more', () => {
    const two = commits({ publishAs: 'full', columns: [ID, NOTE] }, { publishAs: 'full' });
    const three = nextCommit(two, { ...ready(3, { publishAs: 'full' }), present: new Set() });
    expect([seqs(three.retained), seqs(three.obsolete)]).toEqual([[2], []]);
    expect(Object.values(three.columnLists)).toEqual([[ID, VALUE]]);
    expect(runOf(three, '2026-01-02-000000000002')?.seq).toBe(2);
    expect(runOf(three, '2026-01-01-000000000001')).toBeUndefined();
  });

  it('tells by how much a table has shrunk, when it was reconciled', () => {
    const shrunk = commits({ publishAs: 'full', rows: 5 }, { publishAs: 'full', rows: 3, reconcile: true });
    expect(resultOf(shrunk, 'history')).toMatchObject({
      publishedAs: 'full',
      hiveTable: 'history_postgres.telemetry',
      rows: 3,
      deletedRows: 2,
      notes: ['Why it was published so.'],
    });
    expect(resultOf(commits({ publishAs: 'full', rows: 5 }, { publishAs: 'full', rows: 3 }), 'h')).not.toHaveProperty(
      'deletedRows',
    );
  });
});

describe('a run that does not fit what it is to be added to', () => {
  const last = commits({ publishAs: 'full' });
  const plan = ready(2, { publishAs: 'append' }).plan.plan;
  it.each([
    ['it has no column Value any more', { ...plan, columns: plan.columns.slice(0, 1) }, 'append'],
    [
      'Value is STRING, and was DECIMAL(5,2)',
      {
        ...plan,
        columns: plan.columns.map((column) => ({ ...column, hiveType: column.name === 'id' ? 'BIGINT' : 'STRING' })),
      },
      'append',
    ],
    ['no primary key', { ...plan, key: [] }, 'merge'],
    ['its primary key is (Value), and was (id)', { ...plan, key: ['Value'] }, 'merge'],
    ['the key column gone is not imported', { ...plan, key: ['gone'] }, 'merge'],
  ] as const)('is refused: %s', (problem, other, publishAs) => {
    const refuse = (): void => {
      refuseUnfit(last, other, publishAs);
    };
    expect(refuse).toThrow(GridError);
    expect(refuse).toThrow(problem);
  });

  it('may replace it all the same', () => {
    refuseUnfit(last, { ...plan, columns: [], key: [] }, 'full');
    refuseUnfit(undefined, { ...plan, columns: [], key: [] }, 'append');
  });
});

describe('the view of a table', () => {
  it('is a plain SELECT of one generation for runs that were only added', () => {
    const { statement } = tableView('history', commits({ publishAs: 'full' }, { publishAs: 'append', sourceRows: 2 }));
    expect(statement).toContain("(`id` COMMENT 'bigint', `value` COMMENT 'Value numeric(5,2)')");
    expect(statement.slice(statement.indexOf('AS SELECT'))).toMatch(
      /^AS SELECT `id`, `value` FROM `history_postgres_runs`\.`telemetry__[0-9a-f]{8}` WHERE import_generation='00000000000000000001-2026-01-01-000000000001'$/,
    );
  });

  it('does not change when a run is added that has the same columns', () => {
    const one = tableView('history', commits({ publishAs: 'full' }));
    const two = tableView('history', commits({ publishAs: 'full' }, { publishAs: 'append', sourceRows: 2 }));
    expect(two).toEqual(one);
  });

  it('takes the newest row of each key when a run was merged, and NULL for columns that came later', () => {
    const { statement } = tableView(
      'history',
      commits({ publishAs: 'full' }, { publishAs: 'merge', columns: [ID, VALUE, NOTE], sourceRows: 2 }),
    );
    expect(statement).toContain('ROW_NUMBER() OVER (PARTITION BY `id` ORDER BY import_run DESC) AS import_rank');
    expect(statement).toContain('SELECT `id`, `value`, CAST(NULL AS STRING) AS `note`, import_run FROM');
    expect(statement).toContain('UNION ALL');
    expect(statement).toMatch(/WHERE import_rank = 1$/);
  });
});

import { describe, expect, it } from 'vitest';
import { ProgressBoard } from './progress-board.ts';
import { markdown } from '../job/markdown.ts';
import { importText } from './text.ts';

const loads = { schema: 'public', name: 'loads' };
const nodes = { schema: 'public', name: 'no|des' };
const copying = { state: 'copying', splits: 10, splitsDone: 0, estimatedRows: 1_000, rows: 0, textBytes: 0 } as const;

function board(): ProgressBoard {
  const shown = new ProgressBoard('2026-03-01-0123456789ab', 0);
  shown.source = 'postgres';
  shown.database = 'history';
  shown.phase = 'copying';
  shown.setTables([loads, nodes]);
  return shown;
}

describe('the progress of an import', () => {
  it('tells the speed, and how long it will take, from what was done', () => {
    const shown = board();
    shown.update(0, copying, 10_000);
    shown.sample(10_000);
    shown.update(0, { ...copying, splitsDone: 4, rows: 400, textBytes: 8_000_000 }, 14_000);
    shown.sample(14_000);
    const { tables, total } = shown.progress(14_000);
    expect(tables[0]).toMatchObject({ table: loads, bytesPerSecond: 2_000_000, etaSeconds: 6 });
    expect(total).toMatchObject({ rows: 400, estimatedRows: 1_000, bytesPerSecond: 2_000_000, etaSeconds: 6 });
  });

  it('tells the speed of the last minute, not of the whole time', () => {
    const shown = board();
    for (let minute = 0; minute <= 10; minute += 1) {
      const rows = minute <= 5 ? minute * 10 : 50 + (minute - 5) * 60;
      shown.update(0, { ...copying, rows, textBytes: rows * 1_000, splitsDone: 1 }, minute * 60_000);
      shown.sample(minute * 60_000);
    }
    expect(shown.progress(600_000).total.bytesPerSecond).toBe(1_000);
  });

  it('counts anew when a new snapshot takes figures back', () => {
    const shown = board();
    shown.update(0, { ...copying, splitsDone: 9, rows: 900, textBytes: 900 }, 1_000);
    shown.sample(1_000);
    shown.update(0, copying, 2_000);
    shown.sample(2_000);
    const { tables, total } = shown.progress(3_000);
    expect(tables[0]?.bytesPerSecond).toBeUndefined();
    expect(total.etaSeconds).toBeUndefined();
  });

  it('names those first that are being worked on or need somebody, and of thousands not all', () => {
    const shown = board();
    shown.setTables(Array.from({ length: 2_000 }, (_, at) => ({ schema: 'public', name: `t${at}` })));
    shown.update(1_500, { ...copying, state: 'parked', reason: 'row-too-large: a row of 3 GB' }, 0);
    shown.update(1_700, copying, 0);
    const { tables, tablesLeftOut, total } = shown.progress(0);
    expect(tables.slice(0, 2).map(({ table }) => table.name)).toEqual(['t1500', 't1700']);
    expect(tables.length + tablesLeftOut).toBe(2_000);
    expect(total).toMatchObject({ tables: 2_000, tablesParked: 1 });
  });

  it('is Markdown for the Web UI, whatever the names are', () => {
    const shown = board();
    shown.update(0, { ...copying, splitsDone: 10, rows: 1_234_567, textBytes: 8, state: 'published' }, 0);
    shown.update(1, { ...copying, state: 'parked', reason: 'row-too-large: a\nrow' }, 0);
    const text = markdown(importText.progress(shown.progress(0)));
    expect(text).toContain('**Import 2026-03-01-0123456789ab of postgres, database history**');
    expect(text).toContain(
      'copying: 1 of 2 tables done, 1 parked, 10 of 20 splits, 1,234,567 of about 1,235,567 rows (99 %)',
    );
    const cells = (...of: readonly string[]): string => of.join('\u2003 | ');
    expect(text).toContain(cells('public.loads', 'published', '10 of 10', '1,234,567 of 1,234,567', '', ''));
    expect(text).toContain(cells('public.no\\|des', 'parked', '0 of 10', '0 of 1,000', '', '', 'row-too-large: a row'));
  });
});

import { stretchHeartbeat, type ImportProgress, type StretchHeartbeat } from './contract.ts';
import { nameOfTable } from '../../grid/history/table-name.ts';

/**
 * An import's progress with what its activities have done of stretches that are not complete: with few splits that is most of the time all
 * there is.
 *
 * @param heartbeats of its activities, of whatever shape
 */
export function withinStretches(progress: ImportProgress, heartbeats: readonly unknown[]): ImportProgress {
  const byTable = new Map<string, StretchHeartbeat['standing'][]>();
  for (const heartbeat of heartbeats) {
    const parsed = stretchHeartbeat.safeParse(heartbeat);
    if (!parsed.success) continue;
    const name = nameOfTable(parsed.data.standing.table);
    byTable.set(name, [...(byTable.get(name) ?? []), parsed.data.standing]);
  }
  const more = { splitsDone: 0, rows: 0, textBytes: 0 };
  const tables = progress.tables.map((table) => {
    const standings = table.state === 'copying' ? (byTable.get(nameOfTable(table.table)) ?? []) : [];
    const sum = (of: (standing: StretchHeartbeat['standing']) => number): number =>
      standings.reduce((total, standing) => total + of(standing), 0);
    const splitsDone = Math.min(
      table.splits - table.splitsDone,
      sum((standing) => standing.splitsDone),
    );
    const rows = sum((standing) => standing.rows);
    const textBytes = sum((standing) => standing.textBytes);
    more.splitsDone += splitsDone;
    more.rows += rows;
    more.textBytes += textBytes;
    return {
      ...table,
      splitsDone: table.splitsDone + splitsDone,
      rows: table.rows + rows,
      textBytes: table.textBytes + textBytes,
    };
  });
  const { total } = progress;
  return {
    ...progress,
    tables,
    total: {
      ...total,
      splitsDone: total.splitsDone + more.splitsDone,
      rows: total.rows + more.rows,
      textBytes: total.textBytes + more.textBytes,
    },
  };
}

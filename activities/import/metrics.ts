import { Counter, type Registry } from '../../runtime/metrics.ts';
import type { ImportObserver, SplitOutcome } from './dependencies.ts';

/** Counters of the import's activities on a process's registry. */
export function createImportMetrics(registry: Registry): ImportObserver {
  const labelNames = ['source', 'table'] as const;
  const counter = (name: string, help: string): Counter<'source' | 'table'> =>
    new Counter({ name: `powergrid_import_${name}`, help, labelNames, registers: [registry] });
  const rows = counter('rows_total', 'Rows copied from a history database.');
  const textBytes = counter('text_bytes_total', 'Bytes of text copied from a history database.');
  const fileBytes = counter('file_bytes_total', 'Bytes of files written for splits.');
  const seconds = counter('copy_seconds_total', 'Seconds spent on copying splits, of all connections together.');
  const unverified = counter('verification_failures_total', 'Splits that were not what the database had computed.');
  const splits = new Counter({
    name: 'powergrid_import_splits_total',
    help: 'Splits that were copied, kept from another snapshot, or found done.',
    labelNames: ['source', 'table', 'outcome'],
    registers: [registry],
  });
  const snapshots = new Counter({
    name: 'powergrid_import_snapshots_total',
    help: 'Snapshots taken, and those whose transaction was lost.',
    labelNames: ['source', 'event'],
    registers: [registry],
  });
  const tableOf = ({ source, table }: Pick<SplitOutcome, 'source' | 'table'>): { source: string; table: string } => ({
    source,
    table: `${table.schema}.${table.name}`,
  });
  return {
    splitDone(split) {
      const labels = tableOf(split);
      splits.inc({ ...labels, outcome: split.outcome });
      if (split.outcome !== 'copied') return;
      rows.inc(labels, split.rows);
      textBytes.inc(labels, split.textBytes);
      fileBytes.inc(labels, split.fileBytes);
      seconds.inc(labels, split.seconds);
    },
    splitFailedVerification(split) {
      unverified.inc(tableOf(split));
    },
    snapshotTaken(source) {
      snapshots.inc({ source, event: 'taken' });
    },
    snapshotLost(source) {
      snapshots.inc({ source, event: 'lost' });
    },
  };
}

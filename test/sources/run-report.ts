import type { RunReport } from '../../streaming/sources/pacing/source-runner.ts';
import type { WorkerProcess } from '../support/worker-process.ts';

/** The reports that a simulator process has logged, by source. */
export function reportsOf(worker: WorkerProcess): Map<string, RunReport> {
  const reports = new Map<string, RunReport>();
  for (const line of worker.output.split('\n')) {
    if (!line.includes('"report":')) continue;
    const { report } = JSON.parse(line) as { report: RunReport };
    reports.set(report.source, report);
  }
  return reports;
}

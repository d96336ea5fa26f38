/**
 * Where the tables of readings lie in HDFS, below `HDFS_ANALYSIS_DIRECTORY/readings/<topic>`:
 *
 *     snapshots/<number, 20 digits>.json                what the views show, one file for each time that changed
 *     segments/<id>/                                    readings beyond the compaction, as refreshes have read them
 *     compactions/<id>/compaction.json                  what a compaction has
 *     compactions/<id>/days/<try>/event_day=<day>/      the days that it wrote
 *     compactions/<id>/covered/<try>/, others/<try>/    lists of the raw files that it covers, and of what was read from them
 *     compactions/<id>/segment/<try>/                   the readings that came to it
 *     .tmp/                                             manifests before they are given their names
 */
import type { ReadingsDependencies } from './dependencies.ts';

export class ReadingsDirectory {
  readonly path: string;

  constructor({ analysisDirectory, topic }: Pick<ReadingsDependencies, 'analysisDirectory' | 'topic'>) {
    this.path = `${analysisDirectory}/readings/${topic}`;
  }

  get snapshots(): string {
    return `${this.path}/snapshots`;
  }

  snapshot(number: number): string {
    return `${this.snapshots}/${String(number).padStart(20, '0')}.json`;
  }

  temporary(id: string): string {
    return `${this.path}/.tmp/${id}.json`;
  }

  get segments(): string {
    return `${this.path}/segments`;
  }

  segment(id: string): string {
    return `${this.segments}/${id}`;
  }

  get compactions(): string {
    return `${this.path}/compactions`;
  }

  compaction(id: string): string {
    return `${this.compactions}/${id}`;
  }
}

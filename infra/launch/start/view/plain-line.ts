import type { ImportState } from '../import/import-state.ts';
import type { Snapshot } from '../observe/observer.ts';
import { bytesText, countText, durationText, plural, rateText, shown } from '../../../../grid/figures.ts';
import { importFigures } from './import-text.ts';

/** How it stands, in one line for a log. */
export function plainLine(snapshot: Snapshot, importState: ImportState): string {
  const parts = [
    `${durationText(snapshot.uptimeMs)}  Kafka ${countText(snapshot.readings)} readings ${rateText(snapshot.readingsPerSecond)}`,
  ];
  for (const { name, perSecond, waiting } of snapshot.sinks) {
    const flow = `${rateText(perSecond)} ${countText(waiting)} waiting`;
    if (name === 'hdfs') {
      const { hdfs } = snapshot;
      parts.push(`HDFS ${hdfs === undefined ? '–' : `${plural(hdfs.files, 'file')} ${bytesText(hdfs.bytes)}`} ${flow}`);
    } else if (name === 'redis') parts.push(`Redis ${flow}`);
    else if (name === 'mongodb') parts.push(`MongoDB ${countText(snapshot.documents)} documents ${flow}`);
    else if (name === 'windows') parts.push(`windows ${flow}`);
    else if (name === 'alarms') parts.push(`alarms ${flow}`);
    else if (name === 'router') parts.push(`router ${flow}`);
  }
  const history = importFigures(importState);
  if (history !== undefined) {
    const { amount, rate, rest } = history;
    parts.push(['history', amount, rate, rest].filter((text) => text !== '').join(' '));
  }
  if (snapshot.setAside > 0) parts.push(`${countText(snapshot.setAside)} unread`);
  const restarts = snapshot.workers.reduce((sum, worker) => sum + worker.restarts, 0);
  if (restarts > 0) parts.push(plural(restarts, 'worker restart'));
  const [newest] = snapshot.newest;
  if (newest !== undefined) {
    parts.push(
      `sensor ${shown(newest.sensorId, 40)} ${`${shown(newest.modality, 20)} ${shown(newest.unit, 10)}`.trim()}`,
    );
  }
  return parts.join(' | ');
}

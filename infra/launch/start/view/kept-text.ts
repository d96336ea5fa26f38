import type { FinalCount } from '../observe/observer.ts';
import { bytesText, countText, plural } from '../../../../grid/figures.ts';

/** In the end: what lies in the stores. */
export function keptText({ readings, hdfs, documents, waiting }: FinalCount): string {
  const parts = [
    readings === undefined ? '' : `${countText(readings)} readings in Kafka`,
    hdfs === undefined ? '' : `${plural(hdfs.files, 'file')} of ${bytesText(hdfs.bytes)} in HDFS`,
    documents === undefined ? '' : `${countText(documents)} documents in MongoDB`,
    'the newest of each sensor in Redis',
  ].filter((text) => text !== '');
  const behind = Object.entries(waiting).filter(([, count]) => count > 0);
  const rest =
    behind.length === 0
      ? 'Nothing waits.'
      : `Waiting in Kafka for the next start: ${behind.map(([sink, count]) => `${countText(count)} for ${sink}`).join(', ')}.`;
  return `Kept: ${parts.join(', ')}. ${rest}`;
}

// @ts-check
import { h } from '../lib/dom.js';
import { dateTime, duration, whole } from '../lib/format.js';

/**
 * What the figures rest on: the batch view, and where the speed layer goes on behind it.
 *
 * @param {any} provenance
 */
export function provenancePanel({ batch, boundary, speed }) {
  /** @type {Map<string, { topic: string, partition: number, last: string | undefined, next: string | undefined, watermark: string | null }>} */
  const partitions = new Map();
  const entryOf = (/** @type {any} */ { topic, partition }) => {
    const name = `${topic}/${partition}`;
    const entry = partitions.get(name) ?? { topic, partition, last: undefined, next: undefined, watermark: null };
    partitions.set(name, entry);
    return entry;
  };
  for (const part of boundary) entryOf(part).last = part.lastOffset;
  for (const part of speed) Object.assign(entryOf(part), { next: part.nextOffset, watermark: part.watermark });
  const sorted = [...partitions.values()].sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
  return h(
    'section',
    { class: 'panel', 'aria-label': 'Provenance' },
    h(
      'header',
      {},
      h('h2', {}, 'What this rests on'),
      h(
        'span',
        { class: 'push dim' },
        batch === null
          ? 'no batch view yet: all of the speed layer'
          : `batch view ${batch.build.slice(0, 24)} of ${dateTime(batch.publishedAt)}, ${duration(Date.now() - Date.parse(batch.publishedAt))} old`,
      ),
    ),
    h(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Table of partitions' },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ['Partition', 'Batch to offset', 'Speed to offset', 'Event time passed'].map((text, at) =>
              h('th', { scope: 'col', class: at > 0 ? 'number' : '' }, text),
            ),
          ),
        ),
        h(
          'tbody',
          {},
          sorted.map(({ topic, partition, last, next, watermark }) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, `${topic}/${partition}`),
              h('td', { class: 'number' }, whole(last)),
              h('td', { class: 'number' }, next === undefined ? '–' : whole(Number(next) - 1)),
              h('td', { class: 'number' }, dateTime(watermark)),
            ),
          ),
        ),
      ),
    ),
  );
}

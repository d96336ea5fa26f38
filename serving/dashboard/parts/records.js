// @ts-check
import { get } from '../lib/api.js';
import { fill, h } from '../lib/dom.js';
import { clock, dateTime, whole } from '../lib/format.js';
import { showDialog } from './dialogs.js';
import { quantity } from './quantity.js';
import { empty, failed, loading, notices } from './states.js';

const MOST = 200;

/** What stands in the place of readings before a window is chosen. */
export function recordsHint() {
  return h(
    'section',
    { class: 'panel', 'aria-label': 'Readings of a window' },
    h('header', {}, h('h2', {}, 'Readings')),
    empty(
      'No window is chosen',
      'Click into the chart, or press Enter there: its readings are listed here, each with its place in Kafka and HDFS.',
    ),
  );
}

/**
 * The raw readings of a window, each with its place in Kafka and HDFS.
 *
 * @param {string} path of the sensor in the API
 * @param {import('../lib/series.js').Window} window
 * @param {AbortSignal} left
 */
export function recordsPanel(path, window, left) {
  const body = h('div', {}, loading('Reading the raw readings …'));
  void ask();
  return h(
    'section',
    { class: 'panel', 'aria-label': 'Readings of a window' },
    h(
      'header',
      {},
      h('h2', {}, 'Readings'),
      h(
        'span',
        { class: 'push dim' },
        `${dateTime(window.startMs)} to ${clock(window.endMs)} · ${whole(window.count)} measured`,
      ),
    ),
    body,
  );

  async function ask() {
    try {
      const answer = await get(
        `${path}/readings`,
        { from: new Date(window.startMs).toISOString(), to: new Date(window.endMs).toISOString(), limit: MOST },
        left,
      );
      if (answer.readings.length === 0) {
        fill(
          body,
          empty(
            'Not in MongoDB yet',
            'Its sink is behind; look again in a moment. ',
            h('button', { type: 'button', onclick: () => void ask() }, 'Look again'),
          ),
        );
        return;
      }
      fill(
        body,
        notices(answer.problems),
        h(
          'div',
          { class: 'twin', tabindex: 0, role: 'region', 'aria-label': 'Table of readings' },
          h(
            'table',
            {},
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                ['Time', 'Value', 'Aspect', 'Partition', 'Offset'].map((text, at) =>
                  h('th', { scope: 'col', class: at > 2 ? 'number' : '' }, text),
                ),
              ),
            ),
            h('tbody', {}, answer.readings.map(rowOf)),
          ),
        ),
        answer.next === null ? null : h('p', { class: 'state small' }, `The first ${MOST} are shown.`),
      );
    } catch (error) {
      if (!left.aborted)
        fill(
          body,
          failed(error, () => void ask()),
        );
    }
  }
}

/** @param {any} record */
function rowOf(record) {
  return h(
    'tr',
    {},
    h(
      'td',
      {},
      h('button', { type: 'button', class: 'link', onclick: () => void recordDialog(record) }, clock(record.at)),
    ),
    h('td', {}, quantity(record.value, record.unit ?? '')),
    h('td', {}, record.aspect === 'edge_prediction' ? 'forecast' : 'measured'),
    h('td', { class: 'number' }, record.partition),
    h('td', { class: 'number' }, whole(record.offset)),
  );
}

/**
 * One reading as it lies in the stores.
 *
 * @param {any} record
 */
export function recordDialog(record) {
  /** @type {[string, string][]} */
  const lines = [
    ['Event time', dateTime(record.at)],
    ['As it was sent', record.createdAt ?? '–'],
    ['Value, exact', `${record.value ?? '–'} ${record.unit ?? ''}`],
    ['Correlation id', record.correlationId],
    ['Kafka', `${record.topic}, partition ${record.partition}, offset ${record.offset}`],
    ['HDFS', record.file ?? 'not committed yet: within a minute, as a rule'],
  ];
  const dialog = showDialog(
    'Reading',
    h(
      'dl',
      { class: 'facts' },
      lines.flatMap(([name, text]) => [
        h('dt', {}, name),
        h('dd', { class: name === 'HDFS' || name === 'Correlation id' ? 'mono' : '' }, text),
      ]),
    ),
    record.payload === null ? null : h('pre', { tabindex: 0, role: 'region', 'aria-label': 'Payload' }, record.payload),
    h('div', { class: 'actions' }, h('button', { type: 'button', onclick: () => void dialog.close() }, 'Close')),
  );
}

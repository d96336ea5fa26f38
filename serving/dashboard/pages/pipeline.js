// @ts-check
import { fill, h } from '../lib/dom.js';
import { dateTime, duration, rate, whole } from '../lib/format.js';
import { VERDICT_TONES } from '../parts/pipeline-strip.js';
import { loading, notices } from '../parts/states.js';

/**
 * The pipeline at length: what each sink has done, where every accepted reading is, and what each server is needed for.
 *
 * @param {import('../app.js').PageContext} context
 */
export function open({ container, pipeline, live, left }) {
  live.idle();
  fill(container, loading());
  pipeline.onState((state) => {
    fill(
      container,
      h('div', { class: 'head' }, h('h1', {}, 'Pipeline')),
      notices(state.problems),
      sinks(state),
      h('div', { class: 'columns' }, ledger(state.ledger), views(state)),
      stores(state.stores),
    );
  }, left);
  return {};
}

/** @param {any} state */
function sinks({ accepted, sinks: all }) {
  return h(
    'section',
    { class: 'panel' },
    h(
      'header',
      {},
      h('h2', {}, 'Sinks'),
      h(
        'span',
        { class: 'push dim' },
        `accepted ${whole(accepted?.records)} readings, ${rate(accepted?.ratePerSecond)} now`,
      ),
    ),
    h(
      'div',
      { class: 'scroll' },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ['Sink', 'Topic', 'Behind', 'Pace'].map((text, at) =>
              h('th', { scope: 'col', class: at > 1 ? 'number' : '' }, text),
            ),
          ),
        ),
        h(
          'tbody',
          {},
          (all ?? []).map((/** @type {any} */ { sink, topic, lag, ratePerSecond }) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, sink),
              h('td', {}, topic),
              h('td', { class: 'number' }, lag === null ? 'never started' : `${whole(lag)} records`),
              h('td', { class: 'number' }, rate(ratePerSecond)),
            ),
          ),
        ),
      ),
    ),
  );
}

/** @param {any} entry */
function ledger(entry) {
  const head = h(
    'header',
    {},
    h('h2', {}, 'Ledger'),
    entry === null ? null : h('span', { class: `push badge ${VERDICT_TONES[entry.verdict] ?? ''}` }, entry.verdict),
  );
  if (entry === null)
    return h(
      'section',
      { class: 'panel' },
      head,
      h('p', { class: 'state small' }, 'Kafka or HDFS is away: what was accepted cannot be compared now.'),
    );
  const { accepted, hdfs, mongodb } = entry;
  /** @type {[string, string][]} */
  const lines = [
    ['Accepted by Kafka', whole(accepted)],
    ['Readings in HDFS', whole(hdfs.readings)],
    ['Could not be read', whole(hdfs.unreadable)],
    ['Left out by routes', whole(hdfs.notRouted)],
    ['Still to be committed', whole(hdfs.behind)],
    ['Offsets without a record', whole(hdfs.missing)],
    ['Lost to retention', whole(hdfs.expired)],
    ['Unaccounted for', whole(hdfs.unaccounted)],
    ['Documents in MongoDB', whole(mongodb?.documents)],
  ];
  return h('section', { class: 'panel' }, head, factList(lines));
}

/** @param {any} state */
function views({ views: view }) {
  /** @type {[string, string][]} */
  const lines =
    view === null
      ? [['Serving database', 'away']]
      : [
          ['Batch view', view.batch === null ? 'none yet: start the job buildBatchViews' : view.batch.build],
          [
            'Published',
            view.batch === null ? '–' : `${dateTime(view.batch.publishedAt)}, ${duration(view.batch.ageMs)} ago`,
          ],
          ['Event time passed', dateTime(view.watermark)],
          ['That is behind now', duration(view.watermarkDelayMs)],
          ['Speed view changed', dateTime(view.updatedAt)],
        ];
  return h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'Views')), factList(lines));
}

/** @param {readonly any[]} all */
function stores(all) {
  return h(
    'section',
    { class: 'panel' },
    h('header', {}, h('h2', {}, 'Servers')),
    h(
      'div',
      { class: 'scroll' },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ['Server', 'State', 'Needed for', 'Problem'].map((text) => h('th', { scope: 'col' }, text)),
          ),
        ),
        h(
          'tbody',
          {},
          all.map(({ store, ok, needs, problem }) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, store),
              h('td', {}, h('span', { class: `badge ${ok ? 'good' : 'bad'}` }, ok ? 'up' : 'away')),
              h('td', {}, needs),
              h('td', { class: 'wrap' }, problem ?? '–'),
            ),
          ),
        ),
      ),
    ),
  );
}

/** @param {readonly (readonly [string, string])[]} lines */
function factList(lines) {
  return h(
    'dl',
    { class: 'facts body' },
    lines.flatMap(([name, text]) => [h('dt', {}, name), h('dd', {}, text)]),
  );
}

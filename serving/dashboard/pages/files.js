// @ts-check
import { get } from '../lib/api.js';
import { fill, h } from '../lib/dom.js';
import { bytes, dateTime, duration, whole } from '../lib/format.js';
import { showDialog } from '../parts/dialogs.js';
import { empty, failed, loading } from '../parts/states.js';

const OUTCOMES = ['landed', 'duplicate', 'quarantined', 'encrypted', 'failed', 'passed-over'];
const MOST_PATHS = 20;

/**
 * Discovered legacy files: what a crawl has found, and what became of each file and why.
 *
 * @param {import('../app.js').PageContext} context
 */
export function open({ container, address, live, left, set }) {
  const chosen = { class: address.settings.get('class') ?? '', outcome: address.settings.get('outcome') ?? '' };
  let crawl = address.settings.get('crawl') ?? '';
  /** @type {any[]} */
  let crawls = [];
  /** @type {any[]} */
  let files = [];
  let asked = 0;
  live.idle();
  const head = h('div', { class: 'head' });
  const report = h('div', {}, loading('Reading reports of crawls …'));
  const filters = h('header', {});
  const list = h('div', {}, loading());
  fill(container, head, report, h('section', { class: 'panel', 'aria-label': 'Files' }, filters, list));
  void askCrawls();
  void askFiles(undefined);
  return {};

  async function askCrawls() {
    try {
      ({ crawls } = await get('/api/legacy/crawls', { limit: 50 }, left));
      drawReport();
      drawFilters();
    } catch (error) {
      if (!left.aborted)
        fill(
          report,
          failed(error, () => void askCrawls()),
        );
    }
  }

  /** @param {string | undefined} cursor */
  async function askFiles(cursor) {
    const mine = ++asked;
    try {
      const answer = await get('/api/legacy/files', { ...chosen, crawl, cursor, limit: 50 }, left);
      // Something else was chosen meanwhile.
      if (mine !== asked) return;
      files = cursor === undefined ? answer.files : [...files, ...answer.files];
      drawFiles(answer.next);
    } catch (error) {
      if (!left.aborted && mine === asked)
        fill(
          list,
          failed(error, () => void askFiles(cursor)),
        );
    }
  }

  function drawReport() {
    const shown = crawls.find((one) => one.crawl === crawl) ?? crawls[0];
    fill(
      head,
      h('h1', {}, 'Legacy files'),
      h('span', { class: 'push' }),
      crawls.length < 2
        ? null
        : select(
            'Crawl',
            crawl,
            [
              ['', 'The newest crawl; files of all'],
              ...crawls.map((one) => pair(one.crawl, `${dateTime(one.startedAt)}, ${one.root}`)),
            ],
            (value) => {
              crawl = value;
              set({ crawl });
              drawReport();
              void askFiles(undefined);
            },
          ),
    );
    if (shown === undefined) {
      const command = h('code', {}, 'npm run job -- discoverLegacyFiles');
      fill(
        report,
        h('section', { class: 'panel' }, empty('No share has been crawled yet', 'Crawl one: ', command, '.')),
      );
      return;
    }
    fill(
      report,
      summary(shown),
      table('Classes', ['Class', 'Files', 'Size'], classRows(shown)),
      reasons(shown),
      unknowns(shown),
    );
  }

  function drawFilters() {
    const classes = [
      ...new Set(crawls.flatMap((one) => one.classes.map((/** @type {any} */ each) => each.class))),
    ].sort();
    /** @param {'class' | 'outcome'} name @returns {(value: string) => void} */
    const choose = (name) => (value) => {
      chosen[name] = value;
      set({ [name]: value });
      void askFiles(undefined);
    };
    fill(
      filters,
      h('h2', {}, 'Files'),
      h('span', { class: 'push' }),
      select(
        'Outcome',
        chosen.outcome,
        [['', 'All outcomes'], ...OUTCOMES.map((one) => pair(one, one))],
        choose('outcome'),
      ),
      select('Class', chosen.class, [['', 'All classes'], ...classes.map((one) => pair(one, one))], choose('class')),
    );
  }

  /** @param {string | null} next */
  function drawFiles(next) {
    if (files.length === 0) {
      fill(list, empty('No such files', 'Choose another class or outcome, or crawl a share.'));
      return;
    }
    const rows = files.map((file) => [
      h('button', { type: 'button', class: 'quiet', onclick: () => void showFile(file) }, nameOf(file.path)),
      file.reason === null ? file.outcome : `${file.outcome}: ${file.reason}`,
      file.class ?? '–',
      bytes(file.bytes),
    ]);
    const more = h(
      'div',
      { class: 'body' },
      h('button', { type: 'button', onclick: () => void askFiles(next ?? undefined) }, 'More'),
    );
    fill(list, plainTable('Files', ['File', 'What became of it', 'Class', 'Size'], rows), next === null ? null : more);
  }
}

/** @param {any} crawl */
function summary(crawl) {
  /** @type {[string, string][]} */
  const lines = [
    ['Share', crawl.root],
    ['Begun', `${dateTime(crawl.startedAt)}, done in ${duration(crawl.durationMs)}`],
    [
      'Found',
      `${whole(crawl.discovered)} files, ${bytes(crawl.bytes)}; ${whole(crawl.members)} in archives, ${whole(crawl.unchanged)} known and unchanged`,
    ],
    ['Landed', whole(crawl.landed)],
    ['Duplicates', whole(crawl.duplicate)],
    ['Quarantined', whole(crawl.quarantined)],
    ['Encrypted', whole(crawl.encrypted)],
    ['Failed', whole(crawl.failed)],
    ['Links, devices', whole(crawl.passedOver)],
    ['Figures add up', crawl.conserved ? 'yes' : 'no: does another crawl of these files run?'],
    ['Report in HDFS', crawl.report?.html ?? '–'],
  ];
  return h('section', { class: 'panel', 'aria-label': 'Report' }, h('header', {}, h('h2', {}, 'Report')), facts(lines));
}

/** @param {any} crawl */
function classRows(crawl) {
  return crawl.classes.map((/** @type {any} */ one) => [one.class, whole(one.files), bytes(one.bytes)]);
}

/** @param {any} crawl */
function reasons(crawl) {
  const rows = crawl.reasons.map((/** @type {any} */ one) => [
    `${one.outcome}: ${one.reason}`,
    whole(one.files),
    one.example,
  ]);
  return table('Reasons', ['Why', 'Files', 'Such as'], rows);
}

/** @param {any} crawl */
function unknowns(crawl) {
  const rows = crawl.unknowns.map((/** @type {any} */ one) => [
    one.extension === '' ? '(no extension)' : `.${one.extension}`,
    whole(one.files),
    one.format,
    one.example,
  ]);
  return table('Unknown', ['Name ends in', 'Files', 'Format', 'Such as'], rows);
}

/** @param {any} file */
function showFile(file) {
  const { content } = file;
  const verdict = content?.verdict;
  const place = content?.where;
  /** @type {[string, string][]} */
  const lines = [
    ['Path', file.path],
    ['What became of it', [file.outcome, file.reason, file.detail].filter((text) => text !== null).join(': ')],
    ['Seen', dateTime(file.seenAt)],
    ['SHA-256', content?.sha256 ?? '–'],
    [
      'In HDFS',
      place === undefined ? '–' : `${place.path}${place.offset === undefined ? '' : `, from byte ${place.offset}`}`,
    ],
    ['Text', content?.text ?? '–'],
    ['Readings', content?.telemetry ?? '–'],
    ['Same text as', content?.sameTextAs ?? '–'],
    ...(verdict === undefined
      ? []
      : [
          pair('Class', `${verdict.class}, sure to ${Math.round(verdict.confidence * 100)} %`),
          pair('Format', `${verdict.format}${verdict.charset === undefined ? '' : `, ${verdict.charset}`}`),
          pair('Warnings', verdict.warnings.length === 0 ? 'none' : verdict.warnings.join('; ')),
        ]),
  ];
  const evidence = (verdict?.evidence ?? []).map((/** @type {any} */ one) => [
    one.found,
    one.detector,
    String(one.weight),
  ]);
  const paths = (content?.paths ?? []).slice(0, MOST_PATHS).map((/** @type {string} */ path) => [path]);
  const dialog = showDialog(
    nameOf(file.path),
    facts(lines),
    evidence.length === 0 ? null : plainTable('Evidence', ['What was seen', 'By', 'Weight'], evidence),
    paths.length < 2 ? null : plainTable('Paths', ['Found under'], paths),
    h('div', { class: 'actions' }, h('button', { type: 'button', onclick: () => void dialog.close() }, 'Close')),
  );
}

/** @param {string} path */
function nameOf(path) {
  return path.slice(path.lastIndexOf('/') + 1);
}

/**
 * @param {string} one
 * @param {string} other
 * @returns {[string, string]}
 */
function pair(one, other) {
  return [one, other];
}

/** @param {readonly (readonly [string, string])[]} lines */
function facts(lines) {
  return h(
    'dl',
    { class: 'facts body' },
    lines.flatMap(([name, text]) => [h('dt', {}, name), h('dd', { class: 'wrap' }, text)]),
  );
}

/**
 * A table with its title; nothing where there are no rows.
 *
 * @param {string} title
 * @param {readonly string[]} columns
 * @param {readonly (readonly string[])[]} rows
 */
function table(title, columns, rows) {
  if (rows.length === 0) return null;
  return h(
    'section',
    { class: 'panel', 'aria-label': title },
    h('header', {}, h('h2', {}, title)),
    plainTable(title, columns, rows),
  );
}

/**
 * @param {string} title
 * @param {readonly string[]} columns
 * @param {readonly (readonly (string | Node)[])[]} rows
 */
function plainTable(title, columns, rows) {
  const isFigure = (/** @type {string} */ column) => ['Files', 'Size', 'Weight'].includes(column);
  return h(
    'div',
    { class: 'twin scroll', tabindex: 0, role: 'region', 'aria-label': `Table of ${title.toLowerCase()}` },
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          columns.map((column) => h('th', { scope: 'col', class: isFigure(column) ? 'number' : '' }, column)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((cells) =>
          h(
            'tr',
            {},
            cells.map((cell, index) => h('td', { class: isFigure(columns[index] ?? '') ? 'number' : 'wrap' }, cell)),
          ),
        ),
      ),
    ),
  );
}

/**
 * @param {string} label
 * @param {string} chosen
 * @param {readonly (readonly [string, string])[]} options
 * @param {(value: string) => void} onChoose
 */
function select(label, chosen, options, onChoose) {
  const element = h(
    'select',
    { 'aria-label': label },
    options.map(([value, text]) => h('option', { value, selected: value === chosen }, text)),
  );
  element.addEventListener('change', () => onChoose(element.value));
  return element;
}

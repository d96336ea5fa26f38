// @ts-check
import { h } from '../lib/dom.js';
import { bytes, whole } from '../lib/format.js';

/**
 * What Hive has answered: where all rows are, and the first of them with the types of their columns.
 *
 * @param {any} answer an entry of `/api/queries/{workflowId}`, or of `/api/reports`
 */
export function answerTable(answer) {
  const { columns = [], firstRows = [], rows = 0, isCut = false, path, bytes: size, tables = [] } = answer;
  return h(
    'div',
    {},
    h(
      'div',
      { class: 'body' },
      h(
        'p',
        {},
        `${isCut ? 'The first ' : ''}${whole(rows)} ${rows === 1 ? 'row' : 'rows'}`,
        isCut ? '; there are more. ' : '. ',
        ...(path === null || path === undefined
          ? []
          : ['All of them in HDFS: ', h('code', { class: 'mono' }, path), ` (${bytes(size)}). `]),
        tables.length === 0 ? null : `Read: ${tables.join(', ')}.`,
      ),
    ),
    firstRows.length === 0
      ? null
      : h(
          'div',
          { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'First rows' },
          h(
            'table',
            {},
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                columns.map((/** @type {any} */ { name, type }) =>
                  h('th', { scope: 'col' }, name, h('div', { class: 'dim mono' }, type)),
                ),
              ),
            ),
            h(
              'tbody',
              {},
              firstRows.map((/** @type {(string | null)[]} */ row) =>
                h(
                  'tr',
                  {},
                  row.map((field, index) =>
                    h(
                      'td',
                      { class: isNumber(columns[index]?.type) ? 'number' : '' },
                      field === null ? h('span', { class: 'dim' }, 'NULL') : field,
                    ),
                  ),
                ),
              ),
            ),
          ),
        ),
  );
}

/** @param {string | undefined} type */
export function isNumber(type) {
  return /^(?:tinyint|smallint|int|bigint|float|double|decimal)/.test(type ?? '');
}

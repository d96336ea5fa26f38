// @ts-check
import { h } from '../lib/dom.js';
import { dateTime, whole } from '../lib/format.js';
import { quantity } from './quantity.js';

/** Newest ones that are shown; the others are in the CSV. */
const MOST = 500;

/**
 * What a chart shows, as a table: for screen readers, and for exact figures.
 *
 * @param {import('./series-chart.js').ChartData} data
 * @param {(at: number) => void} onPick
 */
export function windowTable({ columns, unit }, onPick) {
  const rows = columns.windows
    .map((window, at) => ({ window, at, forecast: columns.forecast[at] ?? null }))
    .filter(({ window, forecast }) => window !== undefined || forecast !== null)
    .slice(-MOST)
    .reverse();
  return h(
    'div',
    { class: 'twin', tabindex: 0, role: 'region', 'aria-label': 'Table of windows' },
    h(
      'table',
      {},
      h('caption', { class: 'visually-hidden' }, 'Windows, newest first'),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ['Begins', 'Mean', 'Least', 'Greatest', 'Forecast', `Energy (${unit}·h)`, 'Readings', 'State', 'Layer'].map(
            (text) => h('th', { scope: 'col', class: text === 'Readings' ? 'number' : '' }, text),
          ),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map(({ window, at, forecast }) =>
          h(
            'tr',
            {},
            h(
              'th',
              { scope: 'row' },
              window === undefined
                ? dateTime((columns.x[at] ?? 0) * 1_000)
                : h(
                    'button',
                    { type: 'button', class: 'link', onclick: () => void onPick(at) },
                    dateTime(window.startMs),
                  ),
            ),
            h('td', {}, quantity(window?.mean, unit)),
            h('td', {}, quantity(window?.min, unit)),
            h('td', {}, quantity(window?.max, unit)),
            h('td', {}, quantity(forecast === null ? null : String(forecast), unit)),
            h('td', {}, quantity(window?.energy, `${unit}·h`)),
            h('td', { class: 'number' }, whole(window?.count)),
            h('td', {}, window?.state ?? '–'),
            h('td', {}, window?.part ?? '–'),
          ),
        ),
      ),
    ),
  );
}

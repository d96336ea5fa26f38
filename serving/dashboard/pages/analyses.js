// @ts-check
import { fill, h } from '../lib/dom.js';
import { keptList } from '../parts/kept-list.js';
import { reportForm } from '../parts/report-form.js';

/**
 * Reports to be run, and what reports and word counts have answered.
 *
 * @param {import('../app.js').PageContext} context
 */
export function open({ container, address, live, left, set }) {
  live.idle();
  const kept = h('div', {});
  const list = () => {
    fill(
      kept,
      keptList({
        title: 'Reports',
        path: '/api/reports',
        none: 'No report has been run yet',
        command: 'npm run job -- runReport',
        left,
      }),
    );
  };
  list();
  fill(
    container,
    h('div', { class: 'head' }, h('h1', {}, 'Analyses')),
    reportForm({
      left,
      chosen: address.settings.get('report') ?? '',
      onChoose: (report) => void set({ report }),
      onEnded: list,
    }),
    kept,
    keptList({
      title: 'Word counts',
      path: '/api/words',
      none: 'No words have been counted yet',
      command: 'npm run job -- countWords',
      left,
    }),
  );
  return {};
}

// @ts-check
import { fill, h } from '../lib/dom.js';
import { keptList } from '../parts/kept-list.js';

/**
 * What reports and word counts have answered.
 *
 * @param {import('../app.js').PageContext} context
 */
export function open({ container, live, left }) {
  live.idle();
  fill(
    container,
    h('div', { class: 'head' }, h('h1', {}, 'Analyses')),
    keptList({
      title: 'Reports',
      path: '/api/reports',
      none: 'No report has been run yet',
      command: 'npm run job -- runReport',
      left,
    }),
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

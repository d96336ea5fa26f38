// @ts-check
import { fill, h } from '../lib/dom.js';
import { keptList } from '../parts/kept-list.js';

/**
 * The catalogue of legacy files.
 *
 * @param {import('../app.js').PageContext} context
 */
export function open({ container, live, left }) {
  live.idle();
  fill(
    container,
    h('div', { class: 'head' }, h('h1', {}, 'Legacy files')),
    keptList({
      title: 'Catalogue',
      path: '/api/files',
      none: 'No legacy files are known yet',
      command: 'npm run job -- discoverLegacyFiles',
      left,
    }),
  );
  return {};
}

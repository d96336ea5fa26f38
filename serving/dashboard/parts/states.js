// @ts-check
import { ApiError } from '../lib/api.js';
import { h } from '../lib/dom.js';

/** @param {string} [what] */
export function loading(what = 'Loading …') {
  return h('p', { class: 'state', role: 'status' }, what);
}

/**
 * Nothing to show, and what to do so that there is.
 *
 * @param {string} title
 * @param {...import('../lib/dom.js').Child} whatToDo
 */
export function empty(title, ...whatToDo) {
  return h('div', { class: 'state' }, h('strong', {}, title), ...whatToDo);
}

/**
 * What went wrong, as the server says it: its messages say what to do.
 *
 * @param {unknown} error
 * @param {() => void} [again]
 */
export function failed(error, again) {
  const known = error instanceof ApiError ? error : undefined;
  const message = known?.message ?? (error instanceof Error ? error.message : String(error));
  return h(
    'div',
    { class: 'state error', role: 'alert' },
    h(
      'strong',
      {},
      known?.status === 404
        ? 'There is nothing here'
        : known?.status === 0
          ? 'No connection'
          : 'This cannot be shown now',
    ),
    message,
    h(
      'div',
      { class: 'actions' },
      again === undefined ? null : h('button', { type: 'button', onclick: again }, 'Try again'),
    ),
  );
}

/**
 * Parts of an answer that are missing.
 *
 * @param {readonly string[]} problems
 */
export function notices(problems) {
  return problems.length === 0 ? null : h('p', { class: 'notice', role: 'status' }, problems.join(' '));
}

// @ts-check
import { h } from '../lib/dom.js';
import { figure, NARROW } from '../lib/format.js';

/**
 * A value with its unit; its exact text is its title.
 *
 * @param {string | null | undefined} value
 * @param {string} unit
 */
export function quantity(value, unit) {
  if (value === null || value === undefined) return h('span', { class: 'dim' }, '–');
  return h('span', { title: `${value} ${unit}` }, figure(value), h('span', { class: 'unit' }, `${NARROW}${unit}`));
}

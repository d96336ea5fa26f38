// @ts-check
import { h, svg } from '../lib/dom.js';

const WIDTH = 240;
const HEIGHT = 24;

/**
 * A small line without axes; gaps are gaps. It says nothing to screen readers: the figures beside it do.
 *
 * @param {readonly (number | undefined)[]} values at even steps
 */
export function sparkline(values) {
  const known = /** @type {number[]} */ (values.filter((value) => value !== undefined));
  if (known.length < 2) return h('span', { class: 'dim' }, '–');
  const least = Math.min(...known);
  const span = Math.max(...known) - least || 1;
  const x = (/** @type {number} */ at) => ((at / (values.length - 1)) * WIDTH).toFixed(1);
  const y = (/** @type {number} */ value) => (HEIGHT - 2 - ((value - least) / span) * (HEIGHT - 4)).toFixed(1);
  let line = '';
  let area = '';
  let start = -1;
  values.forEach((value, at) => {
    if (value === undefined) return;
    const isFirst = values[at - 1] === undefined || at === 0;
    if (isFirst) start = at;
    line += `${isFirst ? 'M' : 'L'}${x(at)} ${y(value)}`;
    area += `${isFirst ? `M${x(at)} ${HEIGHT}L` : 'L'}${x(at)} ${y(value)}`;
    const isLast = values[at + 1] === undefined;
    if (isLast) area += `L${x(at)} ${HEIGHT}L${x(start)} ${HEIGHT}Z`;
  });
  return svg(
    'svg',
    { class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('path', { class: 'area', d: area }),
    svg('path', { class: 'line', d: line }),
  );
}

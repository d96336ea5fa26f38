// @ts-check
import { hashOf } from '../lib/address.js';
import { get } from '../lib/api.js';
import { fill, h } from '../lib/dom.js';
import { clock, figure, NARROW } from '../lib/format.js';
import { SensorList } from '../lib/sensor-list.js';
import { WorkQueue } from '../lib/work-queue.js';
import { choices } from '../parts/choices.js';
import { empty } from '../parts/states.js';

const HOUR_MS = 3_600_000;
const STEPS = 10;
const LANES = 4;
/** Rows that are made at all; who looks for others filters. */
const MOST = 500;
const SCALES = /** @type {const} */ ([
  ['sensor', 'Each by itself'],
  ['unit', 'All by unit'],
]);
const HOURS = /** @type {const} */ ([
  ['24', '24 h'],
  ['72', '3 d'],
]);
const NUMERIC = new Intl.Collator('en', { numeric: true });

/**
 * @typedef {object} HeatRow
 * @property {HTMLTableRowElement} element
 * @property {string} unit
 * @property {(number | undefined)[] | undefined} means by hours
 */

/**
 * Sensors × time of day: where load is high, where there is none, and where readings are missing, at one glance.
 *
 * @param {import('../app.js').PageContext} context
 */
export async function open({ container, address, live, left, set }) {
  let scale = address.settings.get('scale') === 'unit' ? 'unit' : 'sensor';
  let hours = address.settings.get('hours') === '72' ? 72 : 24;
  let words = address.settings.get('q') ?? '';
  const list = new SensorList();
  const queue = new WorkQueue(LANES);
  /** @type {Map<string, HeatRow>} */
  const rows = new Map();
  const body = h('tbody');
  const head = h('thead');
  const controls = h('div', { class: 'head' });
  const panel = h('div', { class: 'panel' });
  const caption = h('caption', { class: 'visually-hidden' }, 'Hourly means of sensors');
  fill(container, controls, panel);
  live.idle();
  await list.load(left);

  const search = h('input', {
    type: 'search',
    placeholder: 'Filter by id or unit',
    'aria-label': 'Filter sensors by id or unit',
    value: words,
    oninput: () => {
      words = search.value;
      set({ q: words });
      draw();
    },
  });
  const visible = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting) ask(/** @type {HTMLElement} */ (target).dataset['sensor'] ?? '');
      }
    },
    { rootMargin: '300px' },
  );
  left.addEventListener('abort', () => {
    visible.disconnect();
    queue.clear();
  });
  const look = () => {
    draw();
  };
  addEventListener('powergrid:look', look);
  left.addEventListener('abort', () => {
    removeEventListener('powergrid:look', look);
  });
  draw();
  return {};

  function draw() {
    rows.clear();
    visible.disconnect();
    queue.clear();
    fill(
      controls,
      h('h1', {}, 'Heat map'),
      h('span', { class: 'push' }),
      choices('Time', HOURS, String(hours), (value) => {
        hours = Number(value);
        set({ hours: value === '24' ? '' : value });
        draw();
      }),
      choices('Scale', SCALES, scale, (value) => {
        scale = value;
        set({ scale: value === 'sensor' ? '' : value });
        draw();
      }),
      search,
    );
    const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
    const found = [...list.sensors.values()]
      .filter(({ sensorId, measured }) =>
        parts.every((part) => `${sensorId} ${measured?.unit ?? ''}`.toLowerCase().includes(part)),
      )
      .sort((a, b) => NUMERIC.compare(a.sensorId, b.sensorId))
      .slice(0, MOST);
    if (found.length === 0) {
      fill(
        panel,
        list.sensors.size === 0
          ? empty('No readings yet', 'Start ', h('code', {}, 'npm run worker:simulator'), '.')
          : empty('No sensor is like that', 'Change the filter.'),
      );
      return;
    }
    const firstMs = firstHour();
    const each = hours === 24 ? 1 : 6;
    fill(
      head,
      h(
        'tr',
        {},
        h('th', { scope: 'col' }, 'Sensor'),
        Array.from({ length: hours / each }, (_, at) =>
          h('th', { scope: 'colgroup', colspan: each }, clock(firstMs + at * each * HOUR_MS).slice(0, 5)),
        ),
        h('th', { scope: 'col', class: 'range' }, 'Least … greatest'),
      ),
    );
    fill(
      body,
      found.map(({ sensorId, measured }) => {
        const element = h(
          'tr',
          { 'data-sensor': sensorId },
          h('th', { scope: 'row' }, h('a', { href: hashOf('sensor', sensorId) }, sensorId)),
          Array.from({ length: hours }, () => h('td', { class: 'cell' })),
          h('td', { class: 'range' }),
        );
        rows.set(sensorId, { element, unit: measured?.unit ?? '', means: undefined });
        visible.observe(element);
        return element;
      }),
    );
    const key = h(
      'div',
      { class: 'heat-key' },
      scale === 'sensor' ? 'least of the sensor' : 'least of its unit',
      h(
        'span',
        { class: 'steps', 'aria-hidden': 'true' },
        Array.from({ length: STEPS }, (_, step) => h('i', { class: `heat-${step}` })),
      ),
      'greatest',
      h('span', {}, '· hatched: no readings'),
    );
    fill(
      panel,
      h('header', {}, h('h2', {}, 'Mean of each hour'), h('span', { class: 'push' }), key),
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Heat map' },
        h('table', { class: 'heat' }, caption, head, body),
      ),
    );
  }

  function firstHour() {
    return (Math.floor(Date.now() / HOUR_MS) - hours + 1) * HOUR_MS;
  }

  /** @param {string} sensorId */
  function ask(sensorId) {
    const row = rows.get(sensorId);
    if (row === undefined || row.means !== undefined) return;
    row.means = [];
    queue.add(async () => {
      const firstMs = firstHour();
      try {
        const answer = await get(
          `/api/sensors/${encodeURIComponent(sensorId)}/series`,
          { resolution: 'hour', from: new Date(firstMs).toISOString(), unit: row.unit },
          left,
        );
        const means = new Array(hours).fill(undefined);
        for (const { start, mean } of answer.windows) {
          const place = (Date.parse(start) - firstMs) / HOUR_MS;
          if (place >= 0 && place < hours && mean !== null) means[place] = Number(mean);
        }
        row.means = means;
        colour();
      } catch {
        row.means = undefined;
      }
    });
  }

  function colour() {
    /** @type {Map<string, [number, number]>} */
    const byUnit = new Map();
    for (const { unit, means } of rows.values()) {
      const [least, most] = byUnit.get(unit) ?? [Infinity, -Infinity];
      byUnit.set(unit, [Math.min(least, ...known(means)), Math.max(most, ...known(means))]);
    }
    const firstMs = firstHour();
    for (const { element, unit, means } of rows.values()) {
      if (means === undefined || means.length === 0) continue;
      const own = known(means);
      /** @type {[number, number]} */
      const ownSpan = [Math.min(...own), Math.max(...own)];
      const [least, most] = scale === 'unit' ? (byUnit.get(unit) ?? ownSpan) : ownSpan;
      means.forEach((mean, at) => {
        const cell = element.cells[at + 1];
        if (cell === undefined) return;
        const hour = clock(firstMs + at * HOUR_MS).slice(0, 5);
        if (mean === undefined) {
          cell.className = 'cell none';
          cell.title = `${hour}: no readings`;
          return;
        }
        const step = most === least ? 4 : Math.min(STEPS - 1, Math.floor(((mean - least) / (most - least)) * STEPS));
        cell.className = `cell heat-${step}`;
        const text = `${hour}: ${figure(mean)}${NARROW}${unit}`;
        if (cell.title !== text) {
          cell.title = text;
          fill(cell, h('span', { class: 'visually-hidden' }, `${figure(mean)} ${unit}`));
        }
      });
      const range = element.cells[means.length + 1];
      if (range !== undefined)
        range.textContent = own.length === 0 ? '–' : `${figure(ownSpan[0])} … ${figure(ownSpan[1])}${NARROW}${unit}`;
    }
  }
}

/** @param {readonly (number | undefined)[] | undefined} means */
function known(means) {
  return /** @type {number[]} */ ((means ?? []).filter((mean) => mean !== undefined));
}

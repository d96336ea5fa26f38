// @ts-check
import { hashOf } from '../lib/address.js';
import { fill, h } from '../lib/dom.js';
import { age, dateTime, duration, whole } from '../lib/format.js';
import { MINUTES, SensorList, stateOf } from '../lib/sensor-list.js';
import { STALE, TONES } from '../lib/staleness.js';
import { quantity } from '../parts/quantity.js';
import { sparkline } from '../parts/sparkline.js';
import { empty, failed, loading, notices } from '../parts/states.js';

/** @typedef {import('../lib/sensor-list.js').Sensor} Sensor */

const COLUMNS = /** @type {const} */ ([
  ['sensor', 'Sensor'],
  ['value', 'Measured'],
  ['forecast', 'Forecast'],
  ['age', 'Age'],
  ['', `Last ${MINUTES} min`],
  ['cadence', 'Reports every'],
  ['state', 'State'],
]);
const STATES = /** @type {const} */ (['fresh', 'late', 'stale', 'unknown']);
/** Rows that are made at once; more as one scrolls to them. */
const ROWS = 100;
const TICK_MS = 1_000;
/** Whatever the stream has not told is found so soon. */
const RELOAD_MS = 60_000;
const NUMERIC = new Intl.Collator('en', { numeric: true });

/**
 * @typedef {object} Row
 * @property {HTMLTableRowElement} element
 * @property {(sensor: Sensor, nowMs: number) => void} update
 * @property {(sensor: Sensor) => void} draw
 */

/** @param {import('../app.js').PageContext} context */
export function open({ container, address, live, left, set }) {
  const list = new SensorList();
  /** @type {Map<string, Row>} */
  const rows = new Map();
  let settings = settingsOf(address.settings);
  let shown = ROWS;
  /** @type {Set<string>} */
  const changed = new Set();

  const search = h('input', {
    type: 'search',
    placeholder: 'Filter by id or unit',
    'aria-label': 'Filter sensors by id or unit',
    value: settings.q,
    oninput: () => {
      put({ q: search.value });
    },
  });
  const figures = h('div', { class: 'figures', role: 'group', 'aria-label': 'Sensors by state' });
  const body = h('tbody');
  const heads = COLUMNS.map(([name, text]) =>
    h(
      'th',
      { scope: 'col', 'data-column': name },
      name === '' ? text : h('button', { type: 'button', onclick: () => void sortBy(name) }, text),
    ),
  );
  const table = h(
    'table',
    { class: 'sensors' },
    h('caption', { class: 'visually-hidden' }, 'Sensors and their newest values'),
    h('thead', {}, h('tr', {}, heads)),
    body,
  );
  const end = h('div');
  const below = h('div');
  const above = h('div');
  fill(
    container,
    h('h1', { class: 'visually-hidden' }, 'Sensors'),
    above,
    h('div', { class: 'head' }, figures, h('span', { class: 'push' }), search),
    h('div', { class: 'panel' }, h('div', { class: 'scroll' }, table), below),
    end,
  );
  fill(below, loading('Asking for the sensors …'));

  const visible = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        const sensor = list.sensors.get(/** @type {HTMLElement} */ (target).dataset['sensor'] ?? '');
        if (isIntersecting && sensor !== undefined) learn(sensor);
      }
    },
    { rootMargin: '200px' },
  );
  const more = new IntersectionObserver((entries) => {
    if (entries.some(({ isIntersecting }) => isIntersecting) && shown < list.sensors.size) {
      shown += ROWS;
      arrange();
    }
  });
  more.observe(end);
  body.addEventListener('keydown', onKey);
  body.addEventListener('click', ({ target }) => {
    const row = target instanceof Element ? target.closest('tr') : null;
    const isLink = target instanceof Element && target.closest('a') !== null;
    if (row !== null && !isLink && getSelection()?.isCollapsed !== false)
      location.hash = hashOf('sensor', row.dataset['sensor']);
  });

  const timer = setInterval(() => {
    const nowMs = Date.now();
    for (const [id, row] of rows) {
      const sensor = list.sensors.get(id);
      if (sensor !== undefined) row.update(sensor, nowMs);
    }
    count(nowMs);
  }, TICK_MS);
  /** @type {number | undefined} */
  let frame;
  live.listen(
    {
      onReading(reading) {
        const isNew = !list.sensors.has(reading.sensorId);
        const sensor = list.take(reading);
        if (isNew) {
          arrange();
          learn(sensor);
          return;
        }
        changed.add(reading.sensorId);
        frame ??= requestAnimationFrame(drawChanged);
      },
      onReset: () => void load(),
    },
    '?kinds=reading',
  );
  const look = () => {
    rows.clear();
    body.replaceChildren();
    arrange();
  };
  addEventListener('powergrid:look', look);
  left.addEventListener('abort', () => {
    clearInterval(timer);
    visible.disconnect();
    more.disconnect();
    removeEventListener('powergrid:look', look);
  });
  // What one has scrolled past is looked at again when it is older than a minute.
  const relearn = setInterval(() => {
    for (const row of body.rows) {
      const { top, bottom } = row.getBoundingClientRect();
      const sensor = list.sensors.get(row.dataset['sensor'] ?? '');
      if (bottom > 0 && top < innerHeight && sensor !== undefined) learn(sensor);
    }
  }, 15_000);
  const reload = setInterval(() => {
    if (!document.hidden) void load();
  }, RELOAD_MS);
  left.addEventListener('abort', () => {
    clearInterval(relearn);
    clearInterval(reload);
  });
  void load();
  return {
    onSettings(/** @type {ReadonlyMap<string, string>} */ now) {
      settings = settingsOf(now);
      search.value = settings.q;
      arrange();
    },
  };

  async function load() {
    try {
      await list.load(left);
      fill(
        above,
        notices([
          ...list.problems,
          ...(list.isCut ? [`The first ${whole(list.sensors.size)} sensors are shown.`] : []),
        ]),
      );
      arrange();
      // Those out of sight have a state too.
      for (const sensor of [...list.sensors.values()].slice(0, 300).reverse()) learn(sensor);
    } catch (error) {
      if (left.aborted) return;
      if (list.sensors.size === 0)
        fill(
          below,
          failed(error, () => void load()),
        );
      setTimeout(() => {
        if (!left.aborted && list.sensors.size === 0) void load();
      }, 3_000);
    }
  }

  /** @param {Sensor} sensor */
  function learn(sensor) {
    list.learn(sensor, left, () => {
      const now = list.sensors.get(sensor.sensorId);
      const row = rows.get(sensor.sensorId);
      if (now === undefined || row === undefined) return;
      row.draw(now);
      row.update(now, Date.now());
    });
  }

  function drawChanged() {
    frame = undefined;
    const nowMs = Date.now();
    for (const id of changed) {
      const sensor = list.sensors.get(id);
      if (sensor !== undefined) rows.get(id)?.update(sensor, nowMs);
    }
    changed.clear();
  }

  /** @param {Partial<ReturnType<typeof settingsOf>>} some */
  function put(some) {
    settings = { ...settings, ...some };
    const { q, state, sort, isDown } = settings;
    set({ q, state, sort: sort === 'sensor' && !isDown ? '' : `${isDown ? '-' : ''}${sort}` });
    shown = ROWS;
    arrange();
  }

  /** @param {string} name */
  function sortBy(name) {
    put({ sort: name, isDown: settings.sort === name && !settings.isDown });
  }

  /** Puts the rows in order: filtered, sorted, and made where they are not there yet. */
  function arrange() {
    const nowMs = Date.now();
    for (const head of heads) {
      const isSorted = head.dataset['column'] === settings.sort && settings.sort !== '';
      if (isSorted) head.setAttribute('aria-sort', settings.isDown ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    }
    count(nowMs);
    const found = wanted([...list.sensors.values()], settings, nowMs);
    const elements = found.slice(0, shown).map((sensor) => {
      let row = rows.get(sensor.sensorId);
      if (row === undefined) {
        row = rowOf(sensor);
        row.draw(sensor);
        row.update(sensor, nowMs);
        rows.set(sensor.sensorId, row);
        visible.observe(row.element);
      }
      return row.element;
    });
    const focused = document.activeElement;
    body.replaceChildren(...elements);
    if (focused instanceof HTMLElement && body.contains(focused)) focused.focus({ preventScroll: true });
    if (list.sensors.size === 0) {
      fill(
        below,
        empty(
          'No readings yet',
          'Start ',
          h('code', {}, 'npm run worker:simulator'),
          ', or send some to the gateway: ',
          h('code', {}, 'POST :8090/ingest'),
          '.',
        ),
      );
    } else if (found.length === 0) {
      fill(
        below,
        empty('No sensor is like that', h('button', { type: 'button', onclick: () => void clear() }, 'Show all')),
      );
    } else fill(below);
  }

  function clear() {
    search.value = '';
    put({ q: '', state: '' });
  }

  /** @param {number} nowMs */
  function count(nowMs) {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const sensor of list.sensors.values()) {
      const state = stateOf(sensor, nowMs);
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    /** @type {readonly (readonly [string, string, number, string])[]} */
    const tiles = [
      /** @type {const} */ (['', 'sensors', list.sensors.size, '']),
      ...STATES.map((state) => /** @type {const} */ ([state, state, counts.get(state) ?? 0, TONES[state]])),
    ].filter(([state, , number]) => state !== 'unknown' || number > 0);
    if (figures.childElementCount !== tiles.length) {
      fill(
        figures,
        tiles.map(([state, text]) =>
          h(
            'button',
            {
              type: 'button',
              'data-state': state,
              onclick: () => void put({ state: settings.state === state ? '' : state }),
            },
            h('span', { class: 'much' }),
            h('span', { class: 'what' }, text),
          ),
        ),
      );
    }
    tiles.forEach(([state, , number, tone], at) => {
      const tile = figures.children[at];
      if (tile === undefined) return;
      tile.className = number > 0 ? tone : '';
      tile.setAttribute('data-state', state);
      tile.setAttribute('aria-pressed', String(settings.state === state));
      const [much, what] = tile.children;
      if (much !== undefined) much.textContent = whole(number);
      if (what !== undefined) what.textContent = state === '' ? 'sensors' : state;
    });
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const row = event.target instanceof Element ? event.target.closest('tr') : null;
    const next =
      event.key === 'ArrowDown' || event.key === 'j'
        ? row?.nextElementSibling
        : event.key === 'ArrowUp' || event.key === 'k'
          ? row?.previousElementSibling
          : null;
    const link = next?.querySelector('a');
    if (!link) return;
    event.preventDefault();
    link.focus();
  }
}

/**
 * @param {ReadonlyMap<string, string>} settings
 */
function settingsOf(settings) {
  const sort = settings.get('sort') ?? 'sensor';
  return {
    q: settings.get('q') ?? '',
    state: settings.get('state') ?? '',
    sort: sort.replace(/^-/, ''),
    isDown: sort.startsWith('-'),
  };
}

/**
 * @param {Sensor[]} sensors
 * @param {ReturnType<typeof settingsOf>} settings
 * @param {number} nowMs
 */
function wanted(sensors, { q, state, sort, isDown }, nowMs) {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const found = sensors.filter((sensor) => {
    if (state !== '' && stateOf(sensor, nowMs) !== state) return false;
    const text = `${sensor.sensorId} ${sensor.measured?.unit ?? ''} ${sensor.forecast?.unit ?? ''}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  /** @type {(sensor: Sensor) => number} */
  const key =
    sort === 'value'
      ? ({ measured }) => Number(measured?.value ?? Number.NaN)
      : sort === 'forecast'
        ? ({ forecast }) => Number(forecast?.value ?? Number.NaN)
        : sort === 'age'
          ? ({ measured }) => (measured === undefined ? Number.NaN : nowMs - measured.atMs)
          : sort === 'cadence'
            ? ({ cadence }) => cadence ?? Number.NaN
            : sort === 'state'
              ? (sensor) => STATES.indexOf(stateOf(sensor, nowMs))
              : () => 0;
  return found.sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    // What is not known stands last, however it is sorted.
    if (Number.isNaN(a) !== Number.isNaN(b)) return Number.isNaN(a) ? 1 : -1;
    const order = a === b || Number.isNaN(a) ? NUMERIC.compare(one.sensorId, other.sensorId) : a - b;
    return isDown ? -order : order;
  });
}

/**
 * @param {Sensor} first
 * @returns {Row}
 */
function rowOf({ sensorId }) {
  const value = h('td', { class: 'value' });
  const forecast = h('td');
  const ageText = h('span');
  const meter = h('i');
  const ageBar = h('div', { class: 'age' }, ageText, h('span', { class: 'meter', 'aria-hidden': 'true' }, meter));
  const line = h('td');
  const cadence = h('td', { class: 'dim' });
  const state = h('span', { class: 'badge' });
  const element = h(
    'tr',
    { 'data-sensor': sensorId },
    h('th', { scope: 'row' }, h('a', { href: hashOf('sensor', sensorId), title: sensorId }, sensorId)),
    value,
    forecast,
    h('td', {}, ageBar),
    line,
    cadence,
    h('td', {}, state),
  );
  let valueShown = '';
  let forecastShown = '';
  return {
    element,
    update(sensor, nowMs) {
      const { measured } = sensor;
      const text = measured === undefined ? '' : `${measured.value} ${measured.unit} ${measured.atMs}`;
      if (text !== valueShown || value.childElementCount === 0) {
        fill(value, quantity(measured?.value, measured?.unit ?? ''));
        if (valueShown !== '') value.firstElementChild?.classList.add('fresh-value');
        valueShown = text;
      }
      const forecastText = sensor.forecast === undefined ? '' : `${sensor.forecast.value} ${sensor.forecast.unit}`;
      if (forecastText !== forecastShown || forecast.childElementCount === 0) {
        fill(forecast, quantity(sensor.forecast?.value, sensor.forecast?.unit ?? ''));
        forecastShown = forecastText;
        forecast.title = sensor.forecast === undefined ? '' : `for ${dateTime(sensor.forecast.atMs)}`;
      }
      const now = stateOf(sensor, nowMs);
      const ageMs = measured === undefined ? undefined : Math.max(0, nowMs - measured.atMs);
      ageText.textContent = age(ageMs);
      // Full when it is stale: each sensor by its own pace.
      const share =
        ageMs === undefined || sensor.cadence === undefined ? 0 : Math.min(1, ageMs / (STALE * sensor.cadence));
      meter.style.setProperty('--share', share.toFixed(3));
      ageBar.className = `age ${TONES[now]}`;
      ageBar.title = measured === undefined ? '' : `measured ${dateTime(measured.atMs)}`;
      state.className = `badge ${TONES[now]}`;
      if (state.textContent !== now) state.textContent = now;
    },
    draw(sensor) {
      if (sensor.means === undefined) fill(line, h('span', { class: 'waiting' }));
      else fill(line, sparkline(sensor.means));
      cadence.textContent = duration(sensor.cadence);
    },
  };
}

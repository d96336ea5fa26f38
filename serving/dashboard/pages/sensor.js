// @ts-check
import { get, token } from '../lib/api.js';
import { announce, fill, h } from '../lib/dom.js';
import { age, clock, dateTime, duration, figure, NARROW, whole } from '../lib/format.js';
import { columnsOf, LENGTHS_MS, resolutionFor, windowsOf } from '../lib/series.js';
import { staleness, TONES } from '../lib/staleness.js';
import { alarmTable } from '../parts/alarm-table.js';
import { choices } from '../parts/choices.js';
import { provenancePanel } from '../parts/provenance.js';
import { quantity } from '../parts/quantity.js';
import { recordDialog, recordsHint, recordsPanel } from '../parts/records.js';
import { loadUPlot, SeriesChart } from '../parts/series-chart.js';
import { empty, failed, loading, notices } from '../parts/states.js';
import { windowTable } from '../parts/window-table.js';

/** @typedef {import('../lib/series.js').Window} Window */

const RANGES = /** @type {const} */ ([
  ['1h', '1 h', 3_600_000],
  ['6h', '6 h', 6 * 3_600_000],
  ['24h', '24 h', 24 * 3_600_000],
  ['7d', '7 d', 7 * 86_400_000],
  ['30d', '30 d', 30 * 86_400_000],
  ['1y', '1 y', 366 * 86_400_000],
]);
const USUAL_RANGE = '6h';
const RESOLUTIONS = /** @type {const} */ ([
  ['', 'Auto'],
  ['minute', 'Minutes'],
  ['hour', 'Hours'],
  ['day', 'Days'],
]);
/** Readings one by one are shown in no longer a time. */
const RAW_SPAN_MS = 75 * 60_000;
const MOST_POINTS = 2_000;
/** Forecasts lie ahead: so much of the time that is shown is to come, at most half an hour. */
const AHEAD_SHARE = 0.06;
const MOST_AHEAD_MS = 30 * 60_000;
/** A chart is drawn anew at most so often, however many revisions come. */
const REFRESH_MS = 1_000;
const SLIDE_MS = 15_000;
const LEAST_SPAN_MS = 60_000;

/** @param {import('../app.js').PageContext} context */
export async function open({ container, address, live, left, set }) {
  const sensorId = address.subject;
  const path = `/api/sensors/${encodeURIComponent(sensorId)}`;
  let settings = settingsOf(address.settings);
  /** @type {any} */
  let latest = { aspects: {}, problems: [] };
  /** @type {readonly string[]} */
  let units = [];
  /** @type {import('../parts/series-chart.js').ChartData | undefined} */
  let data;
  /** @type {number | undefined} */
  let chosen;
  let points = /** @type {import('../parts/series-chart.js').RawPoint[]} */ ([]);
  let asked = 0;

  const now = h('div', { class: 'now' });
  const above = h('div');
  const alarms = h('div');
  const controls = h('header');
  const readout = h('div', { class: 'readout', 'aria-live': 'off' });
  const drawing = h('div', {
    class: 'chart',
    tabindex: 0,
    role: 'group',
    'aria-roledescription': 'chart',
    'aria-label': `Readings of sensor ${sensorId}`,
    onkeydown: onKey,
  });
  const body = h('div', {}, loading('Asking for the windows …'));
  const legendLine = legend();
  const records = h('div');
  const provenance = h('div');
  fill(records, recordsHint());
  const twin = h('details', {}, h('summary', {}, 'The chart as a table'));
  const chartPanel = h('section', { class: 'panel', 'aria-label': 'Chart' }, controls, body, twin);
  fill(container, now, above, alarms, chartPanel, h('div', { class: 'columns' }, records, provenance));
  drawControls();
  drawNow();

  const UPlot = await loadUPlot();
  const chart = new SeriesChart(drawing, UPlot, {
    onCursor: (at) => void readOut(at),
    onZoom: zoom,
    onPick(at, x, y) {
      const point = nearest(x, y);
      if (point !== undefined) recordDialog(point.record);
      else pick(at);
    },
  });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let refresh;
  live.listen(
    {
      onReading(reading) {
        takeReading(reading);
      },
      onWindow(window) {
        if (window.resolution === resolution() && isLive()) soon();
      },
      onAlarm: () => void askAlarms(),
      onReset: () => {
        void askLatest();
        void askAlarms();
        void ask();
      },
    },
    `?kinds=reading,window,alarm&sensors=${encodeURIComponent(sensorId)}`,
  );
  const second = setInterval(drawAges, 1_000);
  const slide = setInterval(() => {
    if (document.hidden) return;
    void askLatest();
    if (isLive()) void ask();
  }, SLIDE_MS);
  const look = () => {
    drawControls();
    drawNow();
    if (data !== undefined) draw();
    chart.restyle();
  };
  addEventListener('powergrid:look', look);
  left.addEventListener('abort', () => {
    clearInterval(second);
    clearInterval(slide);
    clearTimeout(refresh);
    removeEventListener('powergrid:look', look);
    chart.destroy();
  });
  void askLatest();
  void askAlarms();
  void ask();
  return {
    onSettings(/** @type {ReadonlyMap<string, string>} */ next) {
      settings = settingsOf(next);
      drawControls();
      void ask();
    },
  };

  function isLive() {
    return settings.from === undefined;
  }

  function time() {
    if (settings.from !== undefined && settings.to !== undefined) return { fromMs: settings.from, toMs: settings.to };
    const span = (RANGES.find(([name]) => name === settings.range) ?? RANGES[1])[2];
    const nowMs = Date.now();
    return { fromMs: nowMs - span, toMs: nowMs + Math.min(MOST_AHEAD_MS, span * AHEAD_SHARE) };
  }

  function resolution() {
    const { fromMs, toMs } = time();
    return settings.resolution === '' ? resolutionFor(toMs - fromMs) : settings.resolution;
  }

  /** @param {Partial<ReturnType<typeof settingsOf>>} some */
  function put(some) {
    settings = { ...settings, ...some };
    const { range, from, to, unit, resolution: by } = settings;
    set({
      range: range === USUAL_RANGE || from !== undefined ? '' : range,
      from: from === undefined ? '' : new Date(from).toISOString(),
      to: to === undefined ? '' : new Date(to).toISOString(),
      unit,
      resolution: by,
    });
    points = [];
    drawControls();
    void ask();
  }

  function drawControls() {
    fill(
      controls,
      choices(
        'Time',
        RANGES.map(([name, text]) => /** @type {const} */ ([name, text])),
        isLive() ? settings.range : '',
        (range) => {
          put({ range, from: undefined, to: undefined });
        },
      ),
      choices('Windows', RESOLUTIONS, settings.resolution, (value) => {
        put({ resolution: value });
      }),
      units.length < 2
        ? null
        : choices(
            'Unit',
            units.map((unit) => /** @type {const} */ ([unit, unit])),
            unitShown(),
            (unit) => {
              put({ unit });
            },
          ),
      isLive()
        ? null
        : h('button', { type: 'button', onclick: () => void put({ from: undefined, to: undefined }) }, 'Back to now'),
      h('span', { class: 'push' }),
      legendLine,
    );
  }

  function unitShown() {
    return settings.unit !== '' ? settings.unit : (latest.aspects.real_time?.unit ?? units[0] ?? '');
  }

  async function askAlarms() {
    try {
      const answer = await get('/api/alarms', { sensorId, state: 'open' }, left);
      fill(
        alarms,
        answer.alarms.length === 0
          ? null
          : h(
              'section',
              { class: 'panel', 'aria-label': 'Open alarms' },
              h('header', {}, h('h2', {}, 'Open alarms'), h('a', { href: '#/alarms' }, 'All alarms')),
              alarmTable(answer.alarms, {
                label: 'Open alarms of this sensor',
                withSensor: false,
                onAcknowledged: () => void askAlarms(),
              }),
            ),
      );
    } catch {
      // The page of alarms says why, if somebody looks for them.
    }
  }

  async function askLatest() {
    try {
      const answer = await get(`${path}/latest`, {}, left);
      // What came live may be newer than an answer that was under way.
      for (const [aspect, known] of Object.entries(latest.aspects)) {
        const answered = answer.aspects[aspect];
        if (answered === undefined) answer.aspects[aspect] = known;
        else if (Date.parse(known.at) > Date.parse(answered.at))
          answer.aspects[aspect] = { ...answered, ...known, cadenceMs: answered.cadenceMs };
      }
      latest = answer;
      fill(above, notices(latest.problems));
      drawNow();
    } catch {
      // The series says what is wrong, if something is.
    }
  }

  async function ask() {
    clearTimeout(refresh);
    refresh = undefined;
    const mine = ++asked;
    const { fromMs, toMs } = time();
    const by = resolution();
    const query = {
      from: new Date(fromMs - LENGTHS_MS[by]).toISOString(),
      to: new Date(toMs).toISOString(),
      resolution: by,
      limit: 10_000,
    };
    try {
      const [measured, forecast] = await Promise.all([
        get(`${path}/series`, query, left),
        get(`${path}/series`, { ...query, aspect: 'edge_prediction' }, left),
      ]);
      if (mine !== asked) return;
      const all = windowsOf(measured.windows);
      const ahead = windowsOf(forecast.windows);
      const found = [...new Set([...all, ...ahead].map(({ unit }) => unit))].sort();
      if (found.join('\n') !== units.join('\n') && found.length > 0) {
        units = found;
        drawControls();
      }
      const unit = unitShown();
      const columns = columnsOf(
        all.filter((window) => window.unit === unit),
        ahead.filter((window) => window.unit === unit),
        { fromMs, toMs, lengthMs: LENGTHS_MS[by] },
      );
      data = { columns, points, unit, fromMs, toMs };
      fill(provenance, provenancePanel(measured.provenance));
      draw();
      if (toMs - fromMs <= RAW_SPAN_MS && points.length === 0) void askPoints(fromMs, toMs, unit);
    } catch (error) {
      if (left.aborted || mine !== asked) return;
      // What is shown stays; the badge says that nothing new comes.
      if (data === undefined)
        fill(
          body,
          failed(error, () => void ask()),
        );
      refresh = setTimeout(() => void ask(), 3 * REFRESH_MS);
    }
  }

  function soon() {
    refresh ??= setTimeout(() => void ask(), REFRESH_MS);
  }

  /**
   * @param {number} fromMs
   * @param {number} toMs
   * @param {string} unit
   */
  async function askPoints(fromMs, toMs, unit) {
    try {
      const answer = await get(
        `${path}/readings`,
        { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), limit: MOST_POINTS },
        left,
      );
      points = answer.readings
        .filter(
          (/** @type {any} */ record) => record.aspect === 'real_time' && record.unit === unit && record.value !== null,
        )
        .map(pointOf);
      if (data !== undefined && data.unit === unit) {
        data = { ...data, points };
        draw();
      }
    } catch {
      // Windows are shown without them.
    }
  }

  function draw() {
    if (data === undefined) return;
    const known = data.columns.windows.filter((window) => window !== undefined);
    const hasForecast = data.columns.forecast.some((value) => value !== null);
    if (known.length === 0 && !hasForecast) {
      fill(
        body,
        empty(
          'No readings in this time',
          isLive() ? 'Choose a longer time.' : 'Choose another time, or go back to now.',
        ),
      );
      fill(twin, h('summary', {}, 'The chart as a table'));
      return;
    }
    if (drawing.parentElement === null || !body.contains(drawing)) fill(body, readout, drawing);
    chart.show(data);
    const last = known.at(-1);
    drawing.setAttribute(
      'aria-label',
      `Means of sensor ${sensorId} in ${data.unit}, ${known.length} windows from ${dateTime(data.fromMs)} to ${dateTime(data.toMs)}; the last one ${figure(last?.mean)} ${data.unit}. Arrow keys move the cursor, Enter lists the readings of a window.`,
    );
    readOut(undefined);
    const isOpen = twin.open;
    fill(
      twin,
      h('summary', {}, `The chart as a table · ${whole(known.length)} windows`),
      isOpen ? windowTable(data, pick) : null,
      token() === ''
        ? h(
            'div',
            { class: 'body' },
            h('a', { href: csvAddress(), download: `sensor-${sensorId}.csv` }, 'Download as CSV'),
          )
        : null,
    );
    twin.ontoggle = () => {
      if (twin.open && twin.querySelector('table') === null) draw();
    };
  }

  function csvAddress() {
    const { fromMs, toMs } = time();
    return `${path}/series?${new URLSearchParams({ format: 'csv', resolution: resolution(), from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() }).toString()}`;
  }

  /** @param {number | undefined} at */
  function readOut(at) {
    if (data === undefined) return;
    const { columns, unit } = data;
    const row = at ?? columns.windows.findLastIndex((window) => window !== undefined);
    const window = columns.windows[row];
    const forecast = columns.forecast[row];
    const middle = columns.x[row];
    if (middle === undefined) return;
    const startMs = middle * 1_000 - LENGTHS_MS[resolution()] / 2;
    const unitText = h('span', { class: 'unit' }, `${NARROW}${unit}`);
    fill(
      readout,
      h('span', {}, dateTime(startMs).slice(0, resolution() === 'day' ? 10 : 16)),
      window === undefined
        ? h('span', { class: 'dim' }, 'no readings')
        : [
            h(
              'span',
              { title: `${window.mean ?? ''} ${unit}` },
              h('span', { class: 'dim' }, 'mean '),
              h('b', {}, figure(window.mean)),
              unitText,
            ),
            h(
              'span',
              {},
              h('span', { class: 'dim' }, 'least … greatest '),
              `${figure(window.min)} … ${figure(window.max)}`,
              unitText.cloneNode(true),
            ),
            h('span', {}, h('span', { class: 'dim' }, 'readings '), whole(window.count)),
            h('span', {}, window.state),
            h('span', { class: 'dim' }, window.part === 'both' ? 'batch and speed' : `${window.part} layer`),
          ],
      forecast === null || forecast === undefined
        ? null
        : h('span', {}, h('span', { class: 'dim' }, 'forecast '), figure(forecast), unitText.cloneNode(true)),
    );
  }

  /**
   * @param {number} fromMs
   * @param {number} toMs
   */
  function zoom(fromMs, toMs) {
    if (Number.isNaN(fromMs)) {
      put({ from: undefined, to: undefined });
      return;
    }
    const middle = (fromMs + toMs) / 2;
    const half = Math.max(LEAST_SPAN_MS, toMs - fromMs) / 2;
    put({ from: Math.round(middle - half), to: Math.round(middle + half) });
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const { key } = event;
    if (key === 'ArrowLeft' || key === 'ArrowRight') {
      const at = chart.move(key === 'ArrowRight' ? 1 : -1);
      chosen = at;
      readOut(at);
      announce(readout.textContent ?? '');
    } else if (key === 'Enter' && chosen !== undefined) pick(chosen);
    else if (key === '+' || key === '=' || key === '-') {
      const { fromMs, toMs } = time();
      const span = toMs - fromMs;
      const by = key === '-' ? span / 2 : -span / 4;
      zoom(fromMs - by, toMs + by);
    } else if (key === '0') zoom(Number.NaN, Number.NaN);
    else return;
    event.preventDefault();
  }

  /** @param {number} at */
  function pick(at) {
    const window = data?.columns.windows[at];
    if (window === undefined) return;
    fill(records, recordsPanel(path, window, left));
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  function nearest(x, y) {
    if (data === undefined || Number.isNaN(y) || data.points.length === 0) return undefined;
    const spanX = (data.toMs - data.fromMs) / 1_000;
    const values = data.points.map((point) => point.y);
    const spanY = Math.max(...values) - Math.min(...values) || 1;
    let best;
    let least = 0.012;
    for (const point of data.points) {
      const distance = Math.hypot((point.x - x) / spanX, (point.y - y) / spanY / 2.5);
      if (distance < least) {
        least = distance;
        best = point;
      }
    }
    return best;
  }

  /** @param {import('../lib/live.js').Reading} reading */
  function takeReading(reading) {
    const known = latest.aspects[reading.aspect];
    if (known === undefined || Date.parse(known.at) <= Date.parse(reading.at)) {
      latest.aspects[reading.aspect] = { cadenceMs: null, ...known, ...reading };
      drawNow();
    }
    if (reading.aspect === 'real_time' && data !== undefined && reading.unit === data.unit && isLive()) {
      if (
        points.length > 0 &&
        points.length < MOST_POINTS &&
        !points.some(({ record }) => record.correlationId === reading.correlationId)
      ) {
        points = [...points, pointOf({ ...reading, file: null, payload: null, createdAt: null })].sort(
          (a, b) => a.x - b.x,
        );
        data = { ...data, points };
        chart.show(data);
      }
    }
  }

  function drawNow() {
    const { real_time: measured, edge_prediction: forecast } = latest.aspects;
    fill(
      now,
      h('h1', {}, h('span', { class: 'dim' }, 'Sensor '), sensorId),
      measured === undefined ? null : nowReading('Measured', '', measured),
      forecast === undefined ? null : nowReading('Forecast', 'forecast', forecast),
    );
    drawAges();
  }

  /**
   * @param {string} what
   * @param {string} mark
   * @param {any} reading
   */
  function nowReading(what, mark, { value, unit, at, cadenceMs: cadence }) {
    return h(
      'div',
      { class: 'reading' },
      h('div', { class: 'what' }, h('i', { class: `mark ${mark}`, 'aria-hidden': 'true' }), what),
      h('div', { class: 'much' }, quantity(value, unit)),
      h(
        'div',
        { class: 'what' },
        mark === 'forecast'
          ? h('span', {}, `for ${clock(at)}`)
          : [
              h('span', { class: 'badge', 'data-at': at, 'data-cadence': cadence ?? '' }, ''),
              cadence === null ? null : `every ${duration(cadence)}`,
            ],
      ),
    );
  }

  function drawAges() {
    for (const badge of now.querySelectorAll('[data-at]')) {
      const { at = '', cadence = '' } = /** @type {HTMLElement} */ (badge).dataset;
      const ageMs = Math.max(0, Date.now() - Date.parse(at));
      const state = staleness(ageMs, cadence === '' ? undefined : Number(cadence));
      badge.className = `badge ${TONES[state]}`;
      badge.textContent = `${state === 'unknown' ? '' : `${state} · `}${age(ageMs)} old`;
    }
  }
}

/** @param {any} record */
function pointOf(record) {
  return { x: Date.parse(record.at) / 1_000, y: Number(record.value), record };
}

/**
 * @param {ReadonlyMap<string, string>} settings
 */
function settingsOf(settings) {
  const from = Date.parse(settings.get('from') ?? '');
  const to = Date.parse(settings.get('to') ?? '');
  const isTime = from < to;
  const range = settings.get('range') ?? '';
  const by = settings.get('resolution') ?? '';
  return {
    range: RANGES.some(([name]) => name === range) ? range : USUAL_RANGE,
    from: isTime ? from : undefined,
    to: isTime ? to : undefined,
    unit: settings.get('unit') ?? '',
    resolution: /** @type {import('../lib/series.js').Resolution | ''} */ (by in LENGTHS_MS ? by : ''),
  };
}

function legend() {
  /** @type {[string, string][]} */
  const entries = [
    ['', 'mean'],
    ['envelope', 'least … greatest'],
    ['forecast', 'forecast'],
    ['point', 'reading'],
    ['provisional', 'provisional'],
    ['batch', 'batch'],
    ['speed', 'speed'],
  ];
  return h(
    'div',
    { class: 'legend' },
    entries.map(([mark, text]) => h('span', {}, h('i', { class: `mark ${mark}`, 'aria-hidden': 'true' }), text)),
  );
}

// @ts-check
import { figure, NARROW, tick } from '../lib/format.js';
import { seamOf, stretches } from '../lib/series.js';

/**
 * @typedef {typeof import('uplot')} UPlotClass
 * @typedef {import('uplot')} Chart
 *
 * @typedef {object} RawPoint
 * @property {number} x epoch seconds
 * @property {number} y
 * @property {any} record
 *
 * @typedef {object} ChartData
 * @property {import('../lib/series.js').SeriesColumns} columns
 * @property {readonly RawPoint[]} points
 * @property {string} unit
 * @property {number} fromMs
 * @property {number} toMs
 *
 * @typedef {object} ChartListener
 * @property {(at: number | undefined) => void} onCursor row of the columns
 * @property {(fromMs: number, toMs: number) => void} onZoom
 * @property {(at: number, x: number, y: number) => void} onPick
 */

const UPLOT = '/vendor/uplot.js';
const SYNC = 'sensor';
const LANE_PX = 4;
const FONT = '11px Inter, system-ui, sans-serif';
/** Of both charts, so that their times lie under each other. */
const AXIS_PX = 64;

/** @type {Promise<UPlotClass> | undefined} */
let loaded;

/** @returns {Promise<UPlotClass>} */
export function loadUPlot() {
  loaded ??= (async () => {
    const sheet = document.createElement('link');
    sheet.rel = 'stylesheet';
    sheet.href = '/vendor/uplot.css';
    document.head.append(sheet);
    return (await import(UPLOT)).default;
  })();
  loaded.catch(() => {
    loaded = undefined;
  });
  return loaded;
}

/**
 * Windows of a sensor: the mean, what lies between least and greatest, forecasts, and which layer each comes from; below, how many readings there are in each.
 */
export class SeriesChart {
  #element;
  #UPlot;
  #listener;
  /** @type {Chart | undefined} */
  #main;
  /** @type {Chart | undefined} */
  #counts;
  #resize;
  /** @type {ChartData | undefined} */
  #data;
  /** What the data was made of, joined with the points. */
  #rowOf = /** @type {number[]} */ ([]);

  /**
   * @param {HTMLElement} element
   * @param {UPlotClass} UPlot
   * @param {ChartListener} listener
   */
  constructor(element, UPlot, listener) {
    this.#element = element;
    this.#UPlot = UPlot;
    this.#listener = listener;
    this.#resize = new ResizeObserver(() => {
      const width = this.#width();
      if (width === this.#main?.width) return;
      this.#main?.setSize({ width, height: this.#height() });
      this.#counts?.setSize({ width, height: COUNTS_PX });
    });
    this.#resize.observe(element);
  }

  /** @param {ChartData} data */
  show(data) {
    const isSameUnit = this.#data?.unit === data.unit;
    this.#data = data;
    if (this.#main === undefined || this.#counts === undefined || !isSameUnit) this.#make();
    const { columns, points } = data;
    const { x, max, min, settled, provisional, forecast, count, batchCount } = columns;
    const [xs, ...ys] = this.#UPlot.join([
      /** @type {any} */ ([x, max, min, settled, provisional, forecast]),
      /** @type {any} */ ([points.map((point) => point.x), points.map((point) => point.y)]),
    ]);
    const rows = new Map(x.map((time, at) => [time, at]));
    this.#rowOf = Array.from(/** @type {ArrayLike<number>} */ (xs), (time) => rows.get(time) ?? -1);
    const scale = { min: data.fromMs / 1_000, max: data.toMs / 1_000 };
    for (const [chart, values] of /** @type {[Chart | undefined, any][]} */ ([
      [this.#main, [xs, ...ys]],
      [this.#counts, [x, count, batchCount]],
    ])) {
      chart?.batch(() => {
        chart.setData(values, false);
        chart.setScale('x', scale);
      });
    }
  }

  /** Takes on other colours or another zone. */
  restyle() {
    if (this.#data === undefined) return;
    this.#make();
    this.show(this.#data);
  }

  /**
   * Moves the cursor by rows, for keys.
   *
   * @param {number} by
   * @returns {number | undefined} the row
   */
  move(by) {
    const chart = this.#counts;
    const { columns } = this.#data ?? {};
    if (chart === undefined || columns === undefined) return undefined;
    const now = chart.cursor.idx;
    let at = now ?? (by > 0 ? -1 : columns.x.length);
    do at += by;
    while (at > 0 && at < columns.x.length - 1 && columns.windows[at] === undefined);
    at = Math.max(0, Math.min(columns.x.length - 1, at));
    const left = chart.valToPos(columns.x[at] ?? 0, 'x');
    this.#main?.setCursor({ left, top: 10 });
    chart.setCursor({ left, top: 10 });
    return at;
  }

  destroy() {
    this.#resize.disconnect();
    this.#main?.destroy();
    this.#counts?.destroy();
  }

  #make() {
    this.#main?.destroy();
    this.#counts?.destroy();
    const UPlot = this.#UPlot;
    const colours = coloursOf(this.#element);
    const unit = this.#data?.unit ?? '';
    const axis = { stroke: colours.dim, font: FONT, grid: { stroke: colours.line, width: 1 }, ticks: { show: false } };
    const xAxis = {
      ...axis,
      space: 72,
      size: 26,
      values: (/** @type {unknown} */ _chart, /** @type {number[]} */ marks) =>
        marks.map((mark) => tick(mark * 1_000, ((marks[1] ?? mark) - (marks[0] ?? mark)) * 1_000 || 60_000)),
    };
    const common = {
      width: this.#width(),
      legend: { show: false },
      scales: { x: { time: true } },
    };
    /** @param {Chart} chart */
    const cursorOf = (chart) => {
      const { idx } = chart.cursor;
      const at = idx === null || idx === undefined ? undefined : chart === this.#main ? this.#rowOf[idx] : idx;
      this.#listener.onCursor(at === -1 ? undefined : at);
    };
    /** @param {Chart} chart */
    const selected = (chart) => {
      const { left, width } = chart.select;
      if (width < 4) return;
      const from = chart.posToVal(left, 'x') * 1_000;
      const to = chart.posToVal(left + width, 'x') * 1_000;
      chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      this.#listener.onZoom(from, to);
    };
    const drag = { x: true, y: false, setScale: false };
    this.#main = new UPlot(
      {
        ...common,
        padding: [16, 12, 0, 0],
        height: this.#height(),
        cursor: { sync: { key: SYNC }, drag, y: false, points: { size: 6 } },
        series: [
          {},
          { scale: 'y', stroke: 'transparent', points: { show: false } },
          { scale: 'y', stroke: 'transparent', points: { show: false } },
          { scale: 'y', stroke: colours.measured, width: 1.5, points: { show: false } },
          { scale: 'y', stroke: colours.measured, width: 1.5, dash: [3, 3], points: { show: false } },
          { scale: 'y', stroke: colours.forecast, width: 1.25, dash: [6, 4], points: { show: false }, gaps: longGaps },
          {
            scale: 'y',
            paths: () => null,
            stroke: colours.ink,
            points: { show: true, size: 4, width: 0, fill: colours.ink },
          },
        ],
        bands: [{ series: [1, 2], fill: colours.envelope }],
        axes: [
          xAxis,
          {
            ...axis,
            scale: 'y',
            size: AXIS_PX,
            space: 36,
            values: (_chart, marks) =>
              marks.map((mark, at) =>
                at === marks.length - 1 ? `${figureOnAxis(mark)}${NARROW}${unit}` : figureOnAxis(mark),
              ),
          },
        ],
        hooks: {
          drawClear: [(chart) => void this.#drawStates(chart, colours)],
          draw: [(chart) => void this.#drawLayers(chart, colours)],
          setCursor: [cursorOf],
          setSelect: [selected],
          ready: [(chart) => void this.#listenForPicks(chart)],
        },
      },
      [[]],
      this.#element,
    );
    const bars = UPlot.paths.bars?.({ size: [0.85, 60] });
    const steps = UPlot.paths.stepped?.({ align: 1 });
    /** Where bars would be thinner than a pixel, an area with steps. @type {import('uplot').Series.PathBuilder} */
    const paths = (chart, series, from, to) =>
      ((to - from > MOST_BARS ? steps : bars) ?? (() => null))(chart, series, from, to);
    this.#counts = new UPlot(
      {
        ...common,
        padding: [8, 12, 8, 0],
        height: COUNTS_PX,
        cursor: { sync: { key: SYNC }, drag, y: false, points: { show: false } },
        series: [
          {},
          { scale: 'n', stroke: 'transparent', fill: colours.speed, points: { show: false }, paths },
          { scale: 'n', stroke: 'transparent', fill: colours.batch, points: { show: false }, paths },
        ],
        scales: { ...common.scales, n: { range: (_chart, _min, max) => [0, Math.max(1, max) * 1.1] } },
        axes: [
          { ...xAxis, show: false },
          {
            ...axis,
            scale: 'n',
            size: AXIS_PX,
            space: 28,
            incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6],
            values: (_chart, marks) => marks.map((mark) => figureOnAxis(mark)),
          },
        ],
        hooks: { setCursor: [cursorOf], setSelect: [selected], ready: [(chart) => void this.#listenForPicks(chart)] },
      },
      [[]],
      this.#element,
    );
  }

  /** @param {Chart} chart */
  #listenForPicks(chart) {
    let downAt = 0;
    chart.over.addEventListener('mousedown', ({ clientX }) => {
      downAt = clientX;
    });
    chart.over.addEventListener('click', ({ clientX, offsetX, offsetY }) => {
      const { idx } = chart.cursor;
      if (Math.abs(clientX - downAt) > 3 || idx === null || idx === undefined) return;
      const x = chart.posToVal(offsetX, 'x');
      const y = chart === this.#main ? chart.posToVal(offsetY, 'y') : Number.NaN;
      const length = ((this.#data?.columns.x[1] ?? 0) - (this.#data?.columns.x[0] ?? 0)) / 2;
      const at = this.#data?.columns.x.findIndex((middle) => Math.abs(middle - x) <= length) ?? -1;
      if (at !== -1) this.#listener.onPick(at, x, y);
    });
    chart.over.addEventListener('dblclick', () => {
      this.#listener.onZoom(Number.NaN, Number.NaN);
    });
  }

  /**
   * Behind the lines: windows to which readings may still come are hatched.
   *
   * @param {Chart} chart
   * @param {ReturnType<typeof coloursOf>} colours
   */
  #drawStates(chart, colours) {
    const { ctx, bbox } = chart;
    const hatch = hatching(ctx, colours.lineStrong);
    for (const { from, to } of stretches(this.#data?.columns.windows ?? [], ({ state }) =>
      state === 'provisional' ? state : undefined,
    )) {
      const [left, right] = this.#clipped(chart, from, to);
      if (hatch !== null && right > left) {
        ctx.fillStyle = hatch;
        ctx.fillRect(left, bbox.top, right - left, bbox.height);
      }
    }
  }

  /**
   * At the foot: which layer the readings are of, and the seam between the two.
   *
   * @param {Chart} chart
   * @param {ReturnType<typeof coloursOf>} colours
   */
  #drawLayers(chart, colours) {
    const { ctx, bbox } = chart;
    const ratio = devicePixelRatio;
    const windows = this.#data?.columns.windows ?? [];
    ctx.save();
    for (const { kind, from, to } of stretches(windows, ({ part }) => part)) {
      const [left, right] = this.#clipped(chart, from, to);
      if (right <= left) continue;
      const top = bbox.top + bbox.height - LANE_PX * ratio;
      ctx.fillStyle = kind === 'batch' ? colours.batch : colours.speed;
      ctx.fillRect(left, top, right - left, LANE_PX * ratio);
      if (kind === 'both') {
        ctx.fillStyle = colours.batch;
        ctx.fillRect(left, top, right - left, (LANE_PX * ratio) / 2);
      }
    }
    const now = Math.round(chart.valToPos(Date.now() / 1_000, 'x', true));
    if (now > bbox.left && now < bbox.left + bbox.width) this.#drawMark(chart, now, 'now', 'left', colours);
    const seam = seamOf(windows);
    if (seam !== undefined)
      this.#drawMark(chart, Math.round(chart.valToPos(seam, 'x', true)), 'batch ‹ › speed', 'center', colours);
    ctx.restore();
  }

  /**
   * @param {Chart} chart
   * @param {number} at
   * @param {string} text
   * @param {'left' | 'center'} align
   * @param {ReturnType<typeof coloursOf>} colours
   */
  #drawMark({ ctx, bbox }, at, text, align, colours) {
    const ratio = devicePixelRatio;
    if (at < bbox.left || at > bbox.left + bbox.width) return;
    ctx.strokeStyle = colours.dim;
    ctx.lineWidth = ratio;
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, bbox.top + bbox.height);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.font = `${10 * ratio}px Inter, system-ui, sans-serif`;
    ctx.fillStyle = colours.dim;
    ctx.textBaseline = 'top';
    ctx.textAlign = align === 'center' ? 'center' : 'right';
    ctx.fillText(text, at, bbox.top - 13 * ratio);
  }

  /**
   * @param {Chart} chart
   * @param {number} from
   * @param {number} to
   * @returns {[number, number]}
   */
  #clipped(chart, from, to) {
    const { left, width } = chart.bbox;
    return [Math.max(left, chart.valToPos(from, 'x', true)), Math.min(left + width, chart.valToPos(to, 'x', true))];
  }

  #width() {
    const { paddingLeft, paddingRight } = getComputedStyle(this.#element);
    return Math.max(240, Math.floor(this.#element.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight)));
  }

  #height() {
    return innerWidth < 760 ? 240 : 340;
  }
}

const COUNTS_PX = 84;
const MOST_BARS = 300;
/** Forecasts are sparse: only where none came for long is their line broken. */
const LONG_GAP_S = 20 * 60;

/**
 * @param {Chart} chart
 * @param {number} _series
 * @param {number} _from
 * @param {number} _to
 * @param {[number, number][]} gaps in pixels
 */
function longGaps(chart, _series, _from, _to, gaps) {
  const long = chart.valToPos(LONG_GAP_S, 'x', true) - chart.valToPos(0, 'x', true);
  return gaps.filter(([from, to]) => to - from > long);
}

/** @param {number} value */
function figureOnAxis(value) {
  const size = Math.abs(value);
  return size >= 1e6
    ? `${+(value / 1e6).toFixed(2)}M`
    : size >= 1e4
      ? `${+(value / 1e3).toFixed(2)}k`
      : Number.isInteger(value)
        ? String(value)
        : figure(value).replace(/0+$/, '').replace(/\.$/, '');
}

/**
 * The colours of the style sheet, as a canvas takes them.
 *
 * @param {HTMLElement} element
 */
function coloursOf(element) {
  const probe = document.createElement('span');
  element.append(probe);
  const colour = (/** @type {string} */ value) => {
    probe.style.setProperty('color', value);
    return getComputedStyle(probe).color;
  };
  const colours = {
    ink: colour('var(--ink)'),
    dim: colour('var(--dim)'),
    line: colour('var(--line)'),
    lineStrong: colour('var(--line-strong)'),
    measured: colour('var(--measured)'),
    envelope: colour('color-mix(in srgb, var(--measured) 20%, transparent)'),
    forecast: colour('var(--forecast)'),
    batch: colour('var(--batch)'),
    speed: colour('var(--speed)'),
  };
  probe.remove();
  return colours;
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} colour
 */
function hatching(ctx, colour) {
  const size = Math.round(7 * devicePixelRatio);
  const tile = document.createElement('canvas');
  tile.width = size;
  tile.height = size;
  const pen = tile.getContext('2d');
  if (pen === null) return null;
  pen.strokeStyle = colour;
  pen.lineWidth = devicePixelRatio;
  pen.globalAlpha = 0.6;
  for (const shift of [-size, 0, size]) {
    pen.beginPath();
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
    pen.stroke();
  }
  return ctx.createPattern(tile, 'repeat');
}

import colors from 'picocolors';
import type { Config } from '../../../../runtime/config.ts';
import type { ImportState } from '../import/import-state.ts';
import type { SinkSnapshot, Snapshot } from '../observe/observer.ts';
import { bytesText, countText, durationText, plural, rateText, shown } from '../../../../grid/figures.ts';
import { importFigures } from './import-text.ts';
import { momentText } from './moment-text.ts';
import type { Places } from './places.ts';

const LABEL_WIDTH = 10;
const AMOUNT_WIDTH = 24;
const RATE_WIDTH = 10;
const SENSOR_WIDTH = 28;
const VALUE_WIDTH = 20;
const MOST_PROBLEMS = 4;

/**
 * The view on a terminal.
 *
 * @param background what is going on besides, such as servers that are still being set up.
 */
export function liveLines(
  snapshot: Snapshot,
  importState: ImportState,
  places: Places,
  config: Config,
  background: readonly string[],
  nowMs: number = Date.now(),
): string[] {
  return [
    headline(snapshot),
    '',
    row(
      'Kafka',
      `${countText(snapshot.readings)} readings`,
      rateText(snapshot.readingsPerSecond),
      sourcesText(snapshot),
    ),
    ...snapshot.sinks.flatMap((sink) => sinkRow(sink, snapshot, config) ?? []),
    ...setAsideRow(snapshot, config),
    ...historyRow(importState),
    '',
    ...newestRows(snapshot, nowMs),
    '',
    label('Pages') + places.pages.map(([title, url]) => `${title} ${colors.cyan(url)}`).join('   '),
    label('Gateway') + colors.cyan(places.ingestUrl),
    ...(importState.kind === 'off'
      ? []
      : [
          `${label('Hive')}${colors.cyan(places.hive.url)} database ${places.hive.database}`,
          `${label('Legacy')}${places.legacy.share}, found files in HDFS ${places.legacy.directory}, catalogue in MongoDB ${places.legacy.database}`,
        ]),
    label('Metrics') + colors.dim(metricsText(places)),
    ...background.map((text) => label('Also') + colors.dim(text)),
    ...problemRows(snapshot),
  ];
}

function headline(snapshot: Snapshot): string {
  const count = snapshot.problems.length;
  const state = count === 0 ? colors.green('all is well') : colors.yellow(plural(count, 'problem'));
  const restarts = snapshot.workers.reduce((sum, worker) => sum + worker.restarts, 0);
  const hiccups = [
    restarts > 0 ? plural(restarts, 'worker restart') : '',
    snapshot.retries > 0 ? `${countText(snapshot.retries)} ${snapshot.retries === 1 ? 'retry' : 'retries'}` : '',
  ].filter((text) => text !== '');
  const soFar = hiccups.length === 0 ? '' : colors.dim(` (${hiccups.join(', ')} so far)`);
  return `${colors.bold('PowerGrid Lambda')}  ${durationText(snapshot.uptimeMs)}  ${state}${soFar}  ${colors.dim('Ctrl-C stops it')}`;
}

function sourcesText(snapshot: Snapshot): string {
  return snapshot.sources
    .filter(({ name, perSecond }) => perSecond > 0 || name !== 'gateway')
    .map(({ name, perSecond }) => `${sourceTitle(name)} ${rateText(perSecond)}`)
    .join(', ');
}

/** `file:simbench-1.6.3` is what the file source calls itself. */
export function sourceTitle(name: string): string {
  if (name.startsWith('file:simbench')) return 'SimBench';
  return shown(name.replace(/^file:/, ''), 20);
}

function sinkRow(sink: SinkSnapshot, snapshot: Snapshot, config: Config): string | undefined {
  const waiting = sink.waiting === undefined ? '' : `${countText(sink.waiting)} waiting`;
  switch (sink.name) {
    case 'hdfs': {
      const { hdfs } = snapshot;
      const amount = hdfs === undefined ? '–' : `${plural(hdfs.files, 'file')}, ${bytesText(hdfs.bytes)}`;
      const every = colors.dim(`, a file every ${config.HDFS_ROTATE_SECONDS} s`);
      return row('HDFS', amount, rateText(sink.perSecond), waiting === '' ? '' : waiting + every);
    }
    case 'redis':
      return row('Redis', 'newest of each sensor', rateText(sink.perSecond), waiting);
    case 'mongodb':
      return row('MongoDB', `${countText(snapshot.documents)} documents`, rateText(sink.perSecond), waiting);
    case 'windows':
      return row('Windows', 'in PostgreSQL', rateText(sink.perSecond), waiting);
    case 'alarms':
      return row('Alarms', 'on the dashboard', rateText(sink.perSecond), waiting);
    case 'router':
      return row('Router', 'copies by sensor', rateText(sink.perSecond), waiting);
    case 'unorganized':
      // Text from files and port 12345: of interest once there is any.
      return (sink.perSecond ?? 0) > 0 || (sink.waiting ?? 0) > 0
        ? row('Text', 'to HDFS', rateText(sink.perSecond), waiting)
        : undefined;
  }
}

function setAsideRow(snapshot: Snapshot, config: Config): string[] {
  if (snapshot.setAside === 0) return [];
  return [
    label('Unread') + colors.yellow(`${countText(snapshot.setAside)} set aside in Kafka topic ${config.TOPIC_DLQ}`),
  ];
}

function historyRow(importState: ImportState): string[] {
  const figures = importFigures(importState);
  return figures === undefined ? [] : [row('History', figures.amount, figures.rate, figures.rest)];
}

function newestRows(snapshot: Snapshot, nowMs: number): string[] {
  if (snapshot.newest.length === 0) return [label('Newest') + colors.dim('no reading yet')];
  return snapshot.newest.map((reading, index) => {
    const value = `${shown(reading.modality, 12)} ${shown(reading.unit, 8)}`.trim();
    const forecast = reading.aspect === 'edge_prediction' ? colors.dim(' forecast') : '';
    const sensor = shown(reading.sensorId, SENSOR_WIDTH - 2).padEnd(SENSOR_WIDTH);
    const when = momentText(reading.eventTimeMs, nowMs);
    return `${label(index === 0 ? 'Newest' : '')}${sensor}${value.padEnd(VALUE_WIDTH)}${colors.dim(when)}${forecast}`;
  });
}

function metricsText(places: Places): string {
  return places.metricsUrls
    .map((url, index) => (index === 0 ? url : url.replace(/^http:\/\/localhost/, '')))
    .join('  ');
}

function problemRows(snapshot: Snapshot): string[] {
  const { problems } = snapshot;
  const rows = problems
    .slice(0, MOST_PROBLEMS)
    .map((problem) => `${colors.yellow('!')} ${shown(problem.split('\n', 1)[0] ?? '', 500)}`);
  if (problems.length > MOST_PROBLEMS)
    rows.push(colors.dim(`  and ${problems.length - MOST_PROBLEMS} more: see the logs`));
  return rows;
}

function row(name: string, amount: string, rate: string, rest: string): string {
  return `${label(name)}${amount.padEnd(AMOUNT_WIDTH)}${colors.bold(rate.padStart(RATE_WIDTH - 2))}  ${rest}`;
}

function label(text: string): string {
  return colors.dim(text.padEnd(LABEL_WIDTH));
}

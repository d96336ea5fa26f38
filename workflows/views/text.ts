import { bytesText, countText, durationText, plural } from '../../grid/figures.ts';
import type { JobText, ToldTable } from '../job/told.ts';
import type { ChangedWindow, ViewsProgress, ViewsResult } from './contract.ts';

/** How a build of batch views is told. */
export const viewsText = {
  progress({ phase, rebuild, files, bytes, readings }) {
    const amount =
      files === 0 ? '' : ` ${plural(readings, 'reading')} in ${plural(files, 'file')}, ${bytesText(bytes)}`;
    return { title: rebuild ? 'Batch views, all anew' : 'Batch views', headline: `${phase}${amount}` };
  },
  brief: ({ readings, phase }) => ({ amount: readings === 0 ? '' : plural(readings, 'reading'), rest: phase }),
  result(result) {
    if (result.outcome === 'up-to-date') {
      return {
        title: 'Batch views',
        headline: 'nothing new',
        sentences: ['The views hold all readings of HDFS that they can hold now.'],
        tables: [boundaryTable(result)],
      };
    }
    const { windows, counted, durationMs, files, bytes, readings, mended } = result;
    const { computed, changed, gone } = windows;
    return {
      title: result.rebuild ? 'Batch views, all anew' : 'Batch views',
      headline: `${plural(computed, 'window')} of ${plural(counted, 'reading')}: ${countText(windows.new)} new, ${countText(changed)} changed, ${countText(gone)} gone`,
      sentences: [
        `${plural(readings, 'reading')} of ${plural(files, 'file')}, ${bytesText(bytes)}, added up by Hive in ${durationText(durationMs)}.`,
        ...remarks(result),
        ...(mended === 0
          ? []
          : [`${plural(mended, 'window')} that no new reading has touched were wrong, and are right now.`]),
      ],
      tables: [...(result.examples.length === 0 ? [] : [examplesTable(result)]), boundaryTable(result)],
    };
  },
} satisfies JobText<ViewsProgress, ViewsResult>;

function remarks({ duplicates = 0, inexact, otherForms, unreadable }: ViewsResult): string[] {
  return [
    ...(duplicates === 0 ? [] : [`${plural(duplicates, 'reading')} came more than once, and count once.`]),
    ...(inexact === 0 ? [] : [`${plural(inexact, 'value')} do not fit into DECIMAL(38,18), and are in no sum.`]),
    ...(otherForms === 0 ? [] : [`${plural(otherForms, 'reading')} in another than the usual form.`]),
    ...(unreadable === 0 ? [] : [`${plural(unreadable, 'line')} cannot be read, and are in no window.`]),
  ];
}

function examplesTable({ examples, windows }: ViewsResult): ToldTable {
  const all = windows.new + windows.changed + windows.gone;
  return {
    columns: [
      { heading: 'sensor' },
      { heading: 'window' },
      { heading: 'readings', isFigure: true },
      { heading: 'sum', isFigure: true },
      { heading: 'before', isFigure: true },
    ],
    rows: examples.map((one) => [
      `${one.sensorId} ${one.aspect} ${one.unit}`,
      windowText(one),
      one.after === undefined ? 'gone' : countText(one.after.count),
      one.after?.sum ?? '',
      one.before === undefined ? '' : `${countText(one.before.count)}, ${one.before.sum}`,
    ]),
    ...(all > examples.length ? { more: all - examples.length } : {}),
  };
}

function windowText({ resolution, windowStart }: ChangedWindow): string {
  return `${resolution} ${windowStart.slice(0, resolution === 'day' ? 10 : 16).replace('T', ' ')}`;
}

function boundaryTable({ boundary }: ViewsResult): ToldTable {
  return {
    columns: [
      { heading: 'covered' },
      { heading: 'partition', isFigure: true },
      { heading: 'to offset', isFigure: true },
      { heading: 'before', isFigure: true },
    ],
    rows: boundary.map(({ topic, partition, lastOffset, previousOffset }) => [
      topic,
      String(partition),
      countText(lastOffset),
      previousOffset === undefined ? '' : countText(previousOffset),
    ]),
  };
}

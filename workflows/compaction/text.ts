import { bytesText, countText, durationText, plural } from '../../grid/figures.ts';
import type { JobText, ToldTable } from '../job/told.ts';
import type { CompactionProgress, CompactionResult } from './contract.ts';

const TITLE = 'Compaction of readings';

/** How a compaction is told. */
export const compactionText = {
  progress({ phase, files, bytes, readings, days, daysDone }) {
    const amount =
      files === 0 ? '' : ` ${plural(readings, 'reading')} in ${plural(files, 'file')}, ${bytesText(bytes)}`;
    const done = days === 0 ? '' : `, ${countText(daysDone)} of ${plural(days, 'day')}`;
    return { title: TITLE, headline: `${phase}${amount}${done}` };
  },
  brief: ({ readings, phase }) => ({ amount: readings === 0 ? '' : plural(readings, 'reading'), rest: phase }),
  result(result) {
    const { compacted, files, bytes, readings, rewritten, durationMs } = result;
    const whole = `${plural(compacted.readings, 'reading')} of ${plural(compacted.days, 'day')} lie in ${plural(compacted.files, 'file')}, ${bytesText(compacted.bytes)}; their values add up to ${compacted.sum}.`;
    if (result.outcome === 'up-to-date') {
      return { title: TITLE, headline: 'nothing new', sentences: [whole], tables: [boundaryTable(result)] };
    }
    return {
      title: TITLE,
      headline: `${plural(readings, 'reading')} of ${plural(files, 'file')} in ${plural(rewritten.files, 'file')} of ${plural(rewritten.days, 'day')}`,
      sentences: [
        `${bytesText(bytes)} were read, and ${bytesText(rewritten.bytes)} written, in ${durationText(durationMs)}.`,
        ...remarks(result),
        whole,
      ],
      tables: [boundaryTable(result)],
    };
  },
} satisfies JobText<CompactionProgress, CompactionResult>;

function remarks({ duplicates, otherForms, unreadable }: CompactionResult): string[] {
  return [
    ...(duplicates === 0 ? [] : [`${plural(duplicates, 'reading')} came more than once, and are there once.`]),
    ...(otherForms === 0 ? [] : [`${plural(otherForms, 'reading')} in another than the usual form.`]),
    ...(unreadable === 0 ? [] : [`${plural(unreadable, 'line')} cannot be read, and are left out.`]),
  ];
}

function boundaryTable({ topic, boundary }: CompactionResult): ToldTable {
  return {
    columns: [
      { heading: 'covered' },
      { heading: 'partition', isFigure: true },
      { heading: 'to offset', isFigure: true },
      { heading: 'before', isFigure: true },
    ],
    rows: boundary.map(({ partition, lastOffset, previousOffset }) => [
      topic,
      String(partition),
      countText(lastOffset),
      previousOffset === undefined ? '' : countText(previousOffset),
    ]),
  };
}

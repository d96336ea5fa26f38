import { bytesText, countText, durationText, plural } from '../../grid/figures.ts';
import type { JobText } from '../job/told.ts';
import { OUTCOMES, type TableResult, type TablesProgress, type TablesResult } from './contract.ts';

/** Notes that are told. */
const MOST_NOTES = 20;

/** How a build of Hive tables is told. */
export const tablesText = {
  progress: ({ phase, tables }) => ({
    title: 'Tables in Hive',
    headline: `${phase}${tables === 0 ? '' : `, ${plural(tables, 'table')} before`}`,
  }),
  brief: ({ tables, phase }) => ({ amount: tables === 0 ? '' : plural(tables, 'table'), rest: phase }),
  result({ tables, durationMs }) {
    const notes = tables.flatMap(({ name, notes }) => notes.map((note) => `${name}: ${note}.`));
    const more = notes.length > MOST_NOTES ? [`And ${plural(notes.length - MOST_NOTES, 'more note')}.`] : [];
    return {
      title: 'Tables in Hive',
      headline: `${plural(tables.length, 'table')}${outcomesText(tables)}`,
      sentences: [`Looked at in ${durationText(durationMs)}.`, ...notes.slice(0, MOST_NOTES), ...more],
      tables: [
        {
          columns: [
            { heading: 'table' },
            { heading: 'outcome' },
            { heading: 'shows' },
            { heading: 'files', isFigure: true },
            { heading: 'size', isFigure: true },
          ],
          rows: tables.map(({ name, outcome, shows, files, bytes }) => [
            name,
            outcome,
            shownText(shows),
            files === undefined ? '' : countText(files),
            bytes === undefined ? '' : bytesText(bytes),
          ]),
        },
      ],
    };
  },
} satisfies JobText<TablesProgress, TablesResult>;

function outcomesText(tables: readonly TableResult[]): string {
  const parts = OUTCOMES.map(
    (outcome) => [outcome, tables.filter((table) => table.outcome === outcome).length] as const,
  )
    .filter(([, number]) => number > 0)
    .map(([outcome, number]) => `${countText(number)} ${outcome}`);
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`;
}

function shownText(shows: readonly string[]): string {
  const [first = ''] = shows;
  return shows.length < 2 ? first : `${first} and ${countText(shows.length - 1)} more`;
}

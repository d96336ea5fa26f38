import { bytesText, countText, durationText, plural } from '../../grid/figures.ts';
import type { JobText, ToldTable } from '../job/told.ts';
import { OUTCOMES, type DiscoveryProgress, type DiscoveryResult, type Tally } from './contract.ts';

const MOST_ROWS = 20;

/** How a crawl is told. */
export const discoveryText = {
  progress({ root, phase, listed, listingIsComplete, passedOver, tally }) {
    const found = `${plural(listed, 'file')} found${listingIsComplete ? '' : ' so far'}`;
    return {
      title: `Legacy files of ${root === '' ? 'the configured share' : root}`,
      headline: `${phase}: ${found}, ${countText(tally.discovered)} done, members of archives included`,
      sentences: [
        ...(tally.discovered === 0 ? [] : [`${outcomesText(tally)}; ${bytesText(tally.bytes)}.`]),
        ...(passedOver === 0 ? [] : [passedOverText(passedOver)]),
      ],
    };
  },
  brief: ({ tally, phase }) => ({
    amount: tally.discovered === 0 ? '' : plural(tally.discovered, 'file'),
    rest: phase,
  }),
  result(result) {
    const { root, dryRun, discovered, bytes, unseen, unchanged, excluded, passedOver, durationMs, report } = result;
    if (dryRun) {
      return {
        title: `Legacy files of ${root}`,
        headline: `${plural(discovered, 'file')}, ${bytesText(bytes)}, ${countText(unseen)} of them new or changed; nothing was landed`,
        sentences: passedOver === 0 ? [] : [passedOverText(passedOver)],
      };
    }
    return {
      title: `Legacy files of ${root}`,
      headline: `${plural(discovered, 'file')}, ${bytesText(bytes)}: ${outcomesText(result)}`,
      sentences: [
        `Done in ${durationText(durationMs)}; ${countText(result.members)} of them lay in archives, ${countText(unchanged)} were known and unchanged.`,
        ...(result.conserved ? [] : ['These figures do not add up: does another crawl of these files run?']),
        ...(passedOver === 0 ? [] : [passedOverText(passedOver)]),
        ...(excluded === 0 ? [] : [`${countText(excluded)} more were left out, as asked for.`]),
        ...(report === undefined ? [] : [`The report is ${report.html} in HDFS.`]),
      ],
      tables: [classTable(result), reasonTable(result), unknownTable(result)].filter(({ rows }) => rows.length > 0),
    };
  },
} satisfies JobText<DiscoveryProgress, DiscoveryResult>;

function outcomesText(tally: Tally): string {
  return OUTCOMES.filter((outcome) => tally[outcome] > 0 || outcome === 'landed')
    .map((outcome) => `${countText(tally[outcome])} ${outcome}`)
    .join(', ');
}

function passedOverText(passedOver: number): string {
  return `${countText(passedOver)} links, devices and unreadable directories were passed over.`;
}

function classTable({ classes }: DiscoveryResult): ToldTable {
  return table(
    [{ heading: 'class' }, { heading: 'files', isFigure: true }, { heading: 'size', isFigure: true }],
    classes.map((one) => [one.class, countText(one.files), bytesText(one.bytes)]),
  );
}

function reasonTable({ reasons }: DiscoveryResult): ToldTable {
  return table(
    [
      { heading: 'what became of it' },
      { heading: 'why' },
      { heading: 'files', isFigure: true },
      { heading: 'such as' },
    ],
    reasons.map(({ outcome, reason, files, example }) => [outcome, reason, countText(files), example]),
  );
}

function unknownTable({ unknowns }: DiscoveryResult): ToldTable {
  return table(
    [{ heading: 'unknown' }, { heading: 'format' }, { heading: 'files', isFigure: true }, { heading: 'such as' }],
    unknowns.map(({ extension, format, files, example }) => [
      extension === '' ? '(no extension)' : `.${extension}`,
      format,
      countText(files),
      example,
    ]),
  );
}

function table(columns: ToldTable['columns'], rows: ToldTable['rows']): ToldTable {
  const shown = rows.slice(0, MOST_ROWS);
  return { columns, rows: shown, ...(rows.length > shown.length ? { more: rows.length - shown.length } : {}) };
}

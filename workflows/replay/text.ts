import { countText, durationText, plural } from '../../grid/figures.ts';
import type { JobText } from '../job/told.ts';
import type { ReplayProgress, ReplayResult, ReplayTally } from './contract.ts';

/** How a replay is told. */
export const replayText = {
  progress: ({ of, phase, contentsLeft, tally }) => ({
    title: `Replay of ${of === '' ? 'all legacy telemetry' : of}`,
    headline: `${phase}: ${amountText(tally)}, ${plural(contentsLeft, 'file')} to go`,
  }),
  brief: ({ tally, phase }) => ({ amount: plural(tally.sent, 'reading'), rest: phase }),
  result: (result) => ({
    title: 'Replay of legacy telemetry',
    headline: `${result.dryRun ? 'would send ' : ''}${amountText(result)} of ${plural(result.contents, 'file')}`,
    sentences: [
      `${countText(result.sentBefore)} had been sent before, ${countText(result.rejected)} cannot be true or be told, ${countText(result.outOfRange)} lie outside the times asked for.`,
      `Done in ${durationText(result.durationMs)}.`,
    ],
    tables:
      result.reasons.length === 0
        ? []
        : [
            {
              columns: [{ heading: 'not sent' }, { heading: 'readings', isFigure: true }, { heading: 'such as' }],
              rows: result.reasons.map(({ code, readings, example }) => [code, countText(readings), example]),
            },
          ],
  }),
} satisfies JobText<ReplayProgress, ReplayResult>;

function amountText({ sent }: ReplayTally): string {
  return plural(sent, 'reading');
}

import { countText, durationText, plural, shown } from '../../../../grid/figures.ts';
import type { FirstViewsEnd } from '../batch-views/first-views.ts';

const LONGEST_LINE = 700;

/** What is to be said once of the batch views; undefined for nothing. */
export function viewsNews(end: FirstViewsEnd): string | undefined {
  switch (end.kind) {
    case 'interrupted':
      return undefined;
    case 'failed':
      return `The batch views were not built: ${shown(end.message, LONGEST_LINE)} Readings stream on; \`npm run job -- buildBatchViews\` tries again.`;
    case 'done': {
      const { outcome, windows, counted, durationMs } = end.result;
      if (outcome === 'up-to-date') return undefined;
      const { computed, changed } = windows;
      return [
        `Built batch views by Hive in ${durationText(durationMs)}: ${plural(computed, 'window')} of ${plural(counted, 'reading')}, ${countText(windows.new)} new, ${countText(changed)} changed.`,
        '  They lie in PostgreSQL, table batch_view. Add what has come since: npm run job -- buildBatchViews',
      ].join('\n');
    }
  }
}

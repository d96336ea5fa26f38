import { plural } from '../../grid/figures.ts';
import { REPORTS } from '../../grid/reports/reports.ts';
import type { JobText } from '../job/told.ts';
import { answerTold } from '../query/text.ts';
import type { ReportProgress, ReportResult } from './contract.ts';

/** How a report is told. */
export const reportText = {
  progress: ({ report, phase, rows }) => ({
    title: `Report: ${REPORTS[report].title}`,
    headline: rows > 0 ? `${phase}: ${plural(rows, 'row')}` : phase,
  }),
  brief: ({ report, phase, rows }) => ({
    amount: rows === 0 ? '' : plural(rows, 'row'),
    rest: `${REPORTS[report].title}: ${phase}`,
  }),
  result: (result) => answerTold(result, `Report: ${result.title}`),
} satisfies JobText<ReportProgress, ReportResult>;

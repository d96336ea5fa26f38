/** A parameter that not every report takes: a whole number. */
export interface ReportParameter {
  readonly name: 'steps' | 'intervalSeconds';
  readonly summary: string;
  readonly least: number;
  readonly most: number;
  readonly usual: number;
}

/** A report over the readings: SQL of its name in `activities/report/sql/`, run with its parameters. */
export interface Report {
  readonly name: string;
  readonly title: string;
  /** What its rows say. */
  readonly summary: string;
  /** Beside `from`, `to` and `sensors`, which all take. */
  readonly parameters: readonly ReportParameter[];
}

export const REPORT_NAMES = ['peak-per-day', 'daily-load', 'duration-curve', 'completeness', 'forecast-error'] as const;
export type ReportName = (typeof REPORT_NAMES)[number];

/** The reports by name. A new one is an entry here, its name above, and its SQL. */
export const REPORTS: Readonly<Record<ReportName, Omit<Report, 'name'>>> = {
  'peak-per-day': {
    title: 'Peak per day',
    summary: 'for each sensor and day (UTC) the highest and the lowest measurement and when each was first',
    parameters: [],
  },
  'daily-load': {
    title: 'Daily load',
    summary:
      'for each sensor and day (UTC) readings, mean, least and greatest measurement, and the energy: each value holds until the next one, or the end of the day',
    parameters: [],
  },
  'duration-curve': {
    title: 'Duration curve',
    summary:
      'for each sensor the values that were reached or exceeded in a share of its measurements, from the highest to the lowest',
    parameters: [
      { name: 'steps', summary: 'Steps between the highest and the lowest value', least: 1, most: 1_000, usual: 20 },
    ],
  },
  completeness: {
    title: 'Completeness',
    summary:
      'for each sensor and day (UTC) how many measurements came of those that its own cadence (the median distance) lets expect, and the longest gap; days without any between its first and last',
    parameters: [],
  },
  'forecast-error': {
    title: 'Forecast error',
    summary:
      'for each sensor and day (UTC) the error of forecasts (edge_prediction) against measurements (real_time): means of intervals that have both; mean absolute, root mean square, bias',
    parameters: [
      {
        name: 'intervalSeconds',
        summary: 'Length of the intervals, seconds',
        least: 1,
        most: 86_400,
        usual: 900,
      },
    ],
  },
};

import { GridError } from '../../grid/errors.ts';

/** When a schedule starts something, as Temporal is told it. */
export type ScheduleTimes =
  | {
      readonly kind: 'calendar';
      /** Five fields, or seven with seconds before and the year behind. */
      readonly cron: string;
    }
  | { readonly kind: 'interval'; readonly everyMs: number; readonly offsetMs: number };

export interface CronMeaning {
  /** As it was written, without its comment: what tells one from another. */
  readonly expression: string;
  readonly times: ScheduleTimes;
  /** Sentences on what is otherwise in a crontab. */
  readonly notes: readonly string[];
}

const SHORT_FORMS: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);
const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
]);
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
/** In so many years every date has fallen on every day of the week, the 29th of February and a century without one included. */
const YEARS = 60;
const LONGEST = 300;

/**
 * What a cron expression means to Temporal. It differs from a crontab's: what follows `#` is a comment, a sixth field is a year, and day of month
 * and day of week must both hold. What would be read otherwise than it was most likely meant, or would never be due, is refused.
 *
 * @throws GridError `invalid-configuration`: what is wrong, in a sentence without its subject (`is …`, `has …`) as its message
 */
export function cronMeaning(written: string, nowMs: number = Date.now()): CronMeaning {
  if (written.length > LONGEST) throw refused(`is longer than ${LONGEST} characters`);
  const expression = withoutComment(written);
  if (/^(CRON_)?TZ=/i.test(expression)) {
    throw refused('names a time zone; the zone has a variable of its own, whose name ends in _TIME_ZONE');
  }
  if (expression.startsWith('@every')) return { expression, times: intervalOf(expression), notes: [] };
  const cron = expression.startsWith('@') ? SHORT_FORMS.get(expression.toLowerCase()) : expression;
  if (cron === undefined) {
    throw refused(`is none of the short forms ${[...SHORT_FORMS.keys()].join(', ')} and @every <interval>`);
  }
  const fields = fieldsOf(cron);
  if (!isEverDue(fields, nowMs)) throw refused('never comes to pass: there is no such day');
  const isBoth = isRestricted(fields.dayOfMonth) && isRestricted(fields.dayOfWeek);
  const notes = isBoth
    ? [
        `${expression} is due on days on which both hold, the day of the month (${fields.dayOfMonth}) and the day of the week (${fields.dayOfWeek}); in a crontab one of them would do.`,
      ]
    : [];
  return { expression, times: { kind: 'calendar', cron }, notes };
}

function withoutComment(written: string): string {
  const text = written.trim().replaceAll(/\s+/g, ' ');
  const at = text.indexOf('#');
  if (at < 0) return text;
  if (at > 0 && text[at - 1] !== ' ') {
    const [day = 'MON'] = /[A-Za-z0-9]+$/.exec(text.slice(0, at)) ?? [];
    throw refused(
      `has a # in a field: Temporal would take it, and all behind it, as a comment. The first ${day} of a month is 1-7 as its day and ${day} as its day of the week, since both must hold: 0 2 1-7 * ${day}`,
    );
  }
  return text.slice(0, at).trim();
}

/** `@every 3h`, `@every 1d/2h`: an interval, and how long after its multiples since 1970. */
function intervalOf(expression: string): ScheduleTimes {
  const [every = '', offset, ...more] = expression.slice('@every'.length).trim().split('/');
  const everyMs = durationMs(every);
  const offsetMs = offset === undefined ? 0 : durationMs(offset);
  if (everyMs === undefined || everyMs < 1_000 || offsetMs === undefined || offsetMs >= everyMs || more.length > 0) {
    throw refused('is no interval such as @every 3h, @every 1h30m or, two hours after midnight UTC, @every 1d/2h');
  }
  return { kind: 'interval', everyMs, offsetMs };
}

function durationMs(text: string): number | undefined {
  const parts = text.trim().split(/(?<=[dhms])/);
  let sum = 0;
  for (const part of parts) {
    const unitMs = UNITS_MS.get(part.slice(-1));
    if (unitMs === undefined || !/^\d{1,9}$/.test(part.slice(0, -1))) return undefined;
    sum += Number(part.slice(0, -1)) * unitMs;
  }
  return sum;
}

interface Fields {
  readonly dayOfMonth: string;
  readonly month: string;
  readonly dayOfWeek: string;
  readonly year: string;
}

function fieldsOf(cron: string): Fields {
  const fields = cron.split(' ');
  const [minute, hour, dayOfMonth = '', month = '', dayOfWeek = '', year = '*'] =
    fields.length === 7 ? fields.slice(1) : fields;
  const isSixWithYear = fields.length === 6 && /\b\d{4}\b/.test(year);
  if (fields.length === 6 && !isSixWithYear) {
    throw refused(
      'has six fields, of which Temporal would take the last as a year, not the first as seconds. Leave the seconds out, or write seven: seconds, minutes, hours, day, month, day of week, year',
    );
  }
  if (fields.length < 5 || fields.length > 7 || minute === undefined || hour === undefined) {
    throw refused(
      `has ${fields.length} ${fields.length === 1 ? 'field' : 'fields'} instead of five: minutes, hours, day, month, day of week`,
    );
  }
  return { dayOfMonth, month, dayOfWeek, year };
}

function isRestricted(field: string): boolean {
  return field !== '*' && field !== '?' && field !== '*/1';
}

/** Whether there is such a day from this year on. What is not understood here is left to Temporal to refuse. */
function isEverDue({ dayOfMonth, month, dayOfWeek, year }: Fields, nowMs: number): boolean {
  const days = valuesOf(dayOfMonth, 1, 31, []);
  const months = valuesOf(month, 1, 12, MONTHS);
  const weekdays = valuesOf(dayOfWeek, 0, 7, DAYS);
  const years = valuesOf(year, 1970, 2262, []);
  if (days === undefined || months === undefined || weekdays === undefined || years === undefined) return true;
  const first = new Date(nowMs).getUTCFullYear();
  for (const which of years) {
    if (which < first) continue;
    if (year === '*' && which > first + YEARS) break;
    for (const inMonth of months) {
      for (const day of days) {
        const date = new Date(Date.UTC(which, inMonth - 1, day));
        if (date.getUTCMonth() !== inMonth - 1) continue;
        const weekday = date.getUTCDay();
        if (weekdays.has(weekday) || (weekday === 0 && weekdays.has(7))) return true;
      }
    }
  }
  return false;
}

/** Numbers that a field chooses; undefined when it is not understood. */
function valuesOf(
  field: string,
  first: number,
  last: number,
  names: readonly string[],
): ReadonlySet<number> | undefined {
  const values = new Set<number>();
  const number = (text: string): number | undefined => {
    if (/^\d{1,4}$/.test(text)) return Number(text);
    const at = text.length < 3 ? -1 : names.indexOf(text.slice(0, 3).toLowerCase());
    return at < 0 ? undefined : at + first;
  };
  for (const part of field.split(',')) {
    const [range = '', step = '1', ...rest] = part.split('/');
    const [from = '', to, ...more] = range.split('-');
    const isAll = range === '*' || range === '?';
    const start = isAll ? first : number(from);
    const open = part.includes('/') ? last : start;
    const end = isAll ? last : to === undefined ? open : number(to);
    const by = Number(step);
    if (start === undefined || end === undefined || rest.length > 0 || more.length > 0) return undefined;
    if (!Number.isInteger(by) || by < 1 || start < first || end > last || end < start) return undefined;
    for (let value = start; value <= end; value += by) values.add(value);
  }
  return values;
}

function refused(problem: string): GridError {
  return new GridError('invalid-configuration', problem);
}

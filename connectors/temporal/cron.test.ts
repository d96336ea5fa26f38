import { describe, expect, it } from 'vitest';
import { cronMeaning } from './cron.ts';

const NOW_MS = Date.parse('2026-11-27T09:00:00Z');
const meaning = (cron: string) => cronMeaning(cron, NOW_MS);

describe('a cron expression', () => {
  it.each([
    ['0 2 * * *', '0 2 * * *'],
    [' 30  3 * * 1-5 ', '30 3 * * 1-5'],
    ['0 2 * * 7', '0 2 * * 7'],
    ['0 2 * * * # nightly', '0 2 * * *'],
    ['0 2 29 2 *', '0 2 29 2 *'],
    ['0 2 29 feb MON', '0 2 29 feb MON'],
    ['*/10 8-18 * jan-mar Monday,Fri', '*/10 8-18 * jan-mar Monday,Fri'],
    ['0 2 1 1 * 2027', '0 2 1 1 * 2027'],
    ['0 0 2 * * * *', '0 0 2 * * * *'],
    ['0 2 */5 * *', '0 2 */5 * *'],
  ])('%j is what Temporal is told', (written, cron) => {
    expect(meaning(written)).toMatchObject({ expression: cron, times: { kind: 'calendar', cron } });
  });

  it.each([
    ['@daily', '0 0 * * *'],
    ['@hourly', '0 * * * *'],
    ['@weekly # of the week', '0 0 * * 0'],
    ['@monthly', '0 0 1 * *'],
    ['@yearly', '0 0 1 1 *'],
  ])('%j is %s', (written, cron) => {
    expect(meaning(written)).toEqual({
      expression: written.split(' ')[0],
      times: { kind: 'calendar', cron },
      notes: [],
    });
  });

  it.each([
    ['@every 3h', 10_800_000, 0],
    ['@every 1h30m', 5_400_000, 0],
    ['@every 1d/2h', 86_400_000, 7_200_000],
  ])('%j is an interval', (written, everyMs, offsetMs) => {
    expect(meaning(written).times).toEqual({ kind: 'interval', everyMs, offsetMs });
  });

  it('of a day of the month and a day of the week is told to mean both', () => {
    expect(meaning('0 2 1-7 * MON').notes).toEqual([
      '0 2 1-7 * MON is due on days on which both hold, the day of the month (1-7) and the day of the week (MON); in a crontab one of them would do.',
    ]);
    expect(meaning('0 2 1 * *').notes).toEqual([]);
    expect(meaning('0 2 * * MON').notes).toEqual([]);
  });

  it.each([
    ['0 2 * * MON#1', 'has a # in a field: .* The first MON of a month is .*: 0 2 1-7 \\* MON$'],
    ['0 0 2 * * *', 'has six fields, of which Temporal would take the last as a year'],
    ['0 2 31 2 *', 'never comes to pass'],
    ['0 2 30 feb *', 'never comes to pass'],
    ['0 2 31 4,6,9,11 *', 'never comes to pass'],
    ['0 2 1 1 * 2019', 'never comes to pass'],
    ['0 2 30 2 * 2028', 'never comes to pass'],
    ['CRON_TZ=Europe/Berlin 0 2 * * *', '_TIME_ZONE'],
    ['0 2 * *', 'has 4 fields instead of five'],
    ['nightly', 'has 1 field instead of five'],
    ['', 'has 1 field instead of five'],
    ['@fortnightly', 'is none of the short forms'],
    ['@every', 'is no interval'],
    ['@every soon', 'is no interval'],
    ['@every 10ms', 'is no interval'],
    ['@every 1h/2h', 'is no interval'],
    [`0 2 ${'1,'.repeat(500)}1 * *`, 'longer than 300 characters'],
  ])('%j is refused, since it %s', (written, problem) => {
    expect(() => meaning(written)).toThrow(new RegExp(problem));
  });

  it('that is not understood is left to Temporal to refuse', () => {
    expect(meaning('0 99 * * *').times).toEqual({ kind: 'calendar', cron: '0 99 * * *' });
    expect(meaning('0 2 L * *').times).toEqual({ kind: 'calendar', cron: '0 2 L * *' });
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkTimePattern, createdAtText, SeriesClock, timeMs } from './series-time.ts';
import { isTimeZone, TimeZone } from '../../../grid/time-zone.ts';

type Overlap = 'by-order' | 'earlier' | 'later';
const clock = (format: string, timeZone = 'UTC', overlap: Overlap = 'by-order') =>
  new SeriesClock({ format, timeZone, overlap });

function read(text: string, format: string, timeZone?: string): string {
  const result = clock(format, timeZone).read(text);
  return result.ok ? createdAtText(result.time) : result.message;
}

describe('times keep every digit', () => {
  test.each([
    ['1694902173.122458', 'epoch-seconds', '1694902173.122458'],
    ['1694902173.10', 'epoch-seconds', '1694902173.10'],
    ['1694902173', 'epoch-seconds', '1694902173'],
    ['1694902173122', 'epoch-milliseconds', '1694902173.122'],
    ['1694902173122.5', 'epoch-milliseconds', '1694902173.1225'],
    ['2016-01-01T00:00:00Z', 'iso', '1451606400'],
    ['2016-01-01 00:00:00.123456789Z', 'iso', '1451606400.123456789'],
    ['2016-01-01T00:00:00,50+01:00', 'iso', '1451602800.50'],
    ['2016-01-01T00:00-0330', 'iso', '1451619000'],
    ['2016-01-01', 'iso', '1451606400'],
    ['01.01.2016 00:15', 'DD.MM.YYYY HH:mm', '1451607300'],
    ['1/2/2016 3:04:05.678', 'MM/DD/YYYY HH:mm:ss.SSS', '1451703845.678'],
  ])('%s as %s', (text, format, expected) => {
    expect(read(text, format)).toBe(expected);
  });
});

describe('what is no time is said to be none', () => {
  test.each([
    ['31.02.2016 00:00', 'DD.MM.YYYY HH:mm', 'calendar'],
    ['29.02.2015 00:00', 'DD.MM.YYYY HH:mm', 'calendar'],
    ['01.01.2016 24:01', 'DD.MM.YYYY HH:mm', 'calendar'],
    ['2016-01-01', 'DD.MM.YYYY HH:mm', 'format'],
    ['', 'iso', 'format'],
    ['-5', 'epoch-seconds', 'format'],
    ['1694902173122', 'epoch-seconds', 'future'],
    ['86400', 'epoch-seconds', '1990'],
  ])('%j as %s', (text, format, word) => {
    const result = new SeriesClock(
      { format, timeZone: 'UTC', overlap: 'by-order' },
      { latestPlausibleMs: Date.UTC(2100, 0) },
    ).read(text);
    expect(result.ok ? 'a time' : result.message).toContain(word);
  });
});

describe('local times', () => {
  const berlin = 'Europe/Berlin';

  test('follow the clocks of their zone', () => {
    expect(read('01.01.2016 00:00', 'DD.MM.YYYY HH:mm', berlin)).toBe(String(Date.UTC(2015, 11, 31, 23) / 1_000));
    expect(read('01.07.2016 00:00', 'DD.MM.YYYY HH:mm', berlin)).toBe(String(Date.UTC(2016, 5, 30, 22) / 1_000));
    expect(read('2016-07-01T12:00', 'iso', 'Asia/Kathmandu')).toBe(String(Date.UTC(2016, 6, 1, 6, 15) / 1_000));
    expect(read('2016-07-01T12:00', 'iso', '-03:30')).toBe(String(Date.UTC(2016, 6, 1, 15, 30) / 1_000));
  });

  test('that never were, since clocks were set forward over them, are an error that says what to do', () => {
    expect(read('27.03.2016 01:59', 'DD.MM.YYYY HH:mm', berlin)).toBe(String(Date.UTC(2016, 2, 27, 0, 59) / 1_000));
    expect(read('27.03.2016 02:00', 'DD.MM.YYYY HH:mm', berlin)).toContain('+01:00');
    expect(read('27.03.2016 02:59', 'DD.MM.YYYY HH:mm', berlin)).toContain('never was');
    expect(read('27.03.2016 03:00', 'DD.MM.YYYY HH:mm', berlin)).toBe(String(Date.UTC(2016, 2, 27, 1) / 1_000));
  });

  test('that were twice are taken in the order of the rows', () => {
    const rows = ['01:45', '02:00', '02:15', '02:30', '02:45', '02:00', '02:15', '02:30', '02:45', '03:00'];
    const reader = clock('DD.MM.YYYY HH:mm', berlin);
    const moments = rows.map((time) => {
      const result = reader.read(`30.10.2016 ${time}`);
      return result.ok ? timeMs(result.time) : NaN;
    });
    const first = Date.UTC(2016, 9, 29, 23, 45);
    expect(moments).toEqual(rows.map((_time, index) => first + index * 900_000));
  });

  test('that were twice are taken in order also when reading goes on in the middle of them', () => {
    const options = { format: 'DD.MM.YYYY HH:mm', timeZone: berlin, overlap: 'by-order' } as const;
    const second = new SeriesClock(options, { latestMs: Date.UTC(2016, 9, 30, 0, 45) }).read('30.10.2016 02:00');
    expect(second.ok && timeMs(second.time)).toBe(Date.UTC(2016, 9, 30, 1));
    const sameRowTwice = new SeriesClock(options, { latestMs: Date.UTC(2016, 9, 30, 0) }).read('30.10.2016 02:00');
    expect(sameRowTwice.ok && timeMs(sameRowTwice.time)).toBe(Date.UTC(2016, 9, 30, 0));
  });

  test('that were twice are the earlier or the later moment where the mapping says so', () => {
    for (const [overlap, hour] of [
      ['earlier', 0],
      ['later', 1],
    ] as const) {
      const result = clock('DD.MM.YYYY HH:mm', berlin, overlap).read('30.10.2016 02:30');
      expect(result.ok && timeMs(result.time)).toBe(Date.UTC(2016, 9, 30, hour, 30));
    }
  });

  test.each([
    ['29.10.2023 2A:00', Date.UTC(2023, 9, 29, 0)],
    ['29.10.2023 02A:45', Date.UTC(2023, 9, 29, 0, 45)],
    ['29.10.2023 2B:00', Date.UTC(2023, 9, 29, 1)],
    ['29.10.2023 2b:45', Date.UTC(2023, 9, 29, 1, 45)],
    ['28.10.2023 24:00', Date.UTC(2023, 9, 28, 22)],
    ['29.10.2023 24:00', Date.UTC(2023, 9, 29, 23)],
    ['31.12.2023 24:00', Date.UTC(2023, 11, 31, 23)],
  ])('as grid operators write them: %s', (text, ms) => {
    for (const overlap of ['by-order', 'earlier', 'later'] as const) {
      const result = clock('DD.MM.YYYY HH:mm', berlin, overlap).read(text);
      expect(result.ok && timeMs(result.time)).toBe(ms);
    }
  });

  test('a whole autumn day as it is written, in 100 quarters of an hour', () => {
    const hours = ['0', '1', '2A', '2B', ...Array.from({ length: 21 }, (_, index) => String(index + 3))];
    const texts = hours.flatMap((hour) => ['00', '15', '30', '45'].map((minute) => `29.10.2023 ${hour}:${minute}`));
    const reader = clock('DD.MM.YYYY HH:mm', berlin);
    const moments = [...texts.slice(1), '29.10.2023 24:00'].map((text) => {
      const result = reader.read(text);
      return result.ok ? timeMs(result.time) : NaN;
    });
    const first = Date.UTC(2023, 9, 28, 22, 15);
    expect(moments).toEqual(texts.map((_, index) => first + index * 900_000));
  });

  test.each([
    ['2023-12-31T24:00:00+01:00', 'iso', Date.UTC(2023, 11, 31, 23)],
    ['2023-12-31T24:00Z', 'iso', Date.UTC(2024, 0, 1)],
    ['2023-12-31 24:00:00.000', 'iso', Date.UTC(2023, 11, 31, 23)],
    ['2023-10-29 2B:30', 'iso', Date.UTC(2023, 9, 29, 1, 30)],
  ])('%s (%s)', (text, format, ms) => {
    expect(Number(read(text, format, berlin)) * 1_000).toBe(ms);
  });

  test.each([
    ['01.02.2024 25:10', 'no date and time of the calendar'],
    ['01.02.2024 10:61', 'no date and time of the calendar'],
    ['01.02.2024 24:15', 'no date and time of the calendar'],
    ['31.02.2024 24:00', 'no date and time of the calendar'],
    ['01.02.0099 10:00', 'no date and time of the calendar'],
    ['01.02.2024 2A:00', 'was only once in Europe/Berlin'],
    ['29.10.2023 3A:00', 'was only once in Europe/Berlin'],
    ['31.03.2024 2A:00', 'never was in Europe/Berlin'],
    [`01.02.2024 10:00${'0'.repeat(100)}`, 'too long for a time'],
  ])('that are none are refused with a sentence: %s', (text, sentence) => {
    expect(read(text, 'DD.MM.YYYY HH:mm', berlin)).toContain(sentence);
  });

  test.each([
    ['2016-12-31T23:59:60Z', 'is a leap second, which epoch time does not have'],
    ['2023-10-29 2A:30+02:00', 'it has an offset as well'],
    ['2023-10-29T10:00+25:00', 'is no time of the format iso'],
    ['2023-10-29T10:00+01:60', 'is no time of the format iso'],
  ])('that ISO texts do not name either: %s', (text, sentence) => {
    expect(read(text, 'iso', berlin)).toContain(sentence);
  });

  test('of any moment in any zone lead back to that moment', () => {
    const zones = ['Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kolkata', 'Pacific/Apia', 'UTC'];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2037, 0) }),
        (name, ms) => {
          const minute = Math.floor(ms / 60_000) * 60_000;
          const parts = new Intl.DateTimeFormat('en-US', {
            timeZone: name,
            hourCycle: 'h23',
            ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
          }).formatToParts(minute);
          const part = (type: string) => Number(parts.find((candidate) => candidate.type === type)?.value);
          const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
          expect(new TimeZone(name).moments(local)).toContain(minute);
        },
      ),
      { numRuns: 300 },
    );
  });
});

test('patterns need a date, and each part once', () => {
  expect(['iso', 'DD.MM.YYYY', 'YYYY-MM-DD HH:mm:ss.SSS'].map(checkTimePattern)).toEqual([true, true, true]);
  expect(['', 'HH:mm', 'DD.MM.YYYY HH:MM', 'YYYY'].map(checkTimePattern)).toEqual([false, false, false, false]);
});

test('time zones are known by name or offset', () => {
  expect(['Europe/Berlin', 'UTC', '+05:45', 'Mars/Olympus', '', '+25:00', '+01:60'].map(isTimeZone)).toEqual([
    ...[true, true, true],
    ...[false, false, false, false],
  ]);
});

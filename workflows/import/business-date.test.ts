import { TypedSearchAttributes, defineSearchAttributeKey } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { dayIn } from '../../grid/day.ts';
import { businessDate } from './business-date.ts';

const startTime = new Date('2026-03-10T09:00:00Z');
const scheduledStart = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

function info(scheduled?: string, zone?: string) {
  return {
    startTime,
    typedSearchAttributes: new TypedSearchAttributes(
      scheduled === undefined ? [] : [{ key: scheduledStart, value: new Date(scheduled) }],
    ),
    ...(zone === undefined ? {} : { memo: { businessTimeZone: zone } }),
  };
}

describe('the business date', () => {
  it('is what was asked for, whenever the run starts', () => {
    expect(businessDate({ businessDate: '2020-01-31' }, info('2026-03-01T02:00:00Z'))).toBe('2020-01-31');
  });

  it('is that of the run which is taken up', () => {
    expect(businessDate({ resume: '2019-12-31-0123456789ab', businessDate: '2020-01-31' }, info())).toBe('2019-12-31');
  });

  it('is the day that the run was scheduled for, not the one on which it runs', () => {
    expect(businessDate({}, info('2026-03-01T02:00:00Z'))).toBe('2026-03-01');
  });

  it('is a day of the zone in which the schedule was written', () => {
    expect(businessDate({}, info('2026-03-01T23:30:00Z', 'Europe/Berlin'))).toBe('2026-03-02');
    expect(businessDate({}, info('2026-03-01T23:30:00Z', 'America/New_York'))).toBe('2026-03-01');
  });

  it('is the day of the start for a run that nobody scheduled', () => {
    expect(businessDate({}, info())).toBe('2026-03-10');
  });

  it('falls back to UTC for a zone that nobody knows', () => {
    expect(dayIn(new Date('2026-03-01T23:30:00Z'), 'Mars/Olympus')).toBe('2026-03-01');
  });
});

import { expect, test } from 'vitest';
import { NOTHING_SHOWN, type Snapshot } from './snapshot.ts';
import { allViewStatement, daysCondition, offsetsViewStatement } from './view-statements.ts';

const names = { database: 'd', workDatabase: 'w' };
const segment = {
  id: 's1',
  upTo: [{ partition: 0, lastOffset: 9 }],
  days: ['2024-02-29', '2024-03-01'],
  files: 1,
  bytes: 1,
  records: 1,
  otherForms: 0,
  unreadable: 0,
};
const snapshot: Snapshot = {
  ...NOTHING_SHOWN,
  number: 4,
  compaction: 'c1',
  compactedTo: [{ partition: 0, lastOffset: 5 }],
  shownTo: segment.upTo,
  tail: [segment],
};

test('only days of which something has come are looked through for duplicates, and only what lies beyond the vector counts', () => {
  const sql = allViewStatement(names, { snapshot, hasOthers: false, hasImported: true });
  expect(sql).toContain(`WHERE NOT (event_day BETWEEN '2024-02-29' AND '2024-03-01')`);
  expect(sql).toContain('first_offset > CASE kafka_partition WHEN 0 THEN 5L ELSE -1L END');
  expect(sql).toContain(`'readings.shown'='4-none-imported'`);
  expect(sql.match(/readings_imported/g)).toHaveLength(1);
});

test('without a tail the compacted days are read as they are', () => {
  const sql = allViewStatement(names, { snapshot: { ...snapshot, tail: [] }, hasOthers: false, hasImported: false });
  expect(sql).not.toMatch(/ROW_NUMBER|readings_tail|readings_imported/);
});

test('offsets are literals', () => {
  expect(offsetsViewStatement(names, snapshot)).toContain(
    'STRUCT(0, CAST(5 AS BIGINT), CAST(9 AS BIGINT), CAST(4 AS BIGINT))',
  );
});

test('no days are no condition that holds', () => {
  expect(daysCondition([])).toBe('event_day IS NULL');
});

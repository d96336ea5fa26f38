import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { oddReadings } from '../views/odd-readings.ts';
import { CompactionBed } from './compaction-bed.ts';
import { differences, once, readingsIn, rowText, same } from './independent-readings.ts';

let bed: CompactionBed;

beforeAll(async () => {
  bed = await CompactionBed.open();
});
beforeEach(() => bed.clear());
afterAll(() => bed.close());

describe('readings_raw and readings_all', () => {
  it('show what is committed, line by line and each reading once, whatever the readings look like', async () => {
    expect(await bed.refresh()).toMatchObject({ snapshot: 0, shownTo: [] });
    expect(await bed.shown('readings_all')).toEqual([]);
    expect(await bed.shown('readings_raw')).toEqual([]);

    const envelopes = oddReadings(300);
    const half = Math.floor(envelopes.length / 2);
    await bed.commit(envelopes.slice(0, half));
    expect(await bed.refresh()).toMatchObject({ snapshot: 1, shownTo: [{ partition: 0, lastOffset: half - 1 }] });
    await bed.commit(envelopes.slice(half), 0, 'sensor_id={sensor_id}');
    const refreshed = await bed.refresh();
    expect(refreshed.shownTo).toEqual([{ partition: 0, lastOffset: envelopes.length - 1 }]);
    const readings = readingsIn((await bed.files.masterData()).files);
    expect(readings).toHaveLength(envelopes.length);
    const lines = readings.map(rowText);
    expect(differences(await bed.shown('readings_raw'), lines)).toEqual(same(lines));
    const each = once(readings).map(rowText);
    expect(differences(await bed.shown('readings_all'), each)).toEqual(same(each));
    expect(once(readings).length).toBeLessThan(readings.length - 20);

    expect(await bed.refresh()).toEqual({ ...refreshed, newFiles: 0 });
  });
});

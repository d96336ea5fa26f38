import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GridError } from '../../grid/errors.ts';
import { eventually } from '../support/eventually.ts';
import { ImportBed } from './import-bed.ts';

let bed: ImportBed;
beforeAll(async () => {
  bed = await ImportBed.open();
});
beforeEach(() => {
  bed.signals.length = 0;
  bed.onSignal = () => Promise.resolve();
});
afterAll(() => bed.end());

/** Starts a keeper, to be ended by `cancel`. */
function startKeeper() {
  let end: ((reason: 'CANCELLED' | 'WORKER_SHUTDOWN') => void) | undefined;
  let reason: 'CANCELLED' | 'WORKER_SHUTDOWN' | undefined;
  let heartbeats = 0;
  const ended = bed
    .inActivity((activities) => activities.holdSnapshot(bed.run()), {
      onHeartbeat: (_, cancel) => {
        heartbeats++;
        end = cancel;
        if (reason !== undefined) cancel(reason);
      },
    })
    .then(
      () => 'released',
      (error: unknown) => error,
    );
  return {
    ended,
    heartbeats: () => heartbeats,
    cancel: (by: 'CANCELLED' | 'WORKER_SHUTDOWN') => {
      reason = by;
      end?.(by);
      return ended;
    },
  };
}

describe('the keeper of a snapshot', () => {
  it('tells of a snapshot that others can read at, gives signs of life, and lets go when it is cancelled', async () => {
    const table = await bed.createTable('held', 500);
    const keeper = startKeeper();
    const { snapshot } = await eventually('the snapshot is told', () => bed.signals[0]);
    await bed.sql.query('DELETE FROM held');
    await eventually('it gives signs of life', () => keeper.heartbeats() >= 2);
    await bed.copy(bed.run(), table, snapshot);
    expect(bed.takeOutcomes()).not.toHaveLength(0);

    expect(await keeper.cancel('CANCELLED')).toBe('released');
    expect(bed.signals).toHaveLength(1);
    await eventually('its session is gone', async () => (await bed.sourceSessions()).length === 0);
  });

  it('takes another snapshot when its session is cut, and tells of that', async () => {
    const keeper = startKeeper();
    const first = await eventually('a snapshot is told', () => bed.signals[0]);
    await bed.terminateSessions();
    const second = await eventually('another one is told', () => bed.signals[1]);
    expect(second.snapshot.takenAt).not.toBe(first.snapshot.takenAt);
    const reader = await bed.source.read(second.snapshot, new AbortController().signal);
    await reader.close();
    expect(await keeper.cancel('CANCELLED')).toBe('released');
  });

  it('asks for another worker when its own stops, and holds nothing then', async () => {
    const keeper = startKeeper();
    await eventually('a snapshot is told', () => bed.signals[0]);
    expect(await keeper.cancel('WORKER_SHUTDOWN')).toEqual(
      expect.objectContaining({ code: 'shutting-down', retryable: true }),
    );
    await eventually('its session is gone', async () => (await bed.sourceSessions()).length === 0);
  });

  it('holds nothing when nobody could be told', async () => {
    bed.onSignal = () => Promise.reject(new GridError('temporal-unavailable', 'no answer'));
    expect(await startKeeper().ended).toEqual(expect.objectContaining({ code: 'temporal-unavailable' }));
    await eventually('its session is gone', async () => (await bed.sourceSessions()).length === 0);
  });
});

import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WriteBehind } from './write-behind.ts';

/** Writes that end when they are told to. */
function controlled(): { write: (item: number) => Promise<void>; begun: number[]; end: (error?: Error) => void } {
  const begun: number[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const write = (item: number): Promise<void> =>
    new Promise((resolve, reject) => {
      begun.push(item);
      ends.push((error) => {
        if (error === undefined) resolve();
        else reject(error);
      });
    });
  return { write, begun, end: (error) => ends.shift()?.(error) };
}

describe('writing behind', () => {
  it('writes one after the other, in order, and asks to wait when its limit is reached', async () => {
    const { write, begun, end } = controlled();
    const behind = new WriteBehind(write, 2);
    expect(behind.add(1)).toBeUndefined();
    const room = behind.add(2);
    expect(room).toBeInstanceOf(Promise);
    await turn();
    expect(begun).toEqual([1]);
    end();
    await room;
    await turn();
    expect(begun).toEqual([1, 2]);
    expect(behind.room()).toBeUndefined();
    const all = behind.end();
    end();
    await all;
    expect(begun).toEqual([1, 2]);
  });

  it('tells everyone of a failure, and writes nothing after it', async () => {
    const { write, begun, end } = controlled();
    const behind = new WriteBehind(write, 2);
    void behind.add(1);
    const room = behind.add(2);
    await turn();
    end(new Error('full'));
    await expect(room).rejects.toThrow('full');
    await expect(behind.add(3)).rejects.toThrow('full');
    await expect(behind.end()).rejects.toThrow('full');
    expect(begun).toEqual([1]);
  });

  it('has nothing to wait for when nothing was added', async () => {
    await new WriteBehind(() => Promise.resolve(), 1).end();
  });
});

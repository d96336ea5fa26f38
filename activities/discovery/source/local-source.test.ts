import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalSource, pathText } from './local-source.ts';
import type { SourceEntry } from './legacy-source.ts';

const never = new AbortController().signal;
let directory = '';
let source: LocalSource;
const at = (name: string): string => join(directory, 'share', name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'local-source-'));
  mkdirSync(at('below/deep'), { recursive: true });
  source = new LocalSource(Buffer.from(join(directory, 'share')), 1 << 20);
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

async function entries(path = ''): Promise<readonly SourceEntry[]> {
  const found: SourceEntry[] = [];
  for await (const entry of source.list(path)) found.push(entry);
  return found.sort((one, other) => (one.name < other.name ? -1 : 1));
}

describe('a share on this machine', () => {
  it('lists names of any bytes, and what is no file as what it is', async () => {
    mkdirSync(at('odd'));
    writeFileSync(Buffer.concat([Buffer.from(at('odd/')), Buffer.from([0xff, 0x0a])]), 'x');
    writeFileSync(at(`odd/${'y'.repeat(255)}`), 'x');
    symlinkSync('/etc', at('odd/a-link'));
    execFileSync('mkfifo', [at('odd/a-pipe')]);
    expect(await entries('odd')).toEqual([
      { name: '%FF%0A', type: 'file' },
      { name: 'a-link', type: 'symlink' },
      { name: 'a-pipe', type: 'special', special: 'pipe' },
      { name: 'y'.repeat(255), type: 'file' },
    ]);
    const { sha256, bytes } = await source.spool('odd/%FF%0A', join(directory, 'spool'), never);
    expect([sha256.slice(0, 8), bytes?.toString()]).toEqual(['2d711642', 'x']);
  });

  it('copies a file whole, and leaves all its times as they were', async () => {
    const bytes = Buffer.alloc(700_000, 'abc');
    writeFileSync(at('large'), bytes);
    // An access before the last change is what systems with `relatime` renew at the next one.
    utimesSync(at('large'), 1_000_000_000, 1_100_000_000);
    const before = statSync(at('large'), { bigint: true });
    const { stamp } = await source.spool('large', join(directory, 'spool'), never);
    expect(stamp).toEqual(await source.stamp('large'));
    expect(readFileSync(join(directory, 'spool')).equals(bytes)).toBe(true);
    expect(statSync(at('large'), { bigint: true })).toEqual(before);
  });

  it.each([
    ['gone', 'vanished'],
    ['below', 'not-a-file'],
    ['below/none/x', 'vanished'],
    ['x'.repeat(300), 'unreadable'],
  ])('says of %s that it is %s', async (path, reason) => {
    await expect(source.spool(path, join(directory, 'spool'), never)).rejects.toMatchObject({ reason });
    await expect(source.stamp(path)).rejects.toMatchObject({ reason });
  });

  it('does not wait for a pipe that lies where a file was', async () => {
    execFileSync('mkfifo', [at('a-pipe')]);
    await expect(source.spool('a-pipe', join(directory, 'spool'), never)).rejects.toMatchObject({
      reason: 'not-a-file',
    });
  });

  it('does not take more than it is to', async () => {
    writeFileSync(at('too-large'), Buffer.alloc((1 << 20) + 1));
    await expect(source.spool('too-large', join(directory, 'spool'), never)).rejects.toMatchObject({
      reason: 'too-large',
    });
  });

  // Its size is 0, whatever is in it: to a reader, a file that grows all the time.
  it.runIf(existsSync('/proc/self/status'))('gives up a file that is never what it was', async () => {
    const growing = new LocalSource(Buffer.from('/proc/self'), 1 << 20);
    await expect(growing.spool('status', join(directory, 'spool'), never)).rejects.toMatchObject({
      reason: 'changing',
    });
  });

  it('follows links that stay below it', async () => {
    symlinkSync('..', at('below/up'));
    symlinkSync('/', at('below/out'));
    symlinkSync('loop', at('below/loop'));
    symlinkSync('none', at('below/dangling'));
    writeFileSync(at('below/file'), 'x');
    symlinkSync('file', at('below/to-file'));
    expect(await source.follow('below/up')).toEqual({ type: 'directory', identity: await source.identity('') });
    expect(await source.follow('below/out')).toEqual({ type: 'nowhere', reason: 'link-leads-out' });
    expect(await source.follow('below/loop')).toEqual({ type: 'nowhere', reason: 'link-loop' });
    expect(await source.follow('below/dangling')).toEqual({ type: 'nowhere', reason: 'link-dangles' });
    expect(await source.follow('below/to-file')).toEqual({ type: 'file' });
    expect((await source.spool('below/to-file', join(directory, 'spool'), never)).bytes?.toString()).toBe('x');
  });
});

it('a path of bytes is text, name by name', () => {
  expect(pathText(Buffer.from('/a!/b%/c/'))).toBe('/a%21/b%25/c');
  expect(pathText(Buffer.from('/'))).toBe('/');
});

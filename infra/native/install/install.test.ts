import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settingsOf } from '../settings.ts';
import { installOnce } from './installation.ts';
import { readMavenLock, readWheelLock, repositoryPath, verifyFile } from './lock.ts';
import { jarFileName } from './maven.ts';
import { unzip } from './zip.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'powergrid-install-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('the lock files', () => {
  it.each(['kafka', 'hdfs', 'hive', 'mongodb'])(
    'of %s pin every file by hash and size, with names that do not collide',
    (name) => {
      const { jars } = readMavenLock(name);
      expect(jars.length).toBeGreaterThan(10);
      for (const jar of jars) {
        expect(jar.sha256).toMatch(/^[0-9a-f]{64}$/);
        expect(jar.sizeBytes).toBeGreaterThan(0);
      }
      expect(new Set(jars.map(({ coordinates }) => jarFileName(coordinates))).size).toBe(jars.length);
    },
  );

  it.each(['redis', 'postgres', 'temporal'])('of %s pin a wheel for common machines', (name) => {
    const { requirement, wheels } = readWheelLock(name);
    expect(requirement).toMatch(/^[a-z-]+==[\d.]+$/);
    expect(wheels['linux-x64']?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('name files as Maven lays them out', () => {
    expect(repositoryPath('a.b:c:1.2')).toBe('a/b/c/1.2/c-1.2.jar');
    expect(repositoryPath('a.b:c:1.2:tests')).toBe('a/b/c/1.2/c-1.2-tests.jar');
    expect(repositoryPath('a.b:c:1.2:bin@tar.gz')).toBe('a/b/c/1.2/c-1.2-bin.tar.gz');
  });

  it('refuse a file that differs', async () => {
    const path = join(directory, 'file.jar');
    writeFileSync(path, 'what was pinned');
    const sha256 = createHash('sha256').update('what was pinned').digest('hex');
    await expect(verifyFile(path, 'a:b:1', sha256)).resolves.toBeUndefined();
    writeFileSync(path, 'something else');
    await expect(verifyFile(path, 'a:b:1', sha256)).rejects.toMatchObject({ code: 'checksum-mismatch' });
  });
});

describe('an installation', () => {
  const install = (build: (target: string) => Promise<void>): Promise<string> =>
    installOnce(settingsOf({ stackHome: directory, installHome: join(directory, 'install') }), 'thing', 'abc', build);
  const write = (text: string) => (target: string) => {
    writeFileSync(join(target, 'file'), text);
    return Promise.resolve();
  };

  it('is built once', async () => {
    const path = await install(write('first'));
    expect(await install(write('second'))).toBe(path);
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('first');
  });

  it('is not there when its building failed, and is built anew the next time', async () => {
    const fail = (target: string): Promise<void> => {
      writeFileSync(join(target, 'half'), '');
      return Promise.reject(new Error('interrupted'));
    };
    await expect(install(fail)).rejects.toThrow('interrupted');
    expect(existsSync(join(directory, 'install', 'thing-abc'))).toBe(false);
    const path = await install(write('whole'));
    expect(existsSync(join(path, 'half'))).toBe(false);
  });

  it('does not wait for a builder that died', async () => {
    mkdirSync(join(directory, 'install'));
    // No process has this start time.
    symlinkSync(`${process.pid} 1`, join(directory, 'install', 'thing-abc.lock'));
    expect(existsSync(await install(write('whole')))).toBe(true);
  });

  it('is built by one of two that want it at once', async () => {
    let builds = 0;
    const build = (target: string): Promise<void> => {
      builds += 1;
      return write('one')(target);
    };
    expect(new Set(await Promise.all([install(build), install(build)])).size).toBe(1);
    expect(builds).toBe(1);
  });
});

describe('unpacking an archive', () => {
  it('writes the chosen files with their bytes and permissions, and nothing outside the directory', () => {
    const archive = join(directory, 'archive.zip');
    writeFileSync(
      archive,
      zip([
        { name: 'keep/program', text: 'x'.repeat(10_000), mode: 0o755 },
        { name: 'keep/../../escape', text: 'no', mode: 0o644 },
        { name: 'skip', text: 'no', mode: 0o644 },
      ]),
    );
    const target = join(directory, 'target');
    const count = unzip(archive, target, (name) => (name.startsWith('keep/') ? { path: name } : undefined));
    expect(count).toBe(2);
    expect(readFileSync(join(target, 'keep', 'program'), 'utf8')).toBe('x'.repeat(10_000));
    expect(statSync(join(target, 'keep', 'program')).mode & 0o777).toBe(0o755);
    expect(existsSync(join(target, 'escape'))).toBe(true);
    expect(existsSync(join(directory, 'escape'))).toBe(false);
    expect(existsSync(join(target, 'skip'))).toBe(false);
  });

  it('refuses what is no archive', () => {
    const path = join(directory, 'not.zip');
    writeFileSync(path, 'plain text');
    expect(() => unzip(path, directory, (name) => ({ path: name }))).toThrow(/not a zip archive/);
  });

  /** A zip archive by the same appnote, deflated, without checksums. */
  function zip(files: readonly { name: string; text: string; mode: number }[]): Buffer {
    const bodies: Buffer[] = [];
    const entries: Buffer[] = [];
    let offset = 0;
    for (const { name, text, mode } of files) {
      const data = deflateRawSync(text);
      const head = Buffer.alloc(30);
      head.writeUInt32LE(0x04034b50, 0);
      head.writeUInt16LE(8, 8);
      head.writeUInt32LE(data.length, 18);
      head.writeUInt32LE(text.length, 22);
      head.writeUInt16LE(name.length, 26);
      const entry = Buffer.alloc(46);
      entry.writeUInt32LE(0x02014b50, 0);
      entry.writeUInt16LE(8, 10);
      entry.writeUInt32LE(data.length, 20);
      entry.writeUInt32LE(text.length, 24);
      entry.writeUInt16LE(name.length, 28);
      entry.writeUInt32LE((mode << 16) >>> 0, 38);
      entry.writeUInt32LE(offset, 42);
      bodies.push(head, Buffer.from(name), data);
      entries.push(entry, Buffer.from(name));
      offset += head.length + name.length + data.length;
    }
    const directoryBytes = Buffer.concat(entries);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(files.length, 10);
    end.writeUInt32LE(directoryBytes.length, 12);
    end.writeUInt32LE(offset, 16);
    return Buffer.concat([...bodies, directoryBytes, end]);
  }
});

import { describe, expect, test } from 'vitest';
import { GridError } from '../../../grid/errors.ts';
import type { FileStatus } from '../port.ts';
import { lostRefusal, type RefusedWrite } from './lost-refusal.ts';

const broken = new GridError('hdfs-unavailable', 'CREATE /a/b: the connection broke.');

function entry(type: FileStatus['type'], lengthBytes = 0): FileStatus {
  return {
    path: '/a',
    name: 'a',
    type,
    lengthBytes,
    blockSizeBytes: 0,
    replication: 1,
    modifiedAtMs: 0,
    fileId: 1,
    owner: 'me',
    group: 'me',
    permission: '755',
  };
}

function write(entries: Readonly<Record<string, FileStatus>>, options: Partial<RefusedWrite> = {}): RefusedWrite {
  return {
    path: '/a/b',
    createParent: false,
    overwrite: false,
    status: (path) => Promise.resolve(Object.hasOwn(entries, path) ? entries[path] : undefined),
    isWritten: () => Promise.resolve(false),
    ...options,
  };
}

const directory = entry('directory');

describe('what a broken connection hides', () => {
  test.each([
    ['a directory that is missing', write({}), 'hdfs-not-found'],
    ['another file', write({ '/a': directory, '/a/b': entry('file', 3) }), 'hdfs-already-exists'],
    ['a directory of that name', write({ '/a': directory, '/a/b': directory }), 'hdfs-already-exists'],
  ])('is told: %s', async (_, refused, code) => {
    expect(await lostRefusal(broken, refused)).toMatchObject({ code, cause: broken });
  });

  test.each([
    ['nothing is there', write({ '/a': directory })],
    ['parents may be made', write({}, { createParent: true })],
    ['a file without length may be what was cut', write({ '/a': directory, '/a/b': entry('file') })],
    [
      'the file may be the one that was written',
      write({ '/a': directory, '/a/b': entry('file', 3) }, { isWritten: () => Promise.resolve(true) }),
    ],
    ['it may be overwritten', write({ '/a': directory, '/a/b': entry('file', 3) }, { overwrite: true })],
    ['the NameNode is away too', write({}, { status: () => Promise.reject(broken) })],
  ])('stays as it is when %s', async (_, refused) => {
    expect(await lostRefusal(broken, refused)).toBe(broken);
  });

  test('is looked for only behind a broken connection', async () => {
    const denied = new GridError('hdfs-denied', 'no');
    expect(await lostRefusal(denied, write({}))).toBe(denied);
  });
});

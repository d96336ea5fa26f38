import { describe, expect, it } from 'vitest';
import { childOf, encodeHdfsPath, nameOf, parentOf } from './path.ts';

describe('encoding an HDFS path', () => {
  it.each([
    ['/', '/'],
    ['/topics/INGESTION', '/topics/INGESTION'],
    ['/a%3Ab', '/a%253Ab'],
    ['/a b+c', '/a%20b%2Bc'],
    ['/a#b?c&d=e', '/a%23b%3Fc%26d%3De'],
    ['/größe/Ω/😀', '/gr%C3%B6%C3%9Fe/%CE%A9/%F0%9F%98%80'],
    ['/a\\b"c\'d', "/a%5Cb%22c'd"],
    ['/dt=2026-01-01/x', '/dt%3D2026-01-01/x'],
    ['/..a/.b', '/..a/.b'],
  ])('%j becomes %j', (path, expected) => {
    expect(encodeHdfsPath(path)).toBe(expected);
  });

  it('takes as long a path as HDFS does, and no longer one', () => {
    const longest = `/${'ä'.repeat(7_999)}`;
    expect(decodeURIComponent(encodeHdfsPath(longest))).toBe(longest);
    expect(encodeHdfsPath('/a'.repeat(1_000))).toBe('/a'.repeat(1_000));
    for (const path of [`${longest}a`, '/a'.repeat(1_001)]) {
      expect(() => encodeHdfsPath(path)).toThrow(expect.objectContaining({ code: 'hdfs-refused' }));
    }
  });

  it.each(['', 'a', 'a/b', '/a/', '//a', '/a//b', '/.', '/a/./b', '/a/../b', '/..', '/a:b', '/a\0b', '/\ud800'])(
    'refuses %j',
    (path) => {
      expect(() => encodeHdfsPath(path)).toThrow(expect.objectContaining({ code: 'hdfs-refused' }));
    },
  );
});

describe('taking a path apart', () => {
  it('gives the parent, the name and the child', () => {
    expect([parentOf('/a/b'), parentOf('/a'), parentOf('/')]).toEqual(['/a', '/', '/']);
    expect([nameOf('/a/b'), nameOf('/')]).toEqual(['b', '']);
    expect([childOf('/a', 'b'), childOf('/', 'b')]).toEqual(['/a/b', '/b']);
  });
});

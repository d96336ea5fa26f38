import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DASHBOARD, VENDOR_FILES } from './dashboard-files.ts';

const files = readdirSync(DASHBOARD, { recursive: true, encoding: 'utf8' }).filter((name) => /\.\w+$/.test(name));
const read = (name: string): string => readFileSync(join(DASHBOARD, name), 'utf8');
const own = (ending: string): string[] => files.filter((name) => name.endsWith(ending));

function vendor(path: string): Buffer {
  const [name, file] = VENDOR_FILES.get(path) ?? ['', ''];
  return readFileSync(join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), file));
}

describe('the files of the dashboard', () => {
  it('are at most 150 kB of script, compressed', () => {
    const scripts = [...own('.js').map((name) => Buffer.from(read(name))), vendor('/vendor/uplot.js')];
    expect(scripts.reduce((sum, script) => sum + gzipSync(script).length, 0)).toBeLessThan(150_000);
  });

  it('are all there: whatever one of them names', () => {
    const named = files.flatMap((name) =>
      /\.(?:js|css|html)$/.test(name)
        ? [...read(name).matchAll(/(?:from |import\(|href="|src="|url\()['"]?(\.{0,2}\/[\w./-]+\.\w+)/g)].map(
            ([, path = '']) => (path.startsWith('/') ? path : `/${join(dirname(name), path)}`),
          )
        : [],
    );
    expect(named.length).toBeGreaterThan(files.length / 2);
    const there = new Set([...files.map((name) => `/${name}`), ...VENDOR_FILES.keys()]);
    expect(named.filter((path) => !there.has(path))).toEqual([]);
  });

  it('ask no other host for anything, and have no script or style in a page', () => {
    // The only other addresses are names of formats.
    const hosts = files.flatMap((name) => read(name).match(/https?:\/\/(?!www\.w3\.org\/)[^\s'"]+/g) ?? []);
    expect(hosts).toEqual([]);
    for (const name of own('.html')) {
      expect(read(name)).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
    }
  });

  it('put no text into a page as markup', () => {
    for (const name of own('.js'))
      expect(read(name)).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write/);
  });
});

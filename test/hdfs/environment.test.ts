import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { openTestBed, pattern, writeThrough, type TestBed } from './test-bed.ts';

let bed: TestBed;
beforeAll(async () => {
  bed = await openTestBed();
});
afterAll(() => bed.end());
afterEach(() => vi.unstubAllEnvs());

test.each(['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'])(
  'HDFS is reached directly when %s is set',
  async (name) => {
    // The discard port: whatever is sent to this proxy is refused.
    vi.stubEnv(name, 'http://127.0.0.1:9');
    const client = bed.clientWith({ retries: 0 });
    const path = `${bed.directory}/${name}-1`;
    const bytes = pattern(100_000);
    await writeThrough(client, path, bytes);
    expect(await client.rename(path, `${path}-renamed`)).toBe(true);
    expect((await client.readFile(`${path}-renamed`, { maxBytes: bytes.length })).equals(bytes)).toBe(true);
    expect((await client.health()).liveDataNodes).toBeGreaterThan(0);
  },
);

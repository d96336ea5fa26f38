import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GridError } from '../../grid/errors.ts';
import { eventually } from '../support/eventually.ts';
import { REDIS_DATABASES } from '../support/redis-databases.ts';
import { cleanUp, ownNames, post, ServingBed } from './serving-bed.ts';

const { environment } = ownNames('access', REDIS_DATABASES.servingFuzz);
const READER = 'reader-token-0123456789';
const OPERATOR = 'operator-token-0123456789';
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const START = { workflowType: 'countWords', input: {}, confirm: 'something else' };

let directory: string;
const lines: string[] = [];
let bed: ServingBed;
let open: ServingBed;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'access-'));
  const file = join(directory, 'tokens');
  await writeFile(file, `# people\nolga operate sha256:${createHash('sha256').update(OPERATOR).digest('hex')}\n\n`);
  const logger = pino({ level: 'debug' }, { write: (line: string) => lines.push(line) });
  const access = { ACCESS_TOKENS: `rita read ${READER}`, ACCESS_TOKENS_FILE: file };
  const proxy = {
    ACCESS_PROXY_USER_HEADER: 'X-User',
    ACCESS_PROXY_ROLE_HEADER: 'X-Role',
    ACCESS_REQUESTS_PER_SECOND: '2000',
  };
  bed = await ServingBed.start({ ...environment, ...access, ...proxy }, logger);
  open = await ServingBed.start({ ...environment, ACCESS_REQUESTS_PER_SECOND: '2000' });
  await bed.stores.database.migrate();
  // The first connections of a busy machine take their time.
  for (const each of [bed, open]) await eventually('MongoDB', () => each.stores.documents.ping().then(() => true));
});
afterAll(async () => {
  await bed.stop();
  await open.stop();
  await cleanUp(environment);
  await rm(directory, { recursive: true });
});

describe('who may do what', () => {
  it('is nothing without a token, and reading with a reader’s', async () => {
    expect(await bed.ask('/api/reports')).toMatchObject({ status: 401, json: { code: 'not-authenticated' } });
    expect(await bed.ask('/api/events')).toMatchObject({ status: 401 });
    expect(await bed.ask('/api/reports', { headers: bearer(READER) })).toMatchObject({
      status: 200,
      json: { items: [] },
    });
    expect(await bed.ask('/api/audit', { headers: bearer(READER) })).toMatchObject({
      status: 403,
      json: { code: 'not-allowed' },
    });
    expect(await bed.ask('/api/reports', { headers: bearer(`${READER}x`) })).toMatchObject({ status: 401 });
    expect(await bed.ask(`/api/reports?token=${READER}`)).toMatchObject({ status: 401 });
    for (const path of ['/', '/docs', '/openapi.json', '/healthz', '/readyz'])
      expect((await bed.ask(path)).status).toBe(200);
  });

  it('is what a believed proxy says of its users', async () => {
    const asked = (role: string) => bed.ask('/api/audit', { headers: { 'x-user': 'paula', 'x-role': role } });
    expect((await asked('operate')).status).toBe(200);
    expect((await asked('read')).status).toBe(403);
    expect((await asked('admin')).status).toBe(403);
  });

  it('is written down for every change, with its outcome and without a token', async () => {
    expect(await bed.ask('/api/jobs', post(START, bearer(READER)))).toMatchObject({ status: 403 });
    expect(await bed.ask('/api/jobs', post(START, bearer(OPERATOR)))).toMatchObject({
      status: 400,
      json: { code: 'invalid-input' },
    });
    await eventually('the audit log', async () => {
      await bed.ask('/api/jobs', post(START, bearer(OPERATOR)));
      const { json } = await bed.ask('/api/audit', { headers: bearer(OPERATOR) });
      const entries = (json as { items: { who: string; action: string; outcome: string }[] }).items;
      return entries.some(
        ({ who, action, outcome }) => who === 'olga' && action === 'POST /api/jobs' && outcome === 'invalid-input',
      );
    });
    expect(lines.some((line) => line.includes('"who":"olga"'))).toBe(true);
    expect(lines.join('')).not.toMatch(/(?:reader|operator)-token/);
  });

  it('refuses a start on an address of others where nobody is told apart, in one sentence', async () => {
    const started = ServingBed.start({ ...environment, HTTP_HOST: '0.0.0.0' });
    await expect(started).rejects.toThrow(/^Starting the serving API on 0\.0\.0\.0: others can reach that address/);
    await expect(started).rejects.toBeInstanceOf(GridError);
    const wrong = ServingBed.start({ ...environment, ACCESS_TOKENS: 'me operate short-secret' });
    await expect(wrong).rejects.toMatchObject({ code: 'invalid-configuration' });
    await expect(wrong).rejects.not.toThrow(/short-secret/);
  });
});

describe('browsers', () => {
  it('may change nothing in the name of another page, nor reach this machine under a name of others', async () => {
    const foreign = await open.ask('/api/jobs', post(START, { origin: 'https://example.org' }));
    expect(foreign).toMatchObject({ status: 403, json: { code: 'not-allowed' } });
    const own = await open.ask('/api/jobs', post(START, { origin: open.url }));
    expect(own).toMatchObject({ status: 400, json: { code: 'invalid-input' } });
    const plain = await open.ask('/api/jobs', {
      method: 'POST',
      body: JSON.stringify(START),
      headers: { 'content-type': 'text/plain' },
    });
    expect(plain.status).toBe(415);
    expect(await statusUnderName('rebound.example.org')).toBe(403);
    expect(await statusUnderName('localhost')).toBe(200);
  });

  it('are told to run and show nothing that is not ours', async () => {
    const { headers } = await open.ask('/');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect((await open.ask('/docs')).text).not.toMatch(/https?:\/\//);
  });
});

describe('limits', () => {
  it('hold for each address, and for bodies', async () => {
    const limited = await ServingBed.start({ ...environment, ACCESS_REQUESTS_PER_SECOND: '1' });
    await eventually('requests are refused', async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => limited.ask('/healthz')));
      return answers.some(
        ({ status, json }) => status === 429 && (json as { code: string }).code === 'too-many-requests',
      );
    });
    await eventually('requests are taken again', async () => (await limited.ask('/healthz')).status === 200);
    await limited.stop();
    const large = post({ ...START, input: { text: 'x'.repeat(2 << 20) } }, bearer(OPERATOR));
    expect(await bed.ask('/api/jobs', large)).toMatchObject({ status: 413, json: { code: 'request-too-large' } });
  });
});

function statusUnderName(host: string): Promise<number | undefined> {
  return eventually(
    'an answer',
    () =>
      new Promise<number | undefined>((resolve, reject) => {
        http
          .get(
            { port: open.port, host: '127.0.0.1', path: '/healthz', headers: { host }, agent: false },
            (response) => {
              response.resume();
              resolve(response.statusCode);
            },
          )
          .on('error', reject);
      }),
  );
}

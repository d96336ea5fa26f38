import { describe, expect, it } from 'vitest';
import { GridError } from '../../grid/errors.ts';
import { createLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';
import { readinessInTime, type Readiness } from './operations-routes.ts';
import { startOperationsServer } from './operations-server.ts';

const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });

async function withServer<T>(
  readiness: () => Promise<Readiness> | Readiness,
  use: (url: string) => Promise<T>,
): Promise<T> {
  const metrics = createMetrics('test');
  const server = await startOperationsServer({ host: '127.0.0.1', port: 0, metrics, readiness, logger });
  try {
    return await use(`http://127.0.0.1:${server.port}`);
  } finally {
    await server.close();
  }
}

describe('the operations pages', () => {
  it('say that the process runs, whether it is ready, and its metrics', async () => {
    const ready = { ready: true, problems: [] };
    await withServer(
      () => ready,
      async (url) => {
        expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'up' });
        expect(await (await fetch(`${url}/readyz`)).json()).toEqual(ready);
        const metrics = await fetch(`${url}/metrics`);
        expect(metrics.headers.get('content-type')).toContain('text/plain; version=0.0.4');
        expect(await metrics.text()).toContain('process_cpu_seconds_total');
        expect(await (await fetch(`${url}/healthz`, { method: 'POST' })).json()).toMatchObject({
          code: 'method-not-allowed',
        });
      },
    );
  });

  it.each<[string, () => Promise<Readiness> | Readiness, string]>([
    ['is told so', () => ({ ready: false, problems: ['Kafka is away.'] }), 'Kafka is away.'],
    [
      'cannot be told',
      () => Promise.reject(new GridError('kafka-unavailable', 'Asking Kafka: nothing.')),
      'Asking Kafka: nothing.',
    ],
    [
      'fails to tell',
      () => {
        throw new TypeError('undefined is not');
      },
      'Asking whether the process is ready: unexpected undefined is not',
    ],
  ])('answer 503 when readiness %s', async (_what, readiness, problem) => {
    await withServer(readiness, async (url) => {
      const response = await fetch(`${url}/readyz`);
      expect(response.status).toBe(503);
      const { problems } = (await response.json()) as Readiness;
      expect(problems).toEqual([expect.stringContaining(problem)]);
    });
  });

  it('do not wait for readiness for ever', async () => {
    expect(await readinessInTime(() => new Promise(() => undefined), 5)).toEqual({
      ready: false,
      problems: ['Asking whether the process is ready: no answer within 5 ms.'],
    });
  });

  it('of a second worker of a kind are at any free port', async () => {
    const options = {
      host: '127.0.0.1',
      metrics: createMetrics('a'),
      readiness: () => ({ ready: true, problems: [] }),
      logger,
    };
    const first = await startOperationsServer({ ...options, port: 0 });
    await expect(startOperationsServer({ ...options, port: first.port })).rejects.toMatchObject({
      code: 'address-in-use',
    });
    const second = await startOperationsServer({ ...options, port: first.port, orAnyFreePort: true });
    expect(second.port).not.toBe(first.port);
    await Promise.all([first.close(), second.close()]);
  });
});

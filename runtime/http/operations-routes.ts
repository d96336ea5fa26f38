import type { FastifyInstance } from 'fastify';
import { asGridError } from '../../grid/errors.ts';
import type { Registry } from '../metrics.ts';
import { orLate } from '../waiting/time-limit.ts';

/** Whether a process can do its work now; `problems` names what is missing, in sentences. */
export interface Readiness {
  readonly ready: boolean;
  readonly problems: readonly string[];
}

export interface OperationsRoutesOptions {
  readonly metrics: Pick<Registry, 'contentType' | 'metrics'>;
  readonly readiness: () => Promise<Readiness> | Readiness;
}

/** Whoever probes gives up sooner or later; what is not known by then is not ready. */
const READINESS_LIMIT_MS = 10_000;

/**
 * Adds what operators and orchestrators ask of any process: `/healthz` (it runs), `/readyz` (it can do its work, else 503 and
 * the reasons), `/metrics` (Prometheus text format).
 */
export function addOperationsRoutes(server: FastifyInstance, options: OperationsRoutesOptions): void {
  const { metrics } = options;
  server.get('/healthz', () => ({ status: 'up' }));
  server.get('/readyz', async (_request, reply) => {
    const readiness = await readinessInTime(options.readiness);
    return reply.code(readiness.ready ? 200 : 503).send(readiness);
  });
  server.get('/metrics', async (_request, reply) =>
    reply.header('content-type', metrics.contentType).send(await metrics.metrics()),
  );
}

/** Asks whether a process is ready: an answer that fails or does not come is a problem of its own. */
export async function readinessInTime(
  ask: OperationsRoutesOptions['readiness'],
  limitMs = READINESS_LIMIT_MS,
): Promise<Readiness> {
  try {
    const asked = await orLate(limitMs, (async () => ask())());
    if (!asked.late) return asked.value;
    return { ready: false, problems: [`Asking whether the process is ready: no answer within ${limitMs} ms.`] };
  } catch (error) {
    return { ready: false, problems: [asGridError(error, 'Asking whether the process is ready').message] };
  }
}

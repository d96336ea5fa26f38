import { z } from 'zod';
import { parsePrometheusText, type Sample } from './prometheus-text.ts';

/** What a worker tells of itself. */
export interface WorkerPage {
  readonly samples: readonly Sample[];
  /** What keeps it from doing its work, in sentences. */
  readonly problems: readonly string[];
}

const TIMEOUT_MS = 3_000;
const readiness = z.object({ problems: z.array(z.string()) });

/** Asks a worker's operations server; rejects when it does not answer. */
export async function readWorkerPage(operationsUrl: string): Promise<WorkerPage> {
  const [metrics, ready] = await Promise.all([get(`${operationsUrl}/metrics`), get(`${operationsUrl}/readyz`)]);
  const answer = readiness.safeParse(JSON.parse(ready));
  return { samples: parsePrometheusText(metrics, 'powergrid_'), problems: answer.success ? answer.data.problems : [] };
}

async function get(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  return response.text();
}

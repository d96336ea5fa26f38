import type { WorkflowExecutionInfo } from '@temporalio/client';
import { z } from 'zod';
import type { TemporalClient } from '../../connectors/temporal/client.ts';
import type { ImportPhase } from '../../workflows/import/contract.ts';

const QUERY_TIMEOUT_MS = 5_000;
const MOST_REASONS = 3;
const WAITING: ImportPhase = 'waiting for retryFailed';

/** As much of `ImportProgress` as it takes; other workflows answer as they like. */
const progressSchema = z.looseObject({
  phase: z.string(),
  tables: z.array(
    z.looseObject({
      table: z.looseObject({ schema: z.string(), name: z.string() }),
      state: z.string(),
      reason: z.string().optional(),
    }),
  ),
});

/** Why a running workflow waits for the signal `retryFailed`; undefined when it does not. */
export async function waitingReason(
  client: TemporalClient,
  { workflowId, runId }: Pick<WorkflowExecutionInfo, 'workflowId' | 'runId'>,
): Promise<string | undefined> {
  const answer: unknown = await client.call(
    `Asking ${workflowId} for its progress`,
    (sdk) => sdk.workflow.getHandle(workflowId, runId).query<unknown>('progress'),
    { timeoutMs: QUERY_TIMEOUT_MS },
  );
  const progress = progressSchema.safeParse(answer);
  if (!progress.success || progress.data.phase !== WAITING) return undefined;
  const parked = progress.data.tables.filter(({ state }) => state === 'parked');
  const reasons = parked
    .slice(0, MOST_REASONS)
    .map(({ table, reason }) => `${table.schema}.${table.name}: ${reason ?? 'parked'}`);
  const more = parked.length > reasons.length ? [`and ${parked.length - reasons.length} more tables`] : [];
  return [...reasons, ...more].join('; ');
}

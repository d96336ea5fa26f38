import { log } from '@temporalio/workflow';
import { z } from 'zod';

const snapshot = z.object({ id: z.string(), position: z.string(), takenAt: z.string() });

/** Payloads of the signals of `messages.ts`. */
export const signalPayloads = {
  snapshotTaken: z.object({ snapshot }),
  snapshotLost: snapshot,
  tablesProgressed: z.array(
    z.tuple([
      z.int(),
      z.object({
        state: z.enum([
          'waiting',
          'planned',
          'copying',
          'copied',
          'publishing',
          'published',
          'unchanged',
          'parked',
          'gone',
        ]),
        splits: z.number(),
        splitsDone: z.number(),
        estimatedRows: z.number(),
        rows: z.number(),
        textBytes: z.number(),
        reason: z.string().exactOptional(),
      }),
    ]),
  ),
} as const;

/** Handles a signal whose payload is as it should be. Anybody can send one; what cannot be read must not stop the workflow. */
export function checked<T>(schema: z.ZodType<T>, handle: (payload: T) => Promise<void> | void) {
  return (payload: unknown): Promise<void> | void => {
    const parsed = schema.safeParse(payload);
    if (parsed.success) return handle(parsed.data);
    log.warn('a signal is ignored, since it cannot be read', { problem: z.prettifyError(parsed.error) });
  };
}

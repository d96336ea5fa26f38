import { log } from '@temporalio/workflow';
import { z } from 'zod';

/** Handles a signal whose payload is as it should be. Anybody can send one; what cannot be read must not stop the workflow. */
export function checked<T>(schema: z.ZodType<T>, handle: (payload: T) => Promise<void> | void) {
  return (payload: unknown): Promise<void> | void => {
    const parsed = schema.safeParse(payload);
    if (parsed.success) return handle(parsed.data);
    log.warn('a signal is ignored, since it cannot be read', { problem: z.prettifyError(parsed.error) });
  };
}

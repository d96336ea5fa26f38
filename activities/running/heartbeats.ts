import { Context } from '@temporalio/activity';
import { endOfCancelled } from './cancellation.ts';

/** A cancellation comes with the answer to a heartbeat, so this is how long a released snapshot holds up what follows. */
const HEARTBEAT_MS = 250;

/** Runs the body of an activity with heartbeats, by which it also hears that it is cancelled. */
export async function withHeartbeats<T>(body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  const beating = setInterval(() => {
    context.heartbeat();
  }, HEARTBEAT_MS);
  try {
    return await body(context.cancellationSignal);
  } catch (error) {
    throw endOfCancelled(context.cancellationSignal) ?? error;
  } finally {
    clearInterval(beating);
  }
}

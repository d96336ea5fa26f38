import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';

/** One event of Flume's JSON handler. */
export interface FlumeEvent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const eventsSchema = z.array(z.object({ headers: z.record(z.string(), z.string()).nullish(), body: z.string() }));

/**
 * Reads what Flume's HTTP source takes by default: `[{"headers":{"name":"value"},"body":"text"}, …]`.
 *
 * @throws GridError `malformed-json`, `malformed-source-data` with the place that is wrong.
 */
export function flumeEvents(body: Buffer): FlumeEvent[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new GridError(
      'malformed-json',
      `Reading the events: the body is not valid JSON (${error instanceof Error ? error.message : String(error)}). Send plain lines with Content-Type text/plain.`,
      { cause: error },
    );
  }
  const events = eventsSchema.safeParse(parsed);
  if (!events.success) {
    const issue = events.error.issues[0];
    throw new GridError(
      'malformed-source-data',
      `Reading the events: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}. A JSON body is [{"headers":{},"body":"text"}]; send plain lines, JSON lines too, with Content-Type text/plain.`,
    );
  }
  return events.data.map(({ headers, body: text }) => ({ headers: headers ?? {}, body: text }));
}

import { decodeEnvelope } from '../../grid/envelope.ts';
import type { Reading } from '../../grid/reading.ts';

/** What was let into Redis was judged then; only its form matters now. */
const LIMITS = { maxBytes: 64 << 20, maxAheadMs: Number.MAX_SAFE_INTEGER, stored: true } as const;

/** The reading of an envelope that lies in a store; undefined for what is none. */
export function storedReading(envelope: string): Reading | undefined {
  const decoded = decodeEnvelope(Buffer.from(envelope), 0, LIMITS);
  return decoded.ok ? decoded.reading : undefined;
}

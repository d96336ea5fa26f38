import { setImmediate as nextTurn } from 'node:timers/promises';
import { decodeEnvelope, type DecodeLimits, type Rejection } from '../../../grid/envelope.ts';
import { GridError } from '../../../grid/errors.ts';
import type { ByteBudget } from '../../../runtime/byte-budget.ts';
import type { ProducedRecord } from '../../../connectors/kafka/produce/record-producer.ts';
import { DetailedError } from '../../../runtime/http/http-server.ts';
import { busy } from '../../../runtime/http/request-body.ts';
import type { BodyFormat } from './body-format.ts';
import { parseLineProtocol } from './line-protocol.ts';
import { lineReadings, type Precision } from './line-readings.ts';
import type { RecentReadings } from './recent-readings.ts';
import { jsonRecords, lineRecords } from './split-records.ts';

/** A rejected record, by its position among the records of the request, from 0. */
export interface RejectedRecord extends Rejection {
  readonly index: number;
}

/** A body that was read: what is to be written, and what is not. */
export interface ReadBody {
  readonly records: readonly ProducedRecord[];
  /** Of `records`, in the same order; to be added to the window once they are acknowledged. */
  readonly digests: readonly string[];
  readonly duplicates: number;
  readonly rejected: readonly RejectedRecord[];
}

export interface AcceptOptions {
  readonly limits: DecodeLimits;
  readonly maxRecords: number;
  /** Bytes that the envelopes made of one body of line protocol may have together. */
  readonly maxEnvelopeBytes: number;
  readonly recent: RecentReadings;
  /** Rejections are memory too: they are counted against it until the request is answered. */
  readonly budget: ByteBudget;
}

type Candidate =
  | { readonly index: number; readonly bytes: Buffer; readonly rejection?: undefined }
  | { readonly index: number; readonly rejection: Rejection };

/** Between slices of a large body others get their turn. */
const SLICE_RECORDS = 1_000;
/** Bytes a rejection is counted with beside its message, as an object and as a reply. */
const REJECTION_BYTES = 256;
const TAKEN_AT_ONCE_BYTES = 65_536;

/**
 * Reads a body: cuts it into records, checks each, and leaves out those written lately. Nothing has been written
 * when it throws.
 *
 * @param onTaken called with bytes that were taken from the budget, which the caller gives back when the request is answered.
 * @throws GridError `malformed-json` when the body as a whole is nothing that could be read; `request-too-large` for more than
 *   `maxRecords` records, or more than `maxEnvelopeBytes` made of it; `producer-queue-full` when too much memory is in use.
 */
export async function readRecords(
  body: Buffer,
  format: BodyFormat,
  precision: Precision,
  options: AcceptOptions,
  onTaken: (bytes: number) => void,
): Promise<ReadBody> {
  const { limits, maxRecords, recent, budget } = options;
  const take = (bytes: number): void => {
    if (!budget.tryTake(bytes)) throw busy(budget);
    onTaken(bytes);
  };
  const receivedAtMs = Date.now();
  const records: ProducedRecord[] = [];
  const digests: string[] = [];
  const inRequest = new Set<string>();
  const rejected: RejectedRecord[] = [];
  let duplicates = 0;
  let count = 0;
  let madeBytes = 0;
  let takenBytes = 0;

  for (const candidate of candidates(body, format, precision, receivedAtMs, maxRecords)) {
    if (++count > maxRecords) {
      throw new GridError(
        'request-too-large',
        `Reading the body: it has more than ${maxRecords} records. Nothing of it was stored; send it in several requests.`,
      );
    }
    if (count % SLICE_RECORDS === 0) await nextTurn();
    let rejection = candidate.rejection;
    if (candidate.rejection === undefined) {
      if (format === 'line-protocol') {
        // A short field of a long line makes a long envelope: they are memory beside the body.
        madeBytes += candidate.bytes.length;
        if (madeBytes > options.maxEnvelopeBytes) throw madeTooMuch(options.maxEnvelopeBytes);
        if (madeBytes - takenBytes >= TAKEN_AT_ONCE_BYTES) {
          take(madeBytes - takenBytes);
          takenBytes = madeBytes;
        }
      }
      const decoded = decodeEnvelope(candidate.bytes, receivedAtMs, limits);
      if (decoded.ok) {
        const digest = recent.digest(candidate.bytes);
        if (digest !== '' && (recent.has(digest) || inRequest.has(digest))) {
          duplicates++;
        } else {
          inRequest.add(digest);
          digests.push(digest);
          records.push({ key: decoded.reading.sensorId, value: candidate.bytes });
        }
        continue;
      }
      rejection = decoded.rejection;
    }
    if (rejection !== undefined) {
      take(REJECTION_BYTES + 2 * (rejection.message.length + (rejection.field?.length ?? 0)));
      rejected.push({ index: candidate.index, ...rejection });
    }
  }
  const [first] = rejected;
  if (format === 'json' && count === 1 && first?.code === 'malformed-json') {
    const error = new GridError('malformed-json', `Reading the body: ${first.message}`);
    throw new DetailedError(error, { accepted: 0, duplicates: 0, rejected });
  }
  return { records, digests, duplicates, rejected };
}

function madeTooMuch(limitBytes: number): GridError {
  return new GridError(
    'request-too-large',
    `Reading the body: the readings that its lines make have more than ${limitBytes} bytes together. Nothing of it was stored; send it in several requests.`,
  );
}

function* candidates(
  body: Buffer,
  format: BodyFormat,
  precision: Precision,
  receivedAtMs: number,
  maxRecords: number,
): Generator<Candidate> {
  let index = 0;
  if (format !== 'line-protocol') {
    // One more than is allowed is enough to refuse the body by.
    const records = format === 'json' ? jsonRecords(body, maxRecords + 1) : lineRecords(body);
    for (const bytes of records) yield { index: index++, bytes };
    return;
  }
  for (const line of parseLineProtocol(body)) {
    if (!line.ok) {
      const code = line.encoding ? 'invalid-encoding' : 'malformed-line-protocol';
      yield { index, rejection: { code, message: `The line is not valid line protocol: ${line.message}.` } };
    } else {
      for (const reading of lineReadings(line.point, precision, receivedAtMs)) {
        if (reading.ok) yield { index, bytes: Buffer.from(reading.envelope) };
        else yield { index, rejection: reading.rejection };
      }
    }
    index++;
  }
}

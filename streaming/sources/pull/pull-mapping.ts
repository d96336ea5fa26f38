import { isLosslessNumber, parse } from 'lossless-json';
import { v5 as uuidV5 } from 'uuid';
import { GridError } from '../../../grid/errors.ts';
import { encodeEnvelope } from '../../../grid/envelope.ts';
import { createdAtText, SeriesClock } from '../file/series-time.ts';
import { JsonReply, valuesAt, type JsonPath } from './json-path.ts';
import type { PullSourceConfig, Template } from './pull-file.ts';

/** One observation of a reply, as an envelope. */
export interface PulledReading {
  readonly sensorId: string;
  readonly correlationId: string;
  readonly envelope: string;
}

export interface MappedReply {
  readonly readings: readonly PulledReading[];
  /** The first of what could not be mapped, in sentences; the rest is used. */
  readonly problems: readonly string[];
  /** How many could not be mapped. */
  readonly unmapped: number;
}

/** Namespace of the correlation ids of readings that were polled. */
const NAMESPACE = 'a3d0f6c2-1b57-5e0e-9c44-7f5b8e2d6a91';
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const MAX_PROBLEMS = 20;

/**
 * Turns a reply into readings. A number keeps the text it has in the reply; the correlation id is derived from source, sensor,
 * measure, time and value, so that an observation that is still in the next reply is the same reading, and one that the source
 * has corrected is a new one.
 *
 * @throws GridError `malformed-source-data` when the reply is not JSON or has no record where they should be.
 */
export function mapReply(config: PullSourceConfig, body: string): MappedReply {
  let root: unknown;
  try {
    root = parse(body);
  } catch (error) {
    throw malformed(config, `the reply is not valid JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  const found = valuesAt(config.records, root, root);
  if (found.length === 0) throw malformed(config, `the reply has nothing at ${JSON.stringify(config.records.text)}`);
  const records = found.flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : [value]));
  const readings: PulledReading[] = [];
  const problems: string[] = [];
  let unmapped = 0;
  const reply = new JsonReply(root);
  const clock = new SeriesClock({
    format: config.createdAt.format,
    timeZone: config.createdAt.timeZone,
    overlap: 'earlier',
  });
  for (const [index, record] of records.entries()) {
    for (const result of mapRecord(config, record, reply, clock)) {
      if (typeof result !== 'string') readings.push(result);
      else {
        unmapped += 1;
        if (problems.length < MAX_PROBLEMS) problems.push(`record ${index}: ${result}`);
      }
    }
  }
  return { readings, problems, unmapped };
}

function* mapRecord(
  config: PullSourceConfig,
  record: unknown,
  reply: JsonReply,
  clock: SeriesClock,
): Generator<PulledReading | string> {
  const timeText = scalarText(reply.valueAt(config.createdAt.path, record));
  if (timeText === undefined) {
    yield `there is no time at ${config.createdAt.path.text}`;
    return;
  }
  const time = clock.read(timeText);
  if (!time.ok) {
    yield time.message;
    return;
  }
  const createdAt = createdAtText(time.time);
  for (const measure of config.measures) {
    const value = reply.valueAt(measure.value, record);
    // Stations leave out what they do not measure.
    if (value === undefined || value === null) continue;
    const modality = scalarText(value);
    if (modality === undefined || !JSON_NUMBER.test(modality)) {
      yield `${measure.name} at ${measure.value.text} is no number`;
      continue;
    }
    const sensorId = fill(config.sensorId, measure.name, record, reply);
    if (sensorId instanceof Error) {
      yield sensorId.message;
      continue;
    }
    const unit = measure.unit ?? unitAt(measure.unitPath, record, reply);
    if (unit === undefined) {
      yield `${measure.name} has no unit at ${measure.unitPath?.text ?? ''}`;
      continue;
    }
    const correlationId = uuidV5(JSON.stringify([config.name, sensorId, measure.name, createdAt, modality]), NAMESPACE);
    const aspect = config.temporalAspect;
    yield {
      sensorId,
      correlationId,
      envelope: encodeEnvelope({ sensorId, modality, unit, aspect, correlationId, createdAt }),
    };
  }
}

function fill(template: Template, measure: string, record: unknown, reply: JsonReply): string | Error {
  let text = '';
  for (const part of template) {
    if ('text' in part) text += part.text;
    else if ('measure' in part) text += measure;
    else {
      const value = scalarText(reply.valueAt(part.path, record));
      if (value === undefined) return new Error(`there is nothing at ${part.path.text} for the sensor's id`);
      text += value;
    }
  }
  return text;
}

function unitAt(path: JsonPath | undefined, record: unknown, reply: JsonReply): string | undefined {
  return path === undefined ? undefined : scalarText(reply.valueAt(path, record));
}

/** A string as it is, a number as its text in the reply. */
function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return isLosslessNumber(value) ? value.value : undefined;
}

function malformed(config: PullSourceConfig, what: string): GridError {
  return new GridError(
    'malformed-source-data',
    `Reading what source ${config.name} answered: ${what}. Correct the mapping in PULL_SOURCES_FILE if the source has changed.`,
  );
}

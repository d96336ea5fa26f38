import {
  isGrpcServiceError,
  QueryNotRegisteredError,
  QueryRejectedError,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { asGridError, GridError } from '../../grid/errors.ts';

/** The gRPC status of a call that had no answer in its time; `temporal-unavailable` has the status in its details. */
export const DEADLINE_EXCEEDED = 4;

/** gRPC status codes (grpc/grpc doc/statuscodes.md) by which a call may succeed later. */
const TRANSIENT_STATUSES: ReadonlyMap<number, string> = new Map([
  [1, 'the call was cancelled (gRPC CANCELLED)'],
  [2, 'it failed, and the server does not say why (gRPC UNKNOWN)'],
  [4, 'no answer came in time (gRPC DEADLINE_EXCEEDED)'],
  [8, 'the server has too much to do (gRPC RESOURCE_EXHAUSTED)'],
  [10, 'the server broke it off (gRPC ABORTED)'],
  [13, 'the server has an error of its own (gRPC INTERNAL)'],
  [14, 'no connection could be made (gRPC UNAVAILABLE)'],
]);

const REMEDIES: Readonly<Record<number, string>> = {
  3: 'Correct what was asked for.',
  5: 'Look for it in the Temporal Web UI, or correct TEMPORAL_NAMESPACE.',
  6: 'Choose another name, or end what has it.',
  7: 'The server refuses this client: check its rights and TEMPORAL_NAMESPACE.',
  12: 'The server is too old for this client, or is no Temporal server: check TEMPORAL_ADDRESS.',
  16: 'The server wants other credentials: check TEMPORAL_ADDRESS.',
};

interface GrpcFailure {
  readonly code: number;
  readonly details: string;
}

/**
 * What a failed call to Temporal was, as an error of ours: `temporal-unavailable` when it may succeed later,
 * `temporal-refused` when the server said no.
 *
 * @param attempt what was tried, on what: `Starting importSqlHistory at localhost:7233`
 */
export function temporalFailure(error: unknown, attempt: string): GridError {
  if (error instanceof GridError) return error;
  if (isAlreadyStarted(error)) {
    return refused(error, attempt, error.message, REMEDIES[6]);
  }
  const grpc = grpcFailureOf(error);
  if (grpc === undefined) {
    if (error instanceof WorkflowNotFoundError || error instanceof ScheduleNotFoundError) {
      return refused(error, attempt, error.message, REMEDIES[5]);
    }
    if (error instanceof QueryNotRegisteredError || error instanceof QueryRejectedError) {
      return refused(error, attempt, error.message, 'Ask for something else.');
    }
    if (error instanceof Error && error.name === 'NamespaceNotFoundError') {
      return refused(error, attempt, error.message, 'Make the namespace, or correct TEMPORAL_NAMESPACE.');
    }
    return asGridError(error, attempt);
  }
  const transient = TRANSIENT_STATUSES.get(grpc.code);
  if (transient !== undefined) {
    return new GridError(
      'temporal-unavailable',
      `${attempt}: ${sentence(grpc.details, transient)}. Start Temporal (npm run stack -- up temporal), or correct TEMPORAL_ADDRESS.`,
      { cause: withoutMetadata(error), details: { grpcStatus: grpc.code } },
    );
  }
  return refused(error, attempt, sentence(grpc.details, `gRPC status ${grpc.code}`), REMEDIES[grpc.code]);
}

function refused(error: unknown, attempt: string, answer: string, remedy: string | undefined): GridError {
  return new GridError('temporal-refused', `${attempt}: ${answer.replace(/\.$/, '')}. ${remedy ?? 'See its log.'}`, {
    cause: withoutMetadata(error),
  });
}

/** The SDK's errors carry the call's HTTP/2 headers, in binary, into every log line. */
function withoutMetadata(error: unknown): unknown {
  const grpc = grpcFailureOf(error);
  if (grpc === undefined || !(error instanceof Error)) return error;
  const cause = Object.assign(new Error(error.message), { name: error.name, code: grpc.code, details: grpc.details });
  if (error.stack !== undefined) cause.stack = error.stack;
  return cause;
}

function isAlreadyStarted(error: unknown): error is Error {
  return error instanceof WorkflowExecutionAlreadyStartedError || error instanceof ScheduleAlreadyRunning;
}

/** The gRPC error below the SDK's own, or inside the native client's, whose message carries the status as text. */
function grpcFailureOf(error: unknown): GrpcFailure | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (isGrpcServiceError(at)) return { code: at.code, details: at.details === '' ? at.message : at.details };
    if (at.name === 'TransportError') return { code: 14, details: at.message };
  }
  return undefined;
}

/** gRPC's texts name the last cause after much else: `No connection established. Last error: …`. */
function sentence(details: string, otherwise: string): string {
  const last = /Last error: (?:Error: )?([^.]*(?:\.\d+)*[^.]*)/.exec(details)?.[1];
  const texts = [last, details].map((text = '') => text.replaceAll(/\s+/g, ' ').trim().replace(/\.$/, ''));
  return texts.find(saysSomething)?.slice(0, 500) ?? otherwise;
}

/** The library writes down a cause that it does not have as JavaScript shows it: `No connection established. Last error: undefined`. */
function saysSomething(text: string): boolean {
  return text !== '' && !/\b(?:undefined|null|\[object \w+\])$/.test(text);
}

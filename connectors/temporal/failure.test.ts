import { WorkflowNotFoundError } from '@temporalio/client';
import { expect, test } from 'vitest';
import { GridError } from '../../grid/errors.ts';
import { temporalFailure } from './failure.ts';

/** What the gRPC library throws. */
function grpcError(code: number, details: string): Error {
  return Object.assign(new Error(`${code} NAME: ${details}`), {
    code,
    details,
    metadata: { internalRepr: new Map([['grpc-status-details-bin', [Buffer.from('xyz')]]]) },
  });
}

test.each([
  [
    14,
    'No connection established. Last error: connect ECONNREFUSED 127.0.0.1:7233',
    'connect ECONNREFUSED 127.0.0.1:7233',
  ],
  [4, 'Deadline exceeded after 3.001s,metadata filters: 0.001s', 'Deadline exceeded'],
  [8, 'namespace rate limit exceeded', 'namespace rate limit exceeded'],
  [14, 'No connection established. Last error: undefined', 'no connection could be made'],
  [14, 'undefined', 'no connection could be made'],
  [14, '', 'NAME'],
])('status %i (%s) may pass', (status, details, told) => {
  const failure = temporalFailure(
    new Error('Failed to start Workflow', { cause: grpcError(status, details) }),
    'Starting x',
  );
  expect(failure).toMatchObject({ code: 'temporal-unavailable', retryable: true });
  expect(failure.message).toMatch(/^Starting x: /);
  expect(failure.message).toContain(told);
  expect(failure.message).toContain('TEMPORAL_ADDRESS');
});

test.each([
  [7, 'Request unauthorized.', 'rights'],
  [16, 'no token', 'credentials'],
  [3, 'WorkflowId length exceeds limit.', 'Correct'],
  [12, 'unknown service', 'too old'],
])('status %i (%s) is a refusal with a remedy', (status, details, remedy) => {
  const failure = temporalFailure(grpcError(status, details), 'Starting x');
  expect(failure).toMatchObject({ code: 'temporal-refused', retryable: false });
  expect(failure.message).toContain(details.replace(/\.$/, ''));
  expect(failure.message).toContain(remedy);
});

test('a workflow that is not there is a refusal', () => {
  const failure = temporalFailure(
    new WorkflowNotFoundError('workflow not found for ID: x', 'x', undefined),
    'Showing x',
  );
  expect(failure).toMatchObject({ code: 'temporal-refused' });
  expect(failure.message).toBe(
    'Showing x: workflow not found for ID: x. Look for it in the Temporal Web UI, or correct TEMPORAL_NAMESPACE.',
  );
});

test('errors of ours stay as they are, what nobody foresaw is a defect', () => {
  const ours = new GridError('shutting-down', 'no');
  expect(temporalFailure(ours, 'x')).toBe(ours);
  expect(temporalFailure(new TypeError('x is not a function'), 'x')).toMatchObject({ code: 'defect' });
});

test('a failure does not drag the headers of the call along', () => {
  expect(temporalFailure(grpcError(14, 'gone'), 'x').cause).not.toHaveProperty('metadata');
});

import { DatabaseError } from 'pg';
import { expect, test } from 'vitest';
import { isTooLarge, postgresFailure, sqlState } from './failure.ts';

function answer(code: string, message = 'something'): DatabaseError {
  const error = new DatabaseError(message, 1, 'error');
  error.code = code;
  return error;
}

test.each([
  ['57P01', 'source-unavailable'],
  ['57P03', 'source-unavailable'],
  ['53300', 'source-unavailable'],
  ['08006', 'source-unavailable'],
  ['40001', 'source-unavailable'],
  ['55P03', 'source-unavailable'],
  ['28P01', 'source-denied'],
  ['28000', 'source-denied'],
  ['3D000', 'source-denied'],
  ['42501', 'source-denied'],
  ['72000', 'snapshot-lost'],
  ['42P01', 'unknown-table'],
  ['22021', 'unsupported-column'],
  ['XX001', 'source-refused'],
  ['22012', 'source-refused'],
])('SQLSTATE %s is %s', (state, code) => {
  const failure = postgresFailure(answer(state), 'Reading');
  expect(failure.code).toBe(code);
  expect(failure.message).toContain(`(${state})`);
  expect(sqlState(failure.cause)).toBe(state);
});

test.each([
  [Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }), 'source-unavailable'],
  [Object.assign(new Error('getaddrinfo ENOTFOUND db'), { code: 'ENOTFOUND' }), 'source-unavailable'],
  [
    Object.assign(new AggregateError([new Error('connect ECONNREFUSED ::1:5432')]), { code: 'ECONNREFUSED' }),
    'source-unavailable',
  ],
  [new Error('Connection terminated unexpectedly'), 'source-unavailable'],
  [new Error('timeout expired'), 'source-unavailable'],
  [new Error('The server does not support SSL connections'), 'source-tls-refused'],
  [Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), 'source-tls-refused'],
  [new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'), 'source-denied'],
  [new TypeError('x is not a function'), 'defect'],
])('%s is %s', (error, code) => {
  expect(postgresFailure(error, 'Reading').code).toBe(code);
});

test('an error without a message of its own tells that of the first address', () => {
  const error = Object.assign(new AggregateError([new Error('connect ECONNREFUSED ::1:5432')]), {
    code: 'ECONNREFUSED',
  });
  expect(postgresFailure(error, 'Reading').message).toContain('::1:5432');
});

test('what is too large to be made is told from other answers', () => {
  expect(isTooLarge(answer('54000'))).toBe(true);
  expect(isTooLarge(answer('53200'))).toBe(true);
  expect(isTooLarge(answer('XX000', 'invalid memory alloc request size 1234567890'))).toBe(true);
  expect(isTooLarge(answer('XX000', 'cache lookup failed'))).toBe(false);
  expect(isTooLarge(new Error('out of memory'))).toBe(false);
});

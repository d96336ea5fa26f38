import { MongoNetworkError, MongoServerError } from 'mongodb';
import { expect, test } from 'vitest';
import { mongodbFailure } from './failure.ts';

test.each([
  [13, 'not authorized on kafka to execute command', 'readWrite'],
  [18, 'Authentication failed.', 'MONGODB_URL'],
  [121, 'Document failed validation', 'validator'],
  [14031, 'available disk space of 1 bytes is less than required', 'disk'],
])('code %i is refused, with a remedy', (code, errmsg, remedy) => {
  const failure = mongodbFailure(new MongoServerError({ message: errmsg, code }), 'Inserting');
  expect(failure.code).toBe('mongodb-refused');
  expect(failure.message).toContain(remedy);
});

test.each([
  new MongoServerError({ message: 'not primary', code: 10107 }),
  new MongoServerError({ message: 'interrupted at shutdown', code: 11600 }),
  new MongoServerError({ message: 'something new', code: 99999, errorLabels: ['RetryableWriteError'] }),
  new MongoNetworkError('connect ECONNREFUSED 127.0.0.1:27017'),
])('$message is passing', (error) => {
  const failure = mongodbFailure(error, 'Inserting');
  expect(failure.code).toBe('mongodb-unavailable');
  expect(failure.retryable).toBe(true);
});

test('what is no answer of MongoDB is a defect', () => {
  expect(mongodbFailure(new TypeError('x is not a function'), 'Inserting').code).toBe('defect');
});

test('a failure does not drag the documents along', () => {
  const error = new MongoServerError({ message: 'disk full', code: 14031, writeErrors: [{ op: { payload: 'xxx' } }] });
  expect(JSON.stringify(mongodbFailure(error, 'Inserting').cause)).not.toContain('xxx');
});

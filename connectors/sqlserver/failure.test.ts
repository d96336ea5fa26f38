import { describe, expect, it } from 'vitest';
import { GridError } from '../../grid/errors.ts';
import { sqlServerFailure, type LoginAttempt } from './failure.ts';

const driverError = (properties: {
  code?: string;
  number?: number;
  message?: string;
  cause?: unknown;
  originalError?: unknown;
}): Error => Object.assign(new Error(properties.message ?? 'something'), properties);

describe('a failure of SQL Server', () => {
  it.each([
    [18_456, 'source-denied', false],
    [4060, 'source-denied', false],
    [229, 'source-denied', false],
    [208, 'unknown-table', false],
    [207, 'table-changed', false],
    [3961, 'table-changed', false],
    [1205, 'source-unavailable', true],
    [1222, 'source-unavailable', true],
    [3952, 'source-unavailable', true],
    [3958, 'source-unavailable', true],
    [41_332, 'unsupported-server', false],
    [8134, 'source-refused', false],
  ] as const)('number %i is %s', (number, code, retryable) => {
    const failure = sqlServerFailure(
      driverError({ code: 'EREQUEST', number, message: 'What the server says.' }),
      'Reading x',
    );
    expect(failure).toMatchObject({ code, retryable });
    expect(failure.message).toMatch(/^Reading x: SQL Server answered "What the server says" \(message \d+\)\. /);
  });

  it.each([
    ['ELOGIN', 'source-denied'],
    ['ESOCKET', 'source-unavailable'],
    ['ETIMEOUT', 'source-unavailable'],
    ['EINSTLOOKUP', 'source-unavailable'],
    ['ECONNCLOSED', 'source-unavailable'],
    ['ENOTBEGUN', 'source-unavailable'],
    ['EENCRYPT', 'source-tls-refused'],
  ] as const)('driver code %s is %s', (code, expected) => {
    expect(sqlServerFailure(driverError({ code }), 'Connecting').code).toBe(expected);
  });

  it('looks into what the driver wraps', () => {
    const certificate = driverError({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT', message: 'self-signed certificate' });
    const socket = driverError({ code: 'ESOCKET', message: 'Failed to connect', cause: certificate });
    expect(sqlServerFailure(driverError({ code: 'ESOCKET', originalError: socket }), 'Connecting').code).toBe(
      'source-tls-refused',
    );
    const several = new AggregateError([
      driverError({ number: 3621 }),
      driverError({ code: 'EREQUEST', number: 1205 }),
    ]);
    expect(sqlServerFailure(several, 'Reading').code).toBe('source-unavailable');
  });

  const refused = (messages: LoginAttempt['messages'], workedMsAgo?: number): string =>
    sqlServerFailure(driverError({ code: 'ELOGIN' }), 'Connecting', { messages, workedMsAgo }).code;

  it('goes by the numbers that the server sent at login, which the driver drops', () => {
    expect(refused([{ number: 18_401, state: 1 }])).toBe('source-unavailable');
    expect(refused([{ number: 18_456, state: 1 }])).toBe('source-denied');
    expect(refused([{ number: 50_001, state: 1 }])).toBe('source-denied');
    expect(refused([])).toBe('source-denied');
  });

  it.each([
    ['a database that cannot be opened', [4060, 18_456], 1],
    ['a default database that cannot be opened', [4064], 1],
    ['a number that nobody knows', [50_001], 1],
    ['no message at all', [], 1],
    ['a state that is not about the credentials', [18_456], 46],
    ['one administrator only', [18_461], 1],
    ['a hidden reason', [18_456], 1],
  ] as const)('is passing at a login with %s, once one has worked', (_, numbers, state) => {
    const messages = numbers.map((number) => ({ number, state: number === 18_456 ? state : 1 }));
    expect(refused(messages, 60_000)).toBe('source-unavailable');
    expect(refused(messages)).toBe('source-denied');
  });

  it.each([2, 5, 6, 7, 8, 9, 11, 12, 18, 58])(
    'is final at a login that failed with state %i, whatever worked',
    (state) => {
      expect(refused([{ number: 18_456, state }], 1_000)).toBe('source-denied');
      expect(
        refused(
          [
            { number: 4060, state: 1 },
            { number: 18_456, state },
          ],
          1_000,
        ),
      ).toBe('source-denied');
    },
  );

  it('is final at a login with a locked account or an old password, and with a hidden reason for long', () => {
    for (const number of [18_486, 18_487, 18_488, 18_470])
      expect(refused([{ number, state: 1 }], 1_000)).toBe('source-denied');
    expect(refused([{ number: 18_456, state: 1 }], 60 * 60_000)).toBe('source-denied');
  });

  it('passes an error of ours on, even from inside the driver', () => {
    const own = new GridError('source-tls-refused', 'ours');
    expect(sqlServerFailure(driverError({ code: 'ESOCKET', cause: own }), 'Connecting')).toBe(own);
  });

  it('is a defect when nothing is known of it', () => {
    expect(sqlServerFailure(new TypeError('x is not a function'), 'Reading').code).toBe('defect');
  });
});

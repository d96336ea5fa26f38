import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { servingFailure } from './failure.ts';

function answered(state: string): pg.DatabaseError {
  const error = new pg.DatabaseError('it is so', 8, 'error');
  error.code = state;
  return error;
}

describe('servingFailure', () => {
  it.each(['57P01', '57P03', '08006', '53300', '40001', '40P01', '55P03', '57014'])('takes %s for passing', (state) => {
    expect(servingFailure(answered(state), 'Asking').code).toBe('serving-database-unavailable');
  });

  it.each(['42P01', '42501', '28P01', '3D000', '23505', '22003'])('takes %s for an answer', (state) => {
    expect(servingFailure(answered(state), 'Asking')).toMatchObject({
      code: 'serving-database-refused',
      message: expect.stringContaining(state) as string,
    });
  });

  it('takes a broken connection for passing', () => {
    expect(servingFailure(new Error('Connection terminated unexpectedly'), 'Asking').code).toBe(
      'serving-database-unavailable',
    );
  });
});

import pg from 'pg';
import { GridError } from '../../../grid/errors.ts';

/**
 * Classes and codes of SQLSTATE (PostgreSQL's appendix "Error Codes") that say nothing of the statement: connections, resources, an
 * operator's or a time limit's intervention, the system's own errors, and transactions that had to give way to others.
 */
const PASSING_CLASSES: ReadonlySet<string> = new Set(['08', '53', '57', '58', '40']);
/** A lock that was not free in time, and what another process made in the same instant. */
const PASSING_STATES: ReadonlySet<string> = new Set(['55P03', '25P03']);

/**
 * What an error of the driver means: `serving-database-refused` when the server answered and would answer the same again, else
 * `serving-database-unavailable`. `attempt` begins the message.
 */
export function servingFailure(error: unknown, attempt: string): GridError {
  if (error instanceof GridError) return error;
  const sentence = error instanceof Error ? error.message.slice(0, 500) : 'an error without a message';
  const state = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
  const isAnswer = state !== '' && !PASSING_CLASSES.has(state.slice(0, 2)) && !PASSING_STATES.has(state);
  return isAnswer
    ? new GridError(
        'serving-database-refused',
        `${attempt}: PostgreSQL answered "${sentence}" (SQLSTATE ${state}). See SERVING_DATABASE_URL and the rights of its user.`,
        { cause: error },
      )
    : new GridError(
        'serving-database-unavailable',
        `${attempt}: ${sentence}. It is tried again; see that PostgreSQL runs and SERVING_DATABASE_URL names it.`,
        { cause: error },
      );
}

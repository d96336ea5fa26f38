/**
 * What senders of the InfluxDB 1 API ask for before they write: that a database be there. Everything is taken without one, so
 * such statements are answered as done; nothing can be queried here.
 */

export type StatementAnswer =
  | { readonly kind: 'done' }
  /** As of a server that has no databases; a sender then asks to create its own. */
  | { readonly kind: 'databases' }
  | { readonly kind: 'unknown'; readonly statement: string };

/** Longer queries are refused unread, characters. */
export const MAX_QUERY_LENGTH = 8_192;
const SHOWN_LENGTH = 80;

const DONE = /^(?:CREATE\s+(?:DATABASE|RETENTION\s+POLICY|USER)|ALTER\s+RETENTION\s+POLICY|GRANT)\s/i;
const DATABASES = /^SHOW\s+DATABASES$/i;

/** The answers to the statements of an InfluxQL text, in their order; empty ones are none. */
export function statementAnswers(query: string): StatementAnswer[] {
  return statementsOf(query).map((statement) => {
    if (DONE.test(statement)) return { kind: 'done' };
    if (DATABASES.test(statement)) return { kind: 'databases' };
    return { kind: 'unknown', statement: statement.slice(0, SHOWN_LENGTH) };
  });
}

/** Cuts at semicolons outside of quotes; a backslash in quotes escapes the next character. */
function statementsOf(query: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let quote = '';
  for (let at = 0; at <= query.length; at++) {
    const character = query.charAt(at);
    if (quote !== '') {
      if (character === '\\') at++;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    if (at >= query.length || (quote === '' && character === ';')) {
      const statement = query.slice(start, at).trim();
      if (statement !== '') statements.push(statement);
      start = at + 1;
    }
  }
  return statements;
}

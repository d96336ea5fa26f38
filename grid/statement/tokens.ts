/** One token of a HiveQL statement. */
export interface Token {
  /** `word`: an unquoted name, keyword or number; `name`: a name in backquotes; `string`: a literal; `symbol`: one other character. */
  readonly kind: 'word' | 'name' | 'string' | 'symbol';
  /** A word in capitals, a name without its quotes in lower case, a symbol as it stands; empty for a literal. */
  readonly text: string;
  /** Where it begins. */
  readonly at: number;
}

/** A statement taken apart, or why it cannot be. */
export type Tokenized =
  | {
      readonly tokens: readonly Token[];
      /** The text with spaces in place of comments, so that whoever reads it next finds nothing in it but these tokens. */
      readonly withoutComments: string;
    }
  | { readonly problem: string };

const WORD = /[A-Za-z0-9_]/;
const LINE_END = new Set(['\n', '\r']);

/**
 * Takes a statement apart as Hive's lexer does, in one pass. What Hive's own programs do not agree about is a problem: nested comments,
 * `${…}` (which is substituted before anything is read), characters outside of quotes that are no ASCII.
 */
export function tokensOf(sql: string): Tokenized {
  const tokens: Token[] = [];
  const kept: string[] = [];
  let copied = 0;
  let at = 0;
  const blank = (end: number): void => {
    kept.push(sql.slice(copied, at), sql.slice(at, end).replaceAll(/[^\n\r]/g, ' '));
    copied = end;
    at = end;
  };
  const substituted = sql.indexOf('${');
  if (substituted >= 0) {
    return problem(
      sql,
      substituted,
      'Hive would substitute ${…} before it reads the statement; in a text write \\u0024{',
    );
  }
  if (!sql.isWellFormed()) return { problem: 'it has half of a character (a surrogate alone)' };
  while (at < sql.length) {
    const character = sql.charAt(at);
    if (sql.startsWith('--', at)) {
      let end = at;
      while (end < sql.length && !LINE_END.has(sql.charAt(end))) end++;
      blank(end);
    } else if (sql.startsWith('/*', at)) {
      const end = sql.indexOf('*/', at + 2);
      if (end < 0) return problem(sql, at, 'a comment is not closed');
      const nested = sql.indexOf('/*', at + 2);
      if (nested >= 0 && nested < end) return problem(sql, nested, 'a comment stands within a comment');
      blank(end + 2);
    } else if (character === "'" || character === '"' || character === '`') {
      const end = quotedEnd(sql, at);
      if (end === undefined) return problem(sql, at, `${character} is not closed`);
      tokens.push(
        character === '`'
          ? {
              kind: 'name',
              text: sql
                .slice(at + 1, end - 1)
                .replaceAll('``', '`')
                .toLowerCase(),
              at,
            }
          : { kind: 'string', text: '', at },
      );
      at = end;
    } else if (WORD.test(character)) {
      let end = at + 1;
      while (end < sql.length && WORD.test(sql.charAt(end))) end++;
      tokens.push({ kind: 'word', text: sql.slice(at, end).toUpperCase(), at });
      at = end;
    } else if (character >= '!' && character <= '~') {
      tokens.push({ kind: 'symbol', text: character, at });
      at++;
    } else if (character === ' ' || character === '\t' || LINE_END.has(character)) {
      at++;
    } else {
      return problem(sql, at, `the character U+${codeOf(sql, at)} stands outside of quotes`);
    }
  }
  kept.push(sql.slice(copied));
  return { tokens, withoutComments: kept.join('') };
}

/** Behind the closing quote. Names know `` `` `` alone; texts know backslashes, and a doubled quote is a second text. */
function quotedEnd(sql: string, from: number): number | undefined {
  const quote = sql.charAt(from);
  for (let at = from + 1; at < sql.length; at++) {
    const character = sql.charAt(at);
    if (character === '\\' && quote !== '`') at++;
    else if (character === quote) {
      if (quote === '`' && sql.charAt(at + 1) === '`') at++;
      else return at + 1;
    }
  }
  return undefined;
}

function codeOf(sql: string, at: number): string {
  return (sql.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}

function problem(sql: string, at: number, what: string): Tokenized {
  return { problem: `${placeOf(sql, at)}: ${what}` };
}

/** `line 2, column 7` */
export function placeOf(sql: string, at: number): string {
  const before = sql.slice(0, at);
  const line = before.split('\n').length;
  return `line ${line}, column ${at - before.lastIndexOf('\n')}`;
}

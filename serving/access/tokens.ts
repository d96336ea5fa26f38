import { createHash, timingSafeEqual } from 'node:crypto';
import { GridError } from '../../grid/errors.ts';
import { isRole, type Identity, type Role } from './roles.ts';

/** A token as it is kept: by its digest alone. */
interface KnownToken {
  readonly name: string;
  readonly role: Role;
  readonly digest: Buffer;
}

const MOST_TOKENS = 10_000;
const SHORTEST_TOKEN = 16;
const HASHED = /^sha256:([0-9a-f]{64})$/i;
/** More is no token; a header is not hashed at any length. */
const LONGEST_TOKEN = 1_024;

/** Tells who has a bearer token. Tokens are held and compared by SHA-256 digests, in constant time, all of them each time. */
export class Tokens {
  readonly #tokens: readonly KnownToken[];

  private constructor(tokens: readonly KnownToken[]) {
    this.#tokens = tokens;
  }

  /**
   * Reads lines of `<name> <role> <token>`; empty ones and those that begin with `#` are passed over.
   *
   * @param where for the message: the variable or the file
   * @throws GridError `invalid-configuration`: the line, never the token
   */
  static read(text: string, where: string): Tokens {
    const tokens: KnownToken[] = [];
    for (const [index, line] of text.split('\n').entries()) {
      const words = line.trim().split(/\s+/u);
      if (line.trim() === '' || line.trim().startsWith('#')) continue;
      const [name = '', role = '', token = '', ...more] = words;
      const hashed = HASHED.exec(token)?.[1];
      if (more.length > 0 || !isRole(role) || (hashed === undefined && token.length < SHORTEST_TOKEN)) {
        throw new GridError(
          'invalid-configuration',
          `Reading the access tokens of ${where}: entry ${index + 1} is not "<name> <role> <token>" with a role of read, ingest or operate and a token of at least ${SHORTEST_TOKEN} characters, or sha256:<64 hexadecimal digits>. Correct it.`,
        );
      }
      tokens.push({ name, role, digest: hashed === undefined ? digestOf(token) : Buffer.from(hashed, 'hex') });
    }
    if (tokens.length > MOST_TOKENS) {
      throw new GridError(
        'invalid-configuration',
        `Reading the access tokens of ${where}: there are more than ${MOST_TOKENS}.`,
      );
    }
    return new Tokens(tokens);
  }

  get size(): number {
    return this.#tokens.length;
  }

  with(other: Tokens): Tokens {
    return new Tokens([...this.#tokens, ...other.#tokens]);
  }

  /** Whose token it is; undefined for one that nobody has. */
  whose(token: string): Identity | undefined {
    if (token.length > LONGEST_TOKEN) return undefined;
    const digest = digestOf(token);
    let found: KnownToken | undefined;
    for (const known of this.#tokens) if (timingSafeEqual(known.digest, digest)) found = known;
    return found === undefined ? undefined : { name: found.name, role: found.role };
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

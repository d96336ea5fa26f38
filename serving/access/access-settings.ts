import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { GridError } from '../../grid/errors.ts';
import type { Config } from '../../runtime/config.ts';
import { Tokens } from './tokens.ts';

/** How requests are told apart, as the configuration says. */
export interface AccessSettings {
  readonly tokens: Tokens;
  /** Header names in lower case; undefined: no proxy is believed. */
  readonly proxy:
    | { readonly userHeader: string; readonly roleHeader: string | undefined; readonly addresses: ReadonlySet<string> }
    | undefined;
  readonly anonymousMayRead: boolean;
  /** Nobody is told apart: whoever reaches the server may do everything. Only for this machine's own address. */
  readonly isOpen: boolean;
}

type AccessConfig = Pick<
  Config,
  | 'ACCESS_TOKENS'
  | 'ACCESS_TOKENS_FILE'
  | 'ACCESS_ANONYMOUS_ROLE'
  | 'ACCESS_PROXY_USER_HEADER'
  | 'ACCESS_PROXY_ROLE_HEADER'
  | 'ACCESS_PROXY_ADDRESSES'
  | 'HTTP_HOST'
>;

/**
 * @throws GridError `invalid-configuration` for tokens that cannot be read, and for an address that others can reach while nobody is asked
 * who they are
 */
export async function readAccessSettings(config: AccessConfig): Promise<AccessSettings> {
  const listed = Tokens.read(config.ACCESS_TOKENS.replaceAll(',', '\n'), 'ACCESS_TOKENS');
  const tokens = listed.with(await tokensOfFile(config.ACCESS_TOKENS_FILE));
  const userHeader = config.ACCESS_PROXY_USER_HEADER.toLowerCase();
  const roleHeader = config.ACCESS_PROXY_ROLE_HEADER.toLowerCase();
  const isOpen = tokens.size === 0 && userHeader === '';
  if (isOpen && !isOwnAddress(config.HTTP_HOST)) {
    throw new GridError(
      'invalid-configuration',
      `Starting the serving API on ${config.HTTP_HOST}: others can reach that address, and nobody would be asked who they are. Set ACCESS_TOKENS, ACCESS_TOKENS_FILE or ACCESS_PROXY_USER_HEADER, or HTTP_HOST=127.0.0.1.`,
    );
  }
  return {
    tokens,
    isOpen,
    anonymousMayRead: config.ACCESS_ANONYMOUS_ROLE === 'read',
    proxy:
      userHeader === ''
        ? undefined
        : {
            userHeader,
            roleHeader: roleHeader === '' ? undefined : roleHeader,
            addresses: new Set(config.ACCESS_PROXY_ADDRESSES),
          },
  };
}

/** Whether only programs on this machine can connect to it. */
export function isOwnAddress(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || bare === '::1') return true;
  return isIP(bare) === 4 && bare.startsWith('127.');
}

async function tokensOfFile(path: string): Promise<Tokens> {
  if (path === '') return Tokens.read('', '');
  try {
    return Tokens.read(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (error instanceof GridError) throw error;
    throw new GridError(
      'invalid-configuration',
      `Reading the access tokens of ACCESS_TOKENS_FILE=${path}: ${error instanceof Error ? error.message : String(error)}. Correct the path or the file's rights.`,
      { cause: error },
    );
  }
}

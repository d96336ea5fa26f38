import type { IncomingMessage } from 'node:http';
import { GridError } from '../../grid/errors.ts';
import { headerOf } from '../../runtime/http/request-parameters.ts';
import { isOwnAddress, type AccessSettings } from './access-settings.ts';
import { isRole, mayDo, type Identity, type Role } from './roles.ts';

const NOBODY: Identity = { name: undefined, role: undefined };
const BEARER = /^Bearer ([\x21-\x7e]{1,1024})$/i;

/**
 * Who sends a request: whose bearer token it has, else whom a believed proxy names.
 *
 * @throws GridError `not-authenticated` for a token that nobody has
 */
export function identify(request: IncomingMessage, settings: AccessSettings): Identity {
  const authorization = headerOf(request, 'authorization');
  if (settings.isOpen) return { name: 'local', role: 'operate' };
  if (authorization !== undefined) {
    const token = BEARER.exec(authorization)?.[1];
    const identity = token === undefined ? undefined : settings.tokens.whose(token);
    if (identity !== undefined) return identity;
    throw new GridError(
      'not-authenticated',
      'Reading the header Authorization: it is no bearer token that is known here. Ask whoever runs this for one.',
    );
  }
  const { proxy } = settings;
  if (proxy !== undefined && proxy.addresses.has(plainAddress(request.socket.remoteAddress ?? ''))) {
    const name = headerOf(request, proxy.userHeader);
    if (name !== undefined && name !== '') {
      const role = proxy.roleHeader === undefined ? 'read' : (headerOf(request, proxy.roleHeader) ?? '');
      return { name: name.slice(0, 200), role: isRole(role) ? role : undefined };
    }
  }
  return settings.anonymousMayRead ? { name: undefined, role: 'read' } : NOBODY;
}

/** @throws GridError `not-authenticated` when nobody is named, `not-allowed` when their role is too small */
export function checkRole({ name, role }: Identity, needed: Role, what: string): void {
  if (mayDo(role, needed)) return;
  if (name === undefined) {
    throw new GridError(
      'not-authenticated',
      `${what}: this needs the role ${needed}, and the request does not say whose it is. Send the header Authorization: Bearer <token>.`,
    );
  }
  throw new GridError('not-allowed', `${what}: this needs the role ${needed}, which ${name} does not have.`);
}

/**
 * A browser sends requests in its user's name for any page that they happen to read. What changes something must come from our own pages, or
 * from no browser at all; and where nobody is asked who they are, nothing may come under a name of others that leads to this machine.
 *
 * @throws GridError `not-allowed`
 */
export function checkSite(request: IncomingMessage, settings: AccessSettings, isWrite: boolean): void {
  const host = headerOf(request, 'host') ?? '';
  if (settings.isOpen && !isOwnAddress(hostName(host))) {
    throw new GridError(
      'not-allowed',
      'Reading the header Host: this server is for this machine alone and answers to localhost only. See HTTP_HOST and ACCESS_TOKENS.',
    );
  }
  if (!isWrite) return;
  const origin = headerOf(request, 'origin');
  if (origin === undefined) return;
  const sent = URL.canParse(origin) ? new URL(origin).host : '';
  if (sent === '' || sent !== host.toLowerCase()) {
    throw new GridError('not-allowed', 'Reading the header Origin: a page of another site may change nothing here.');
  }
}

function hostName(host: string): string {
  return host.startsWith('[') ? (host.split(']', 1)[0] ?? '').slice(1) : (host.split(':', 1)[0] ?? '');
}

/** IPv4 addresses as they are, on sockets of both kinds. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}

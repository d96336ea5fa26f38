/** How one attempt to connect treats TLS; the URL is for the driver. */
export interface ConnectAttempt {
  readonly url: string;
  readonly tls: boolean;
}

/**
 * The attempts that libpq would make for the URL's `sslmode` (libpq's "SSL Support", table of modes; default `prefer`):
 * the driver by itself takes `prefer` and `require` for `verify-full`, and never falls back.
 */
export function connectAttempts(url: string): readonly ConnectAttempt[] {
  const parsed = new URL(url);
  const mode = parsed.searchParams.get('sslmode');
  if (mode === null && parsed.searchParams.has('ssl')) return [{ url, tls: true }];
  const withMode = (sslmode: string): ConnectAttempt => {
    const changed = new URL(url);
    changed.searchParams.set('sslmode', sslmode);
    if (sslmode !== 'no-verify') changed.searchParams.set('uselibpqcompat', 'true');
    return { url: changed.toString(), tls: sslmode !== 'disable' };
  };
  switch (mode) {
    case 'disable':
      return [withMode('disable')];
    case 'allow':
      return [withMode('disable'), withMode('require')];
    case null:
    case '':
    case 'prefer':
      return [withMode('prefer'), withMode('disable')];
    default:
      return [withMode(mode)];
  }
}

/** Host, port and database as messages name them; never the password. */
export function addressOf(url: string): string {
  const { hostname, port, pathname, searchParams } = new URL(url);
  const host = searchParams.get('host') ?? decodeURIComponent(hostname);
  const database = decodeURIComponent(pathname.slice(1));
  const named = database === '' ? '' : `, database ${database}`;
  return `PostgreSQL at ${host === '' ? 'localhost' : host}:${port === '' ? '5432' : port}${named}`;
}

import sql from 'mssql';
import { GridError } from '../../grid/errors.ts';

/** Where a server is and how it is spoken to; the mssql package's own configuration, plus what messages may show. */
export interface ServerAddress {
  readonly config: sql.config;
  /** `host:1433/database`, without user or password. */
  readonly shown: string;
}

const FORMS =
  'HISTORY_MSSQL_URL is mssql://user:password@host:1433/database?encrypt=true&trustServerCertificate=true ' +
  '(percent-encode what is special in user and password), or Server=host,1433;Database=…;User Id=…;Password=…;Encrypt=true;TrustServerCertificate=true';

/** Parameters of the URL form, in lower case. */
const PARAMETERS = [
  'encrypt',
  'trustservercertificate',
  'servername',
  'instancename',
  'domain',
  'applicationintent',
  'multisubnetfailover',
];

/**
 * Reads HISTORY_MSSQL_URL: the URL form, or the ADO form that the mssql package reads. Encryption is on and the server's
 * certificate is checked unless the text says otherwise, as in the driver.
 *
 * @throws GridError `invalid-configuration`; the text itself, which has a password in it, is never shown.
 */
export function serverAddress(text: string): ServerAddress {
  const trimmed = text.trim();
  if (trimmed === '') throw invalid('it is empty');
  const config = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? fromUrl(trimmed) : fromAdo(trimmed);
  const instance = config.options?.instanceName;
  const where = instance === undefined ? `${config.server}:${config.port ?? 1433}` : `${config.server}\\${instance}`;
  return {
    config,
    shown: config.database === undefined ? where : `${where}/${config.database}`,
  };
}

function fromUrl(text: string): sql.config {
  if (!URL.canParse(text))
    throw invalid('it cannot be read as a URL (is a special character in the password encoded?)');
  const url = new URL(text);
  if (url.protocol !== 'mssql:' && url.protocol !== 'sqlserver:') {
    throw invalid(`it starts with ${url.protocol}//, not with mssql://`);
  }
  if (url.hostname === '') throw invalid('it names no host');
  if (url.username === '') throw invalid('it names no user');
  const parameters = new Map([...url.searchParams].map(([name, value]) => [name.toLowerCase(), value]));
  const unknown = [...parameters.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) throw invalid(`its parameter ${unknown} is none of ${PARAMETERS.join(', ')}`);
  const database = decoded(url.pathname.replace(/^\//, ''), 'database');
  const instanceName = parameters.get('instancename');
  const serverName = parameters.get('servername');
  const domain = parameters.get('domain');
  const intent = parameters.get('applicationintent');
  return {
    // A URL keeps the brackets of an IPv6 address; a socket wants none.
    server: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 1433 : Number(url.port),
    user: decoded(url.username, 'user'),
    password: decoded(url.password, 'password'),
    ...(database === '' ? {} : { database }),
    ...(domain === undefined ? {} : { domain }),
    options: {
      encrypt: parameters.get('encrypt') === 'strict' ? 'strict' : flag(parameters, 'encrypt', true),
      trustServerCertificate: flag(parameters, 'trustservercertificate', false),
      multiSubnetFailover: flag(parameters, 'multisubnetfailover', false),
      ...(instanceName === undefined ? {} : { instanceName }),
      ...(serverName === undefined ? {} : { serverName }),
      ...(intent?.toLowerCase() === 'readonly' ? { readOnlyIntent: true } : {}),
    },
  };
}

function fromAdo(text: string): sql.config {
  if (!text.includes('=')) throw invalid('it is neither a URL nor a list of Name=value');
  let parsed: ReturnType<typeof sql.ConnectionPool.parseConnectionString>;
  try {
    parsed = sql.ConnectionPool.parseConnectionString(text);
  } catch {
    // The parser's own message quotes the text, password and all.
    throw invalid('it cannot be read as a connection string');
  }
  // The parser leaves out what the text does not name, whatever its type says.
  if (!('server' in parsed) || parsed.server === '') throw invalid('it names no Server');
  if (parsed.user === undefined && parsed.authentication === undefined && !/authentication\s*=/i.test(text)) {
    throw invalid('it names no User Id (integrated security is not supported)');
  }
  if (parsed.port !== undefined && !(parsed.port > 0 && parsed.port < 65_536)) throw invalid('its port is no port');
  const strict = /(?:^|;)\s*encrypt\s*=\s*strict\s*(?:;|$)/i.test(text);
  return { ...parsed, options: { ...parsed.options, ...(strict ? { encrypt: 'strict' } : {}) } };
}

function flag(parameters: ReadonlyMap<string, string>, name: string, unset: boolean): boolean {
  const value = parameters.get(name)?.toLowerCase();
  if (value === undefined) return unset;
  if (['true', 'yes', '1'].includes(value)) return true;
  if (['false', 'no', '0'].includes(value)) return false;
  throw invalid(`its parameter ${name} is neither true nor false`);
}

function decoded(text: string, part: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`its ${part} is not well percent-encoded`);
  }
}

function invalid(problem: string): GridError {
  return new GridError(
    'invalid-configuration',
    `Reading HISTORY_MSSQL_URL: ${problem}. Correct it in the environment or in .env: ${FORMS}.`,
  );
}

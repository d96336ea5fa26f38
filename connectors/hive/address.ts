import { GridError } from '../../grid/errors.ts';
import { withoutPassword } from '../../runtime/config.ts';

/** How HiveServer2 is asked to let somebody in: not at all, or by SASL PLAIN with a name and password (its `NONE`, `LDAP`, `PAM`, `CUSTOM`). */
export type HiveAuthentication =
  { readonly kind: 'nosasl' } | { readonly kind: 'plain'; readonly user: string; readonly password: string };

export interface HiveAddress {
  readonly host: string;
  readonly port: number;
  /** Current database of the sessions. */
  readonly database: string;
  readonly tls: boolean;
  readonly authentication: HiveAuthentication;
  /** Settings of every session, such as `hive.execution.engine`. */
  readonly settings: Readonly<Record<string, string>>;
  /** `hive2://host:port`, for messages. */
  readonly text: string;
}

const PLAIN = ['none', 'ldap', 'pam', 'custom', 'plain'];
const DEFAULT_SETTINGS = {
  // A cancelled query of local MapReduce ends at once, one of local Tez minutes later.
  'hive.execution.engine': 'mr',
  // A table over a list of files reads the files themselves: together, and under their own names.
  'hive.rework.mapredwork': 'true',
  // A table over a directory shows what lies in the directories below it too.
  'mapreduce.input.fileinputformat.input.dir.recursive': 'true',
};

/**
 * Reads `hive2://[user[:password]@]host[:port][/database][?auth=nosasl|none|ldap|pam|custom&ssl=true&<hive setting>=<value>…]`.
 * Without `auth` it is `nosasl`, or `ldap` where the URL holds a password. Names with a dot are settings of the sessions:
 * `?hive.execution.engine=tez`.
 *
 * @param user who signs in where the URL names nobody
 * @throws GridError `invalid-configuration`
 */
export function parseHiveUrl(url: string, user: string): HiveAddress {
  const refuse = (problem: string): never => {
    throw new GridError(
      'invalid-configuration',
      `Reading HIVE_URL=${withoutPassword(url)}: ${problem}. Give hive2://[user[:password]@]host:port[/database][?auth=nosasl|none|ldap].`,
    );
  };
  if (!url.startsWith('hive2://')) return refuse('it does not begin with hive2://');
  let parsed: URL;
  try {
    // An unknown scheme would be parsed by looser rules.
    parsed = new URL(`http://${url.slice('hive2://'.length)}`);
  } catch {
    return refuse('it is no URL');
  }
  const settings: Record<string, string> = { ...DEFAULT_SETTINGS };
  let auth = parsed.password === '' ? 'nosasl' : 'ldap';
  let tls = false;
  for (const [name, value] of parsed.searchParams) {
    if (name === 'auth') auth = value.toLowerCase();
    else if (name === 'ssl') tls = value === 'true' ? true : value === 'false' ? false : refuse('ssl is true or false');
    else if (name.includes('.')) settings[name] = value;
    else refuse(`it has the unknown parameter ${name}`);
  }
  if (auth !== 'nosasl' && !PLAIN.includes(auth)) {
    refuse(`auth=${auth} is not spoken here (Kerberos needs a proxy such as Knox)`);
  }
  const name = parsed.username === '' ? user : decodeURIComponent(parsed.username);
  const database = decodeURIComponent(parsed.pathname.slice(1));
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  // 80 is what the scheme of the parser leaves out.
  const port = parsed.port === '' ? (/:80(?:[/?]|$)/.test(url) ? 80 : 10_000) : Number(parsed.port);
  return {
    host,
    port,
    database: database === '' ? 'default' : database,
    tls,
    authentication:
      auth === 'nosasl'
        ? { kind: 'nosasl' }
        : {
            kind: 'plain',
            user: name,
            password: parsed.password === '' ? 'anonymous' : decodeURIComponent(parsed.password),
          },
    settings,
    text: `hive2://${host}:${port}`,
  };
}

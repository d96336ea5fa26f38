import { Command, InvalidArgumentError, Option } from 'commander';
import type { Config } from '../../../runtime/config.ts';
import { SERVER_NAMES, type ServerName } from '../../native/settings.ts';

/** What the user asked `npm start` for. */
export interface StartOptions {
  /** Seconds of streaming after which it stops by itself; 0: only when told to. */
  readonly forSeconds: number;
  /** Whether servers that this run started stay up when it stops. */
  readonly keepServers: boolean;
  readonly simbench: boolean;
  /** Whether SQL history is imported beside the streaming. */
  readonly import: boolean;
  /** The servers to bring up, {@link ESSENTIAL_SERVERS} among them. */
  readonly servers: readonly ServerName[];
}

/** What readings flow through: they stream as soon as these are up. */
export const ESSENTIAL_SERVERS: readonly ServerName[] = ['kafka', 'hdfs', 'redis', 'mongodb', 'postgres'];

/** Reads the command line over the configuration. Prints help or an error and ends the process where that is asked for. */
export function parseOptions(args: readonly string[], config: Config): StartOptions {
  const others = SERVER_NAMES.filter((name) => !ESSENTIAL_SERVERS.includes(name));
  const program = new Command('npm start --')
    .description(
      'Brings the servers up, streams real and simulated readings through Kafka into HDFS, Redis, MongoDB and PostgreSQL, imports SQL history into HDFS and Hive, and shows how it goes, until Ctrl-C.',
    )
    .addOption(
      new Option('--for <seconds>', 'stop after so many seconds of streaming')
        .argParser(parseSeconds)
        .default(config.START_FOR_SECONDS, config.START_FOR_SECONDS === 0 ? 'until Ctrl-C' : undefined),
    )
    .option('--keep-servers', 'leave the servers up when it stops')
    .option('--no-simbench', 'simulated sensors only: do without the SimBench series (a download of 91 MB, once)')
    .option('--no-import', 'do without the import of SQL history into HDFS and Hive')
    .addOption(
      new Option('--servers <names>', `which of ${others.join(', ')} to bring up as well, separated by commas, or none`)
        .argParser(parseServers)
        .default(others, 'all'),
    )
    .showHelpAfterError();
  program.parse([...args], { from: 'user' });
  const given = program.opts<{
    for: number;
    keepServers?: boolean;
    simbench: boolean;
    import: boolean;
    servers: ServerName[];
  }>();
  return {
    forSeconds: given.for,
    keepServers: given.keepServers === true,
    simbench: given.simbench && config.START_SIMBENCH,
    import: given.import && config.START_IMPORT,
    servers: SERVER_NAMES.filter((name) => ESSENTIAL_SERVERS.includes(name) || given.servers.includes(name)),
  };
}

function parseSeconds(text: string): number {
  if (!/^\d{1,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of seconds.');
  return Number(text);
}

function parseServers(text: string): ServerName[] {
  if (text === 'none') return [];
  return text.split(',').map((name) => {
    const server = SERVER_NAMES.find((known) => known === name);
    if (server === undefined)
      throw new InvalidArgumentError(`There is no server ${name}; there are ${SERVER_NAMES.join(', ')}.`);
    return server;
  });
}

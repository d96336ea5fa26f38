import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Command, InvalidArgumentError } from 'commander';
import colors from 'picocolors';
import { GridError } from '../../grid/errors.ts';
import { examine, type Finding } from './doctor.ts';
import { writeMavenLock } from './install/write-lock.ts';
import { follow, readTail } from './logs.ts';
import { logPath } from './processes.ts';
import { describePages, describeResults, describeStatus, ProgressDisplay } from './report.ts';
import { serverOf } from './servers/registry.ts';
import {
  ALL_SERVER_NAMES,
  isServerName,
  OPTIONAL_SERVER_NAMES,
  SERVER_NAMES,
  settingsFromConfig,
  type ServerName,
} from './settings.ts';
import { bringUpWith, removeInstallations, resetWith, takeDownWith } from './stack.ts';
import { statusOf } from './status.ts';

const LIST = ALL_SERVER_NAMES.join(', ');
const WHICH = `which of ${LIST}; all but ${OPTIONAL_SERVER_NAMES.join(', ')} when none is named`;

const program = new Command('npm run stack --')
  .description(
    'Runs the servers of PowerGrid Lambda natively, without Docker. Data, logs and software lie in STACK_HOME.',
  )
  .showHelpAfterError();

program
  .command('up')
  .description('bring servers up (download, start or mend what is needed) and wait until they answer')
  .argument('[servers...]', WHICH)
  .action(async (names: string[]) => {
    const settings = settingsFromConfig();
    const results = await withDisplay((display) => bringUpWith(settings, chosen(names), display.show));
    console.log(describeResults(results));
    const pages = describePages(
      settings,
      results.map(({ name }) => name),
    );
    if (pages !== '') console.log(`\n${pages}`);
  });

program
  .command('down')
  .description('stop those servers that `up` started; their data stays')
  .argument('[servers...]', WHICH)
  .action(async (names: string[]) => {
    const stopped = await withDisplay((display) => takeDownWith(settingsFromConfig(), chosen(names), display.show));
    console.log(stopped.length === 0 ? 'Nothing was running.' : `Stopped ${stopped.join(', ')}.`);
  });

program
  .command('status')
  .description('show state, process, address, memory, version and data size of each server')
  .argument('[servers...]', WHICH)
  .action(async (names: string[]) => {
    const settings = settingsFromConfig();
    const looked = names.length === 0 ? ALL_SERVER_NAMES : chosen(names);
    const statuses = (await Promise.all(looked.map((name) => statusOf(settings, name)))).filter(
      ({ name, state }) => state !== 'stopped' || names.length > 0 || isUsual(name),
    );
    console.log(describeStatus(statuses));
    if (statuses.some(({ state }) => state === 'broken')) process.exitCode = 1;
  });

program
  .command('logs')
  .description('show what a server wrote')
  .argument('<server>', `one of ${LIST}`)
  .option('-f, --follow', 'go on showing what it writes, until Ctrl-C')
  .option('-n, --lines <count>', 'how many lines from the end', parseCount, 50)
  .action((name: string, options: { follow?: boolean; lines: number }) => {
    const settings = settingsFromConfig();
    const [server] = chosen([name]);
    if (server === undefined) return;
    const paths = serverOf(server).processNames.map((processName) => logPath(settings, processName));
    for (const path of paths) {
      if (paths.length > 1) console.log(colors.bold(`==> ${path} <==`));
      const text = readTail(path, options.lines);
      if (text !== '') console.log(text);
    }
    if (options.follow === true) follow(paths, (_, text) => process.stdout.write(text));
  });

program
  .command('reset')
  .description('stop servers and remove their data and logs')
  .argument('[servers...]', WHICH)
  .option('-y, --yes', 'do not ask')
  .option('--installations', 'remove the downloaded software of all servers too')
  .action(async (names: string[], options: { yes?: boolean; installations?: boolean }) => {
    const settings = settingsFromConfig();
    const servers = chosen(names);
    const question = `Remove all data of ${servers.join(', ')} in ${join(settings.home, 'data')}?`;
    if (options.yes !== true && !(await confirm(question))) {
      console.log('Nothing was removed.');
      return;
    }
    await withDisplay((display) => resetWith(settings, servers, display.show));
    if (options.installations === true) await removeInstallations(settings);
    console.log(
      `Removed the data of ${servers.join(', ')}${options.installations === true ? ' and all installations' : ''}.`,
    );
  });

program
  .command('doctor')
  .description('check what setting up and running the stack depends on')
  .action(async () => {
    const findings = await examine(settingsFromConfig());
    const marks: Record<Finding['verdict'], string> = {
      ok: colors.green('ok     '),
      warning: colors.yellow('warning'),
      problem: colors.red('problem'),
    };
    for (const { what, verdict, detail } of findings) console.log(`${marks[verdict]}  ${what}: ${detail}`);
    if (findings.some(({ verdict }) => verdict === 'problem')) process.exitCode = 1;
  });

program
  .command('lock', { hidden: true })
  .description(
    'for maintainers: resolve maven/<name>/pom.xml and write its files and their hashes to locks/<name>.json',
  )
  .argument('<names...>')
  .action(async (names: string[]) => {
    for (const name of names) console.log(`${name}: ${await writeMavenLock(settingsFromConfig(), name)} files`);
  });

/** Whether it is of those that come without being named. */
function isUsual(name: ServerName): boolean {
  return (SERVER_NAMES as readonly ServerName[]).includes(name);
}

function chosen(names: readonly string[]): ServerName[] {
  const unknown = names.filter((name) => !isServerName(name));
  if (unknown.length > 0) {
    throw new GridError('invalid-configuration', `There is no server ${unknown.join(', ')}; there are ${LIST}.`);
  }
  return names.length === 0 ? [...SERVER_NAMES] : names.filter(isServerName);
}

async function withDisplay<T>(work: (display: ProgressDisplay) => Promise<T>): Promise<T> {
  const display = new ProgressDisplay();
  try {
    return await work(display);
  } finally {
    display.clear();
  }
}

function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new GridError('invalid-configuration', `${question} There is no terminal to ask on: say --yes.`);
  }
  const dialogue = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await dialogue.question(`${question} [y/N] `)).trim());
  } finally {
    dialogue.close();
  }
}

// `stack status | head` closes our output early.
process.stdout.on('error', () => process.exit(0));
// Ending by `exit` ends the downloads too; servers that were started stay up.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, () => process.exit(code));
}
await program.parseAsync(process.argv);

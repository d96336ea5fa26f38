import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { fileURLToPath } from 'node:url';
import { withLockFile } from './lock-file.mjs';

export const projectDirectory = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const OLDEST_NODE = [20, 19];

/** Makes sure that this Node can run the project and that its dependencies are installed; exits with a sentence if not. */
export async function prepare() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    fail(
      `This is Node ${process.versions.node}; PowerGrid Lambda needs Node ${OLDEST_NODE.join('.')} or newer. Install a current LTS release.`,
    );
  }
  process.chdir(projectDirectory);
  if (dependenciesMatch()) return;
  await withLockFile(
    join(projectDirectory, '.stack', 'npm-ci.lock'),
    async () => {
      // Another start may have installed them while this one waited.
      if (!dependenciesMatch()) await installDependencies();
    },
    (pid) => console.error(`Waiting for process ${pid}, which is installing the dependencies.`),
  );
}

/**
 * Whether node_modules holds what package-lock.json names, judged by npm's own record of what it installed. Packages for
 * other platforms are rightly absent; more than is named does no harm.
 */
function dependenciesMatch() {
  const wanted = readPackages(join(projectDirectory, 'package-lock.json'));
  const installed = readPackages(join(projectDirectory, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return false;
  if (wanted === undefined) return true;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const there = installed[path];
    if (there === undefined) return entry.optional === true || entry.devOptional === true;
    return there.version === entry.version && there.integrity === entry.integrity;
  });
}

function readPackages(path) {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? {};
  } catch {
    return undefined;
  }
}

async function installDependencies() {
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const line = () => `Installing the dependencies (npm ci) … ${seconds()} s`;
  const terminal = process.stderr.isTTY === true;
  process.stderr.write(terminal ? line() : `${line().replace(/ \d+ s$/, '')}\n`);
  const ticker = terminal ? setInterval(() => process.stderr.write(`\r${line()}`), 1000) : undefined;
  const { code, output } = await runNpm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  clearInterval(ticker);
  if (terminal) process.stderr.write('\r\x1b[K');
  if (code === 0) {
    console.error(`Installed the dependencies in ${seconds()} s.`);
    return;
  }
  fail(
    `Installing the dependencies failed (npm ci ended with ${code}). npm said:\n${output.trim().split('\n').slice(-15).join('\n')}`,
  );
}

function runNpm(args) {
  return new Promise((resolve) => {
    const child = spawn('npm', args, { cwd: projectDirectory, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) =>
      resolve({ code: error.code ?? 'an error', output: `${error.message}. Is npm on the PATH?` }),
    );
    child.on('exit', (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

/** @returns {never} */
export function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

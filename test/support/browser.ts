import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { chromium, type Browser } from 'playwright-core';
import { PROJECT_DIRECTORY } from '../../infra/native/settings.ts';

/** A browser, or why there is none on this machine. */
export type BrowserResult =
  { readonly kind: 'ready'; readonly browser: Browser } | { readonly kind: 'unavailable'; readonly why: string };

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome-headless-shell'];
const PACKAGE = '@sparticuz/chromium';
/** For root, and where a container forbids what the sandbox needs; only our own pages are opened. */
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars'];
const UNPACKING_MS = 120_000;
const STARTING_MS = 120_000;
/** Where the package unpacks its own system libraries, for systems that lack them. */
const LIBRARIES = join('al2023', 'lib');
const FONTS = 'fonts';

/**
 * Starts a headless Chromium: the one that `CHROMIUM_PATH` names, else the machine's, else one that comes within an npm package, with the libraries and fonts that
 * it needs, so that nobody has to install anything.
 */
export async function openBrowser(): Promise<BrowserResult> {
  const problems: string[] = [];
  for (const find of [machinesBrowser, packagedBrowser]) {
    try {
      const found = await find();
      if (found === undefined) continue;
      const { path, environment } = found;
      const options = {
        executablePath: path,
        args: FLAGS,
        timeout: STARTING_MS,
        env: { ...cleanEnvironment(), ...environment },
      };
      return { kind: 'ready', browser: await chromium.launch(options) };
    } catch (error) {
      problems.push(error instanceof Error ? error.message.slice(0, 500) : String(error));
    }
  }
  const why = problems.length === 0 ? 'there is no Chromium' : problems.join('; ');
  return { kind: 'unavailable', why: `no browser starts here (${why}): name one in CHROMIUM_PATH` };
}

interface FoundBrowser {
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
}

function machinesBrowser(): Promise<FoundBrowser | undefined> {
  const named = process.env['CHROMIUM_PATH'] ?? '';
  const directories = (process.env['PATH'] ?? '').split(delimiter);
  const all = [named, ...NAMES.flatMap((name) => directories.map((directory) => join(directory, name)))];
  const path = all.find((candidate) => candidate !== '' && existsSync(candidate));
  return Promise.resolve(path === undefined ? undefined : { path, environment: {} });
}

async function packagedBrowser(): Promise<FoundBrowser> {
  const { version } = createRequire(import.meta.url)(
    join(PROJECT_DIRECTORY, `node_modules/${PACKAGE}/package.json`),
  ) as { readonly version: string };
  const directory = join(PROJECT_DIRECTORY, `node_modules/.cache/chromium-${version}`);
  if (!existsSync(directory)) await unpack(directory);
  const path = join(directory, 'chromium');
  const environment = { FONTCONFIG_PATH: join(directory, FONTS) };
  if (await lacksLibraries(path))
    return { path, environment: { ...environment, LD_LIBRARY_PATH: join(directory, LIBRARIES) } };
  return { path, environment: existsSync('/etc/fonts/fonts.conf') ? {} : environment };
}

/** In a process of its own, since the package unpacks to wherever the environment says, and changes it. */
async function unpack(directory: string): Promise<void> {
  await mkdir(join(directory, '..'), { recursive: true });
  const made = await mkdtemp(`${directory}-`);
  const script = `import(${JSON.stringify(PACKAGE)}).then(({ default: chromium }) => chromium.executablePath())`;
  try {
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      cwd: PROJECT_DIRECTORY,
      // With this it unpacks its libraries too.
      env: {
        ...process.env,
        TMPDIR: made,
        AWS_LAMBDA_JS_RUNTIME: `nodejs${process.versions.node.split('.')[0] ?? ''}.x`,
      },
      timeout: UNPACKING_MS,
    });
    await rename(made, directory);
  } catch (error) {
    // Another may have been faster.
    if (!existsSync(directory)) throw error;
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

async function lacksLibraries(path: string): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ldd', [path]).catch(() => ({ stdout: 'not found' }));
  return stdout.includes('not found');
}

function cleanEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

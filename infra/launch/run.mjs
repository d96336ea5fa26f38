// node infra/launch/run.mjs <file.ts> [arguments]: makes sure that the dependencies are there, then runs the file in this
// same process, so that signals reach it.
import { fail } from './prepare.mjs';
import { runTypeScript } from './run-typescript.mjs';

const [file, ...args] = process.argv.slice(2);
if (file === undefined) fail('Usage: node infra/launch/run.mjs <file.ts> [arguments]');
await runTypeScript(file, args);

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, prepare, projectDirectory } from './prepare.mjs';

/** Runs a TypeScript file of the project in this process, as if it had been started as `node <file> <args>`. */
export async function runTypeScript(file, args) {
  await prepare();
  const path = resolve(projectDirectory, file);
  if (!existsSync(path)) fail(`There is no file ${file} in ${projectDirectory}.`);
  const { register } = await import('tsx/esm/api');
  register();
  process.argv.splice(1, process.argv.length, path, ...args);
  try {
    await import(pathToFileURL(path).href);
  } catch (error) {
    // Our own errors are sentences for a reader; everything else is a defect, whose stack is needed.
    if (error?.name === 'GridError') fail(error.message);
    throw error;
  }
}

// npm start: makes sure that the dependencies are there, then runs infra/launch/start.ts.
import { runTypeScript } from './run-typescript.mjs';

await runTypeScript('infra/launch/start.ts', process.argv.slice(2));

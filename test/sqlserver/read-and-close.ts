/** Opens a reader at the SQL Server that the first argument names, and closes only the source; then nothing is left to keep the process. */
import { never, sourceAt } from './wire-bed.ts';

const source = sourceAt(process.argv[2] ?? '');
await source.read(undefined, never);
await source.close();
process.stdout.write('closed\n');

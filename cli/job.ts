import { runJobCommand } from './job/commands.ts';

const exitCode = await runJobCommand(process.argv.slice(2));
// Whatever still waits (a long poll, say) must not hold the process; what was written must be out.
process.stdout.write('', () => {
  process.exit(exitCode);
});

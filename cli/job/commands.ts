import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { answeringAddress, TemporalClient } from '../../connectors/temporal/client.ts';
import type { ConfiguredSchedule } from '../../connectors/temporal/configured-schedule.ts';
import { asGridError, type GridError } from '../../grid/errors.ts';
import { loadConfig, type Config } from '../../runtime/config.ts';
import { cancelJob, listJobs, showJob } from './executions.ts';
import { describeExecution } from '../../connectors/temporal/executions.ts';
import { readJobInput } from './job-input.ts';
import { EXIT, type CommandOutcome } from './outcome.ts';
import { apply, backfill, pause, scheduleOf, showSchedule, trigger } from './schedule.ts';
import { followJob, startJob } from './start.ts';
import { JOBS } from '../../workflows/registry.ts';

type Work = (temporal: TemporalClient, config: Config) => Promise<CommandOutcome>;

/**
 * Runs one command of `npm run job --`.
 *
 * @returns the exit code: 0 done, 1 the job failed or cannot be had, 2 the command is wrong, 130 left to itself by Ctrl-C
 */
export async function runJobCommand(args: readonly string[]): Promise<number> {
  let outcome: CommandOutcome | undefined;
  const program = commands(async (work) => {
    outcome = await connected(work);
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    outcome = outcomeOfError(error);
  }
  if (outcome === undefined) return EXIT.done;
  for (const line of outcome.report) process.stderr.write(`${line}\n`);
  if ('result' in outcome) process.stdout.write(`${JSON.stringify(outcome.result)}\n`);
  return outcome.exitCode;
}

function commands(run: (work: Work) => Promise<void>): Command {
  const program = new Command('npm run job --')
    .description('Starts batch jobs, follows them, and tells of them.')
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText(
      'after',
      [
        '',
        'Workflows:',
        ...JOBS.map(({ contract: { workflowType, summary } }) => `  ${workflowType.padEnd(22)} ${summary}`),
        '',
        'Examples:',
        ...JOBS.map(
          ({ contract: { workflowType, example } }) =>
            `  npm run job -- ${workflowType} --input '${JSON.stringify(example)}'`,
        ),
        '  npm run job -- list --status failed',
        '  npm run job -- retry --dry-run',
      ].join('\n'),
    );
  const command = (usage: string, description: string): Command => program.command(usage).description(description);

  program
    .command('start <workflow>', { isDefault: true })
    .description('start a workflow and follow it to its end; `start` may be left out')
    .option('--input <json>', 'its input, or @<file>', '{}')
    .option('--id <workflow id>', 'default: <workflow>-<uuid>')
    .option('--detach', 'do not wait for its end', false)
    .action(async (workflowType: string, options: { input: string; id?: string; detach: boolean }) => {
      const input = await readJobInput(options.input);
      await run((temporal, config) =>
        startJob(temporal, config.TEMPORAL_TASK_QUEUE, {
          workflowType,
          input,
          detach: options.detach,
          ...(options.id === undefined ? {} : { workflowId: options.id }),
        }),
      );
    });

  command('list', 'list workflows, the newest first')
    .option('--status <status>', 'running, completed, failed, cancelled, terminated or timed-out')
    .option('--type <workflow>', 'only of this workflow')
    .option('--limit <count>', 'at most so many', count, 20)
    .option('--json', 'as one line of JSON', false)
    .action(async (options: { status?: string; type?: string; limit: number; json: boolean }) => {
      const { type, ...rest } = options;
      await run((temporal, config) =>
        listJobs(temporal, {
          ...rest,
          taskQueue: config.TEMPORAL_TASK_QUEUE,
          ...(type === undefined ? {} : { workflowType: type }),
        }),
      );
    });

  command('show <id>', 'tell of one workflow').action((workflowId: string) =>
    run((temporal) => showJob(temporal, workflowId)),
  );
  command('follow <id>', 'follow a running workflow to its end').action((workflowId: string) =>
    run(async (temporal) => {
      const { workflowType, taskQueue } = await describeExecution(temporal, workflowId);
      return followJob(temporal, taskQueue, workflowType, workflowId);
    }),
  );
  command('cancel <id>', 'cancel a workflow, and wait for its end').action((workflowId: string) =>
    run((temporal) => cancelJob(temporal, workflowId)),
  );

  command('retry', 'try failed and parked runs again: the workflow retryFailedBackfills')
    .option('--since <date>', 'only runs that ended since; default: 7 days ago')
    .option('--workflow-type <workflow>', 'default: importSqlHistory')
    .option('--concurrency <count>', 'retries at once', count)
    .option('--dry-run', 'tell what would be retried, and do nothing', false)
    .option('--detach', 'do not wait for its end', false)
    .action(async ({ detach, ...input }: Record<string, unknown> & { detach: boolean }) => {
      await run((temporal, config) =>
        startJob(temporal, config.TEMPORAL_TASK_QUEUE, { workflowType: 'retryFailedBackfills', input, detach }),
      );
    });

  const schedule = command(
    'schedule',
    'the nightly import: show it (or apply, trigger, backfill, pause, resume)',
  ).option('--workflow <workflow>', 'the schedule of another workflow', 'importSqlHistory');
  const scheduled = (work: (temporal: TemporalClient, configured: ConfiguredSchedule) => Promise<CommandOutcome>) =>
    run((temporal, config) => work(temporal, scheduleOf(schedule.opts<{ workflow: string }>().workflow, config)));
  schedule
    .command('show', { isDefault: true })
    .description('what Temporal has of it')
    .action(() => scheduled((temporal, { id }) => showSchedule(temporal, id)));
  schedule
    .command('apply')
    .description('make it as it is configured')
    .option('--take-over', 'also one of another task queue, which is given up', false)
    .action((options: { takeOver: boolean }) =>
      scheduled((temporal, configured) => apply(temporal, configured, options.takeOver)),
    );
  schedule
    .command('trigger')
    .description('start a run now')
    .action(() => scheduled((temporal, { id }) => trigger(temporal, id)));
  schedule
    .command('backfill <from> <to>')
    .description('start the runs of past days, each for its own day: 2026-03-01 2026-03-03')
    .action((from: string, to: string) => scheduled((temporal, { id }) => backfill(temporal, id, from, to)));
  for (const [name, isPaused] of [
    ['pause', true],
    ['resume', false],
  ] as const) {
    schedule
      .command(name)
      .description(isPaused ? 'no runs until it is resumed' : 'runs again')
      .action(() => scheduled((temporal, { id }) => pause(temporal, id, isPaused)));
  }
  return program;
}

async function connected(work: Work): Promise<CommandOutcome> {
  const config = loadConfig();
  const temporal = new TemporalClient({
    address: await answeringAddress(config.TEMPORAL_ADDRESS, config.TEMPORAL_NAMESPACE),
    namespace: config.TEMPORAL_NAMESPACE,
    identity: `job@${process.pid}`,
  });
  try {
    return await work(temporal, config);
  } finally {
    await temporal.close();
  }
}

function outcomeOfError(error: unknown): CommandOutcome | undefined {
  if (error instanceof CommanderError) {
    // It has written its text by itself; help that was asked for is no error.
    return error.exitCode === 0 ? undefined : refusal(EXIT.usage, 'invalid-input', error.message, []);
  }
  const known = asGridError(error, 'Running the command');
  if (known.code === 'defect' && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  const exitCode = known.code === 'invalid-input' ? EXIT.usage : EXIT.failed;
  return refusal(exitCode, known.code, known.message, [known.message], known.details);
}

function refusal(
  exitCode: number,
  code: GridError['code'],
  message: string,
  report: readonly string[],
  details: GridError['details'] = {},
): CommandOutcome {
  return { exitCode, report, result: { status: 'failed', code, message, ...details } };
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number, 1 or more.');
  return value;
}

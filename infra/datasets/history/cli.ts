import { Command, InvalidArgumentError } from 'commander';
import colors from 'picocolors';
import { loadConfig, withoutPassword } from '../../../runtime/config.ts';
import { Screen } from '../../../runtime/terminal/screen.ts';
import { SetupProgress } from '../../launch/start/view/setup-progress.ts';
import { settingsFromConfig } from '../../native/settings.ts';
import { provideSimbench } from '../simbench.ts';
import { DEFAULT_READINGS, provideHistory } from './history.ts';
import { SERIES_ROWS, SIMBENCH_SERIES } from './readings.ts';
import type { ProvidedTable } from './sample-table.ts';

const MOST_ROWS = SERIES_ROWS * SIMBENCH_SERIES;

const program = new Command('npm run history --')
  .description(
    'Loads sample history into the database of HISTORY_POSTGRES_URL: tables telemetry_readings, node, load, telemetry and awkward_types in its schema public. Tables that are there already stay.',
  )
  .option(
    '--rows <count>',
    `rows of telemetry_readings, by whole series of ${text(SERIES_ROWS)}; SimBench has ${text(MOST_ROWS)}`,
    parseRows,
    DEFAULT_READINGS,
  )
  .option('--anew', 'drop the sample tables that are there, and load them again')
  .option('--no-simbench', 'generated values only: do without SimBench (a download of 91 MB, once)')
  .showHelpAfterError();
program.parse();
const options = program.opts<{ rows: number; anew?: boolean; simbench: boolean }>();

const config = loadConfig();
const display = new SetupProgress(
  new Screen(process.stdout, () => {
    process.exit(1);
  }),
);
let simbenchDirectory: string | undefined;
const notes: string[] = [];
let tables: ProvidedTable[];
try {
  if (options.simbench) {
    const simbench = await provideSimbench(settingsFromConfig(config).home, (progress) => {
      display.show('simbench', progress);
    });
    if (simbench.kind === 'ready') simbenchDirectory = simbench.directory;
    else notes.push(`There is no SimBench, so values are generated. ${simbench.error.message}`);
  }
  tables = await provideHistory({
    databaseUrl: config.HISTORY_POSTGRES_URL,
    simbenchDirectory,
    rows: options.rows,
    anew: options.anew === true,
    progress: (progress) => {
      display.show('history', progress);
    },
  });
} finally {
  display.hide();
}
for (const note of notes) console.log(colors.yellow(note));
console.log(`Sample history in ${withoutPassword(config.HISTORY_POSTGRES_URL)}:`);
for (const table of tables) console.log(`  public.${table.name.padEnd(20)}${outcomeText(table)}`);
const readings = tables.find(({ name }) => name === 'telemetry_readings');
if (readings?.origin === 'simbench' && (readings.rows ?? 0) < options.rows) {
  console.log(`SimBench has no more than these ${text(readings.rows ?? 0)} rows.`);
}

function outcomeText({ outcome, rows = 0, origin }: ProvidedTable): string {
  if (outcome === 'foreign') return colors.yellow('is not of this program, and was left alone');
  const from = origin === 'simbench' ? 'SimBench' : 'generated';
  const how = { present: 'there already', loaded: 'loaded', extended: 'extended' }[outcome];
  return `${text(rows).padStart(11)} rows, ${from}, ${how}`;
}

function text(count: number): string {
  return count.toLocaleString('en');
}

function parseRows(value: string): number {
  if (!/^\d{1,9}$/.test(value) || Number(value) === 0)
    throw new InvalidArgumentError('It must be a whole number above 0.');
  return Number(value);
}

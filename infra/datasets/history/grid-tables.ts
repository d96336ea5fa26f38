import { join } from 'node:path';
import { readLines } from '../../../streaming/sources/file/lines.ts';
import { copyCsvFile, copyField, copyLines } from './copy-in.ts';
import type { SampleTable } from './sample-table.ts';

const GENERATED_NODES = 20_000;
const GENERATED_LOADS = 8_000;
/** Loads whose nominal power is the wattage of the course's example. */
const TELEMETRY_ROWS = 5_000;

/** The grid's nodes. */
export const node: SampleTable = {
  name: 'node',
  about: "the grid's nodes; voltages in kV (vm_r) and per unit.",
  async make({ client, source: { simbenchDirectory }, progress, signal }) {
    await client.query(
      `CREATE TABLE public.node (
         id text NOT NULL, type text NOT NULL,
         vm_setp numeric(6, 3), va_setp numeric(6, 1), vm_r numeric(6, 1) NOT NULL, vm_min numeric(6, 3), vm_max numeric(6, 3),
         substation text, coord_id text, subnet text, volt_lvl smallint NOT NULL)`,
    );
    progress('loading node');
    const rows =
      simbenchDirectory === undefined
        ? (await client.query(GENERATE_NODES)).rowCount
        : await copyCsvFile(client, 'public.node', join(simbenchDirectory, 'scenario-0', 'Node.csv'), signal);
    await client.query('ALTER TABLE public.node ADD PRIMARY KEY (id)');
    return { origin: simbenchDirectory === undefined ? 'generated' : 'simbench', rows: rows ?? 0, series: 0 };
  },
};

const GENERATE_NODES = `
  INSERT INTO public.node
  SELECT 'Bus ' || n, CASE n % 50 WHEN 0 THEN 'busbar' ELSE 'node' END,
         CASE n % 100 WHEN 0 THEN 1.025 END, CASE n % 200 WHEN 0 THEN 0.0 END, (ARRAY[0.4, 20, 110])[1 + n % 3], 0.9, 1.1,
         CASE n % 50 WHEN 0 THEN 'Substation ' || n / 50 END, 'coord_' || n, 'LV' || n % 97, (ARRAY[7, 5, 3])[1 + n % 3]
    FROM generate_series(1, ${GENERATED_NODES}) AS n`;

/** What is connected to the nodes. */
export const load: SampleTable = {
  name: 'load',
  about: 'loads with their profile and nominal power in MW, Mvar and MVA.',
  async make({ client, source: { simbenchDirectory }, progress, signal }) {
    await client.query(
      `CREATE TABLE public.load (
         id text NOT NULL, node text NOT NULL, profile text NOT NULL,
         p_load numeric(12, 6) NOT NULL, q_load numeric(12, 6) NOT NULL, s_r numeric(14, 8) NOT NULL,
         subnet text, volt_lvl smallint NOT NULL)`,
    );
    progress('loading load');
    const rows =
      simbenchDirectory === undefined
        ? (await client.query(GENERATE_LOADS)).rowCount
        : await copyCsvFile(client, 'public.load', loadFile(simbenchDirectory), signal);
    await client.query('ALTER TABLE public.load ADD PRIMARY KEY (id)');
    return { origin: simbenchDirectory === undefined ? 'generated' : 'simbench', rows: rows ?? 0, series: 0 };
  },
};

const GENERATE_LOADS = `
  INSERT INTO public.load
  SELECT 'Load ' || n, 'Bus ' || n * 2, (ARRAY['H0-A', 'G1-B', 'L2-M', 'G4-B'])[1 + n % 4],
         (n % 430) * 0.001, (n % 430) * 0.000395, (n % 430) * 0.00107527, 'LV' || n % 97, 7
    FROM generate_series(1, ${GENERATED_LOADS}) AS n`;

/** The example of many a course: neither time nor unit, so both have to be declared to read it as telemetry. */
export const telemetry: SampleTable = {
  name: 'telemetry',
  about: 'nominal power of loads in W.',
  async make({ client, source: { simbenchDirectory }, progress, signal }) {
    await client.query('CREATE TABLE public.telemetry (id int PRIMARY KEY, name text, wattage double precision)');
    progress('loading telemetry');
    const rows =
      simbenchDirectory === undefined
        ? (await client.query(GENERATE_TELEMETRY)).rowCount
        : await copyLines(client, 'public.telemetry', telemetryLines(loadFile(simbenchDirectory), signal), signal);
    return { origin: simbenchDirectory === undefined ? 'generated' : 'simbench', rows: rows ?? 0, series: 0 };
  },
};

const GENERATE_TELEMETRY = `
  INSERT INTO public.telemetry
  SELECT n, 'Load ' || n, (n % 430) * 1000.5 FROM generate_series(1, ${TELEMETRY_ROWS}) AS n`;

/** MW become W by the exponent: the digits are the file's. */
async function* telemetryLines(path: string, signal: AbortSignal): AsyncGenerator<string> {
  for await (const { lines } of readLines({ path, encoding: 'utf-8', signal })) {
    for (const { row, text } of lines) {
      if (row === 1) continue;
      const id = row - 1;
      if (id > TELEMETRY_ROWS) return;
      const [name = '', , , megawatts = ''] = text.split(';');
      yield `${id}\t${copyField(name)}\t${megawatts}e6\n`;
    }
  }
}

function loadFile(simbenchDirectory: string): string {
  return join(simbenchDirectory, 'scenario-0', 'Load.csv');
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Files as SimBench has them, with some rows: the night when clocks are set back, exponents, ten decimal places. */
export async function writeSimbenchFiles(directory: string): Promise<void> {
  const scenario = join(directory, 'scenario-0');
  await mkdir(scenario, { recursive: true });
  const file = (name: string, lines: readonly string[]): Promise<void> =>
    writeFile(join(scenario, name), `${lines.join('\n')}\n`);
  const times = ['29.10.2016 23:45', '30.10.2016 02:45', '30.10.2016 02:00', '30.10.2016 02:15'];
  await file('LoadProfile.csv', [
    'time;H0-A_pload;H0-A_qload;G1-B_pload',
    ...['0.1;-9.42E-08;5.00E-06', '1;0;0.123456789', '0.25;0.5;0.75', '1.0;1.5;-0.000000001'].map(
      (cells, index) => `${times[index] ?? ''};${cells}`,
    ),
  ]);
  await file('RESProfile.csv', [
    'time;PV1;WP7',
    ...times.map((time, index) => `${time};0.${index};0.98494885${index}`),
  ]);
  await file('PowerPlantProfile.csv', ['time;imp0', ...times.map((time) => `${time};7`)]);
  await file('Node.csv', [
    'id;type;vmSetp;vaSetp;vmR;vmMin;vmMax;substation;coordID;subnet;voltLvl',
    'MV1.102 busbar1.1;busbar;1.025;NULL;20;0.965;1.055;HV1_MV1.102_Substation;coord_1;MV1.102;5',
    'LV Bus 4;node;NULL;0.0;0.4;0;1.1;NULL;coord_2;LV1.101;7',
  ]);
  await file('Load.csv', [
    'id;node;profile;pLoad;qLoad;sR;subnet;voltLvl',
    'LV Load 1;LV Bus 4;H0-A;0.0035;0.000395;0.00107527;LV1.101;7',
    'LV Load 2;LV Bus 4;H0-A;0.23;0.0909;0.247312;LV1.101;7',
  ]);
}

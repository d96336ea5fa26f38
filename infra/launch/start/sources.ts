import { join } from 'node:path';
import type { Config } from '../../../runtime/config.ts';
import { shareDirectory } from '../../datasets/share/share.ts';
import type { SimbenchResult } from '../../datasets/simbench.ts';

/** Environment of the workers: what `npm start` sets where the user has set nothing. */
export type WorkerEnvironment = Readonly<Record<string, string>>;

/** SimBench's quarter-hours a second of real time. */
export const SIMBENCH_SPEED = 900;
const ROTATE_SECONDS = '10';
/** So that the first batch views have readings. */
const SEGMENT_SECONDS = '30';

/**
 * The settings that make a first look lively: files in HDFS that are soon visible, and a quarter-hour of SimBench a second, again and
 * again, from where the last run stopped. What the user has set, in the environment or in `.env`, stays as it is.
 *
 * @param stackHome where the position of the replay is kept, and the sample share of legacy files.
 * @param userEnvironment the environment over `.env`; an empty value counts as not set.
 */
export function workerEnvironment(
  userEnvironment: NodeJS.ProcessEnv,
  stackHome: string,
  simbench: SimbenchResult | undefined,
): WorkerEnvironment {
  const isSet = (name: string): boolean => (userEnvironment[name] ?? '') !== '';
  const wanted: Record<string, string> = {
    HDFS_ROTATE_SECONDS: ROTATE_SECONDS,
    SEGMENT_SECONDS,
    LEGACY_SHARE: shareDirectory(stackHome, simbench?.kind === 'ready'),
  };
  if (simbench?.kind === 'ready' && !isSet('FILE_SOURCE_MAPPING')) {
    wanted['FILE_SOURCE_MAPPING'] = simbench.mappingFile;
    wanted['FILE_SOURCE_DIRECTORY'] = simbench.directory;
    wanted['FILE_SOURCE_SPEED'] = String(SIMBENCH_SPEED);
    wanted['FILE_SOURCE_LOOP'] = 'true';
    wanted['FILE_SOURCE_TIMESTAMPS'] = 'original';
    const timestamps = isSet('FILE_SOURCE_TIMESTAMPS') ? userEnvironment['FILE_SOURCE_TIMESTAMPS'] : 'original';
    // Shifted time stamps end now, once; repeated they would run ahead of the clock.
    if (timestamps === 'shifted') wanted['FILE_SOURCE_LOOP'] = 'false';
    wanted['FILE_SOURCE_STATE_FILE'] = join(stackHome, 'data', 'simulator', `simbench.${timestamps ?? ''}.json`);
  }
  return Object.fromEntries(Object.entries(wanted).filter(([name]) => !isSet(name)));
}

/** The sensor of the example that a newcomer may send. */
export const EXAMPLE_SENSOR_ID = 'my-sensor';

/** The sensors whose newest readings are shown, if they have any: the user's own, two simulated ones, three of SimBench. */
export function preferredSensorIds(config: Pick<Config, 'SIMULATOR_SENSORS' | 'SIMULATOR_FIRST_SENSOR_ID'>): string[] {
  const simulated = Array.from({ length: Math.min(2, config.SIMULATOR_SENSORS) }, (_, index) =>
    String(config.SIMULATOR_FIRST_SENSOR_ID + index),
  );
  return [EXAMPLE_SENSOR_ID, ...simulated, 'simbench.load.H0-A_pload', 'simbench.res.WP7', 'simbench.res.PV1'];
}

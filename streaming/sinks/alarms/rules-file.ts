import { parseAlarmRules, type AlarmRules } from '../../../grid/alarms/rule.ts';
import { readJsonFile } from '../../../runtime/json-file.ts';

/**
 * The rules of a file.
 *
 * @throws GridError `invalid-configuration` with a sentence per fault
 */
export async function readAlarmRules(path: string): Promise<AlarmRules> {
  const json = await readJsonFile(path, {
    code: 'invalid-configuration',
    attempt: `Reading the alarm rules ${path}`,
    advice: 'Correct the file, or set ALARM_RULES to another.',
  });
  return parseAlarmRules(json, path);
}

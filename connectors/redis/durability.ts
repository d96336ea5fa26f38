/**
 * What in a server's settings would break a promise of the newest values, as sentences for the log; none when all is well.
 *
 * @param info the reply of `INFO` (sections `persistence` and `memory`).
 */
export function durabilityWarnings(info: string): string[] {
  const fields = new Map(
    info.split(/\r?\n/).map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
  const warnings: string[] = [];
  if (fields.get('aof_enabled') === '0') {
    warnings.push(
      'Redis runs without an append-only file: after a restart of Redis the newest values are read again from Kafka, as far back as Kafka keeps them. Set appendonly yes.',
    );
  }
  const policy = fields.get('maxmemory_policy');
  if (policy !== undefined && policy.startsWith('allkeys')) {
    warnings.push(
      `Redis may evict any key (maxmemory-policy ${policy}): newest values, or the versions that guard them, can vanish. Set maxmemory-policy noeviction.`,
    );
  }
  return warnings;
}

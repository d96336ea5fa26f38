import { pino, type Logger } from 'pino';

export type { Logger };

/**
 * The logger of a process: JSON lines on standard output, readable lines when `format` is `pretty`.
 * `name` is the process (`speed`, `ingest`, …); components take a child with their own `component` field.
 */
export function createLogger(options: { name: string; level: string; format: 'json' | 'pretty' }): Logger {
  const base = {
    name: options.name,
    level: options.level,
    base: { name: options.name, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    // An error's code and decisions are what an operator greps for; pino's serializer keeps own properties.
    serializers: { error: pino.stdSerializers.errWithCause, err: pino.stdSerializers.errWithCause },
  };
  if (options.format === 'json') return pino(base);
  return pino({
    ...base,
    transport: {
      target: 'pino-pretty',
      options: { translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname,name', singleLine: true },
    },
  });
}

import type { RecordProducer } from '../../../connectors/kafka/produce/record-producer.ts';
import type { GridError } from '../../../grid/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Readiness } from '../../../runtime/http/operations-routes.ts';
import type { PacedClock } from './paced-clock.ts';
import type { PacedSource } from './paced-source.ts';
import { SourceRunner, type RunnerObserver } from './source-runner.ts';

export interface SourceGroupOptions {
  readonly sources: readonly { readonly source: PacedSource; readonly clock: PacedClock }[];
  readonly producer: RecordProducer;
  readonly logger: Logger;
  readonly observer: RunnerObserver;
}

/** Sources that run side by side; one that fails does not hold up the others. */
export interface SourceGroup {
  /** Settles when all have ended; rejects with the first failure. Each has logged its report by then. */
  readonly done: Promise<void>;
  readiness(): Readiness;
  /** Ends all, with at most `timeoutMs` for what is under way, and resolves when they have ended. Never throws. */
  stop(timeoutMs: number): Promise<void>;
}

/** Starts sources, each at its own pace. */
export function startSources(options: SourceGroupOptions): SourceGroup {
  const { producer, logger, observer } = options;
  const failures: GridError[] = [];
  const runners = options.sources.map(
    ({ source, clock }) => new SourceRunner({ source, clock, producer, logger, observer }),
  );
  const runs = runners.map(async (runner) => {
    const { report, failure } = await runner.run();
    logger.info({ report }, `source ${report.outcome}`);
    if (failure === undefined) return;
    failures.push(failure);
    logger.error({ source: report.source, code: failure.code, err: failure }, failure.message);
  });
  const done = Promise.all(runs).then(() => {
    if (failures[0] !== undefined) throw failures[0];
  });
  // Whoever waits for it is told; nobody has to.
  done.catch(() => undefined);
  return {
    done,
    readiness: () => ({ ready: failures.length === 0, problems: failures.map(({ message }) => message) }),
    async stop(timeoutMs) {
      for (const runner of runners) runner.stop(timeoutMs);
      await Promise.all(runs);
    },
  };
}

import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { HiveClient } from '../../connectors/hive/hive.ts';

/** What a killed process leaves: everything up to some step has been done, and nothing after it. */
export class CrashPoint {
  /** Changes that were made so far. */
  steps: string[] = [];
  readonly #last: number;
  readonly #dead = new Error('the process was killed');

  /** @param last number of changes after which nothing more is done */
  constructor(last: number) {
    this.#last = last;
  }

  get isReached(): boolean {
    return this.steps.length >= this.#last;
  }

  hdfs(client: HdfsClient): HdfsClient {
    return this.#wrap(client, ['writeFile', 'rename', 'delete', 'makeDirectory', 'create']);
  }

  hive(client: HiveClient): HiveClient {
    return this.#wrap(client, ['execute']);
  }

  /** The real client; the process dies right after the last change. */
  #wrap<T extends object>(client: T, changing: readonly string[]): T {
    return new Proxy(client, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          if (this.isReached) throw this.#dead;
          const result: unknown = Reflect.apply(member, target, args);
          if (typeof name !== 'string' || !changing.includes(name)) return result;
          return Promise.resolve(result).then((value) => {
            this.steps.push(`${name} ${String(args[0]).slice(0, 120)}`);
            if (this.isReached) throw this.#dead;
            return value;
          });
        };
      },
    });
  }
}

import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
  type DataConverter,
} from '@temporalio/client';
import { GridError } from '../../grid/errors.ts';
import { temporalFailure } from './failure.ts';

export interface TemporalClientOptions {
  /** `host:port`, see {@link answeringAddress} for several. */
  readonly address: string;
  readonly namespace: string;
  /** Shown in the Web UI beside what this client did. */
  readonly identity: string;
  /** Longest wait for the answer to a call, milliseconds; default 10,000. */
  readonly callTimeoutMs?: number;
  readonly dataConverter?: DataConverter;
}

const CALL_TIMEOUT_MS = 10_000;
const PROBE_TIMEOUT_MS = 3_000;
/** Straight to the server, as the workers go: the gRPC library would obey `http_proxy` and the like, which are set for the Web. */
const CHANNEL = { 'grpc.enable_http_proxy': 0 };
/** Tries of one call within its time limit; the second after some 200 ms, then slower and slower. */
const TRIES = 4;

/**
 * A client of one Temporal namespace. It connects with its first call and again after every loss. Use {@link call} for
 * whatever must be bounded in time and fail with an error of ours; `sdk` is the SDK's own client.
 */
export class TemporalClient {
  readonly sdk: Client;
  readonly address: string;
  readonly namespace: string;
  readonly #connection: Connection;
  readonly #callTimeoutMs: number;

  constructor(options: TemporalClientOptions) {
    this.address = options.address;
    this.namespace = options.namespace;
    this.#callTimeoutMs = options.callTimeoutMs ?? CALL_TIMEOUT_MS;
    this.#connection = Connection.lazy({
      address: options.address,
      channelArgs: CHANNEL,
      interceptors: [makeGrpcRetryInterceptor(defaultGrpcRetryOptions({ maxAttempts: TRIES }))],
    });
    this.sdk = new Client({
      connection: this.#connection,
      namespace: options.namespace,
      identity: options.identity,
      ...(options.dataConverter === undefined ? {} : { dataConverter: options.dataConverter }),
    });
  }

  /**
   * Runs calls of the SDK's client under one time limit.
   *
   * @param attempt what is being tried, for the message: `Starting importSqlHistory`
   * @throws GridError `temporal-unavailable`, `temporal-refused`; `shutting-down` when `signal` aborts
   */
  async call<T>(
    attempt: string,
    work: (client: Client) => Promise<T>,
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    const tried = `${attempt} (Temporal at ${this.address}, namespace ${this.namespace})`;
    const { signal } = options;
    // One of the call's own: the SDK never takes its listeners off the signal that it is given.
    const broken = new AbortController();
    const breakOff = (): void => {
      broken.abort();
    };
    signal?.addEventListener('abort', breakOff, { once: true });
    if (signal?.aborted === true) breakOff();
    const deadlineMs = Date.now() + (options.timeoutMs ?? this.#callTimeoutMs);
    try {
      return await this.sdk.withAbortSignal(broken.signal, () =>
        this.sdk.withDeadline(deadlineMs, () => {
          broken.signal.throwIfAborted();
          return work(this.sdk);
        }),
      );
    } catch (error) {
      if (signal?.aborted === true) {
        throw new GridError('shutting-down', `${tried}: given up, since it was told to stop.`, { cause: error });
      }
      throw temporalFailure(error, tried);
    } finally {
      signal?.removeEventListener('abort', breakOff);
    }
  }

  /** Lets go of the connection; what is under way fails. Never throws. */
  async close(): Promise<void> {
    await this.#connection.close().catch(() => undefined);
  }
}

/**
 * Of several addresses of one cluster, the first that answers; of one, that one, without asking. When none answers, the
 * first: whoever calls it learns why.
 */
export async function answeringAddress(addresses: readonly string[], namespace: string): Promise<string> {
  const [first = ''] = addresses;
  if (addresses.length <= 1) return first;
  for (const address of addresses) {
    const client = new TemporalClient({ address, namespace, identity: 'probe', callTimeoutMs: PROBE_TIMEOUT_MS });
    try {
      await client.call('Looking for a server', (sdk) => sdk.workflowService.getSystemInfo({}));
      return address;
    } catch {
      // The next one may answer.
    } finally {
      await client.close();
    }
  }
  return first;
}

/** A promise of a signal's abortion that leaves nothing behind at a signal that lives longer. */
export function abortionOf(signal: AbortSignal): { readonly happened: Promise<void>; forget(): void } {
  let listener: () => void = () => undefined;
  const happened = new Promise<void>((resolve) => {
    listener = resolve;
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', listener, { once: true });
  });
  return {
    happened,
    forget: () => {
      signal.removeEventListener('abort', listener);
    },
  };
}

/**
 * `work`, or the reason of `signal` as soon as that is aborted; what `work` does later is ignored.
 *
 * @throws the signal's reason
 */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined);
  signal.throwIfAborted();
  const abortion = abortionOf(signal);
  try {
    return await Promise.race([
      work,
      abortion.happened.then((): never => {
        signal.throwIfAborted();
        throw new Error('a signal told of its abortion, but is not aborted');
      }),
    ]);
  } finally {
    abortion.forget();
  }
}

/** `work`, or `instead` as soon as `signal` is aborted; what `work` does later is ignored. */
export async function unlessAborted<T, Instead>(
  work: Promise<T>,
  signal: AbortSignal,
  instead: Instead,
): Promise<T | Instead> {
  work.catch(() => undefined);
  const abortion = abortionOf(signal);
  try {
    return await Promise.race([work, abortion.happened.then(() => instead)]);
  } finally {
    abortion.forget();
  }
}

/**
 * A signal that aborts with the first of `signals`, until it is let go of. Unlike `AbortSignal.any` it leaves nothing behind at signals
 * that live longer, and cannot be collected as garbage before its time (as Node 20 does with a time-out that only `any` holds).
 */
export function firstAbortionOf(signals: readonly AbortSignal[]): { readonly signal: AbortSignal; forget(): void } {
  const controller = new AbortController();
  const listeners = signals.map((signal) => {
    const listener = (): void => {
      controller.abort(signal.reason);
    };
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener, { once: true });
    return { signal, listener };
  });
  return {
    signal: controller.signal,
    forget: () => {
      for (const { signal, listener } of listeners) signal.removeEventListener('abort', listener);
    },
  };
}

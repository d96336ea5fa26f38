/** One Ctrl-C reaches a process from its terminal and again through npm; only what comes later is a second one. */
const SAME_SIGNAL_MS = 1_500;

/** What the user's signals ask for, in their order. */
export interface Interrupts {
  /** Aborts with the first Ctrl-C. */
  readonly cancel: AbortSignal;
  /** Aborts with the second Ctrl-C, or when the process is told to end. */
  readonly leave: AbortSignal;
  close(): void;
}

export function listenForInterrupts(): Interrupts {
  const cancel = new AbortController();
  const leave = new AbortController();
  let firstMs = 0;
  const onInterrupt = (): void => {
    if (!cancel.signal.aborted) {
      firstMs = performance.now();
      cancel.abort();
    } else if (performance.now() - firstMs > SAME_SIGNAL_MS) leave.abort();
  };
  const onTerminate = (): void => {
    leave.abort();
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  process.on('SIGHUP', onTerminate);
  return {
    cancel: cancel.signal,
    leave: leave.signal,
    close() {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
      process.off('SIGHUP', onTerminate);
    },
  };
}

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

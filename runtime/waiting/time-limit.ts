/**
 * `work`, at most `limitMs`; what it does later is ignored.
 *
 * @param late makes what is thrown when the time is up
 */
export async function within<T>(
  limitMs: number,
  work: Promise<T>,
  late: () => Error = () => new Error(`no answer within ${limitMs} ms`),
): Promise<T> {
  const end = await orLate(limitMs, work);
  if (end.late) throw late();
  return end.value;
}

/** Like {@link within}, for whom lateness is no failure. */
export async function orLate<T>(
  limitMs: number,
  work: Promise<T>,
): Promise<{ readonly late: false; readonly value: T } | { readonly late: true }> {
  // It may fail when nobody waits any more.
  work.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<{ readonly late: true }>((resolve) => {
    timer = setTimeout(resolve, limitMs, { late: true });
  });
  try {
    return await Promise.race([work.then((value) => ({ late: false, value }) as const), limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Uses what was opened, and closes it, whatever happens. */
export async function closing<T extends { close(): Promise<void> }, R>(
  opened: T,
  use: (opened: T) => Promise<R>,
): Promise<R> {
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}

/**
 * Does jobs, at most `lanes` at a time: each lane takes the next when it is done with one, until there is none. When one fails
 * the others take no more, and their jobs are waited for.
 */
export async function inLanes<T>(
  lanes: number,
  next: () => T | undefined,
  work: (job: T) => Promise<void>,
): Promise<void> {
  let failed = false;
  const lane = async (): Promise<void> => {
    for (let job = next(); job !== undefined; job = failed ? undefined : next()) {
      try {
        await work(job);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
  const failure = ends.find((end) => end.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

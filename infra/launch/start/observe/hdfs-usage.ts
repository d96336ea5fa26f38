import { z } from 'zod';

export interface HdfsUsage {
  readonly files: number;
  readonly bytes: number;
}

const TIMEOUT_MS = 10_000;
/** Between two looks at the commit log something may be committed; then it is looked at once more. */
const MOST_LOOKS = 3;

const summaryReply = z.object({ ContentSummary: z.object({ fileCount: z.number(), length: z.number() }) });

/**
 * How many data files a topic has in HDFS, and of what size: what lies in its directory without its commit log, by the NameNode's own
 * count (WebHDFS `GETCONTENTSUMMARY`, which reads no data).
 *
 * @param nameNodeUrls asked in turn until one answers.
 */
export async function readHdfsUsage(
  nameNodeUrls: readonly string[],
  user: string,
  topicDirectory: string,
): Promise<HdfsUsage> {
  const ask = (path: string): Promise<HdfsUsage> => contentSummary(nameNodeUrls, user, path);
  const commitsDirectory = `${topicDirectory}/_commits`;
  let commits = await ask(commitsDirectory);
  for (let look = 1; ; look++) {
    const all = await ask(topicDirectory);
    const after = await ask(commitsDirectory);
    const isConsistent = after.files === commits.files && after.bytes === commits.bytes;
    if (isConsistent || look >= MOST_LOOKS) {
      return { files: Math.max(0, all.files - after.files), bytes: Math.max(0, all.bytes - after.bytes) };
    }
    commits = after;
  }
}

async function contentSummary(nameNodeUrls: readonly string[], user: string, path: string): Promise<HdfsUsage> {
  let failure: unknown;
  for (const text of nameNodeUrls) {
    const base = text.replace(/\/+$/, '');
    const prefix = new URL(base).pathname === '/' ? '/webhdfs/v1' : '';
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    const query = new URLSearchParams({ op: 'GETCONTENTSUMMARY', 'user.name': user }).toString();
    try {
      const response = await fetch(`${base}${prefix}${encoded}?${query}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      const body = await response.text();
      // Nothing was written yet.
      if (response.status === 404 && body.includes('FileNotFoundException')) return { files: 0, bytes: 0 };
      if (!response.ok) throw new Error(`${new URL(base).host} answered ${response.status}: ${body.slice(0, 200)}`);
      const { fileCount, length } = summaryReply.parse(JSON.parse(body)).ContentSummary;
      return { files: fileCount, bytes: length };
    } catch (error) {
      failure = error;
    }
  }
  throw failure instanceof Error ? failure : new Error(String(failure));
}

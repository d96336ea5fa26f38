import { z } from 'zod';
import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { RESOLUTIONS } from '../../grid/aggregate/window.ts';
import type { ListedFiles } from '../../connectors/hive/hive.ts';
import { listedFiles } from '../readings/file-list.ts';
import { GridError } from '../../grid/errors.ts';

const MOST_BYTES = 64 << 20;

const count = z.int().nonnegative();
const plan = z.object({
  /** The build that was the newest when this one was planned. */
  basedOn: z.string().nullable(),
  /** Every partition that the views will hold, moved or not. */
  boundary: z.array(
    z.object({ topic: z.string(), partition: count, lastOffset: count, previousOffset: count.optional() }),
  ),
  /** Days to be computed, see `days.ts`. */
  days: z.array(z.tuple([z.int(), z.int()])),
  /** Days that new readings touch, among them. */
  touched: z.array(z.tuple([z.int(), z.int()])),
  resolutions: z.array(z.enum(RESOLUTIONS)),
  isUpToDate: z.boolean(),
  files: count,
  bytes: count,
  readings: count,
  /** Whether all readings of the files are of days to be computed. */
  areAllInDays: z.boolean(),
});
export type Plan = z.output<typeof plan>;

/** Directory of one build in HDFS: what its activities tell each other. It is removed when the build ends. */
export class BuildDirectory {
  readonly path: string;
  readonly #hdfs: HdfsClient;

  constructor(hdfs: HdfsClient, analysisDirectory: string, buildId: string) {
    this.#hdfs = hdfs;
    this.path = `${analysisDirectory}/views/${buildId}`;
  }

  /** Where the list of files lies that Hive reads: the location of the table over them. */
  get linksDirectory(): string {
    return `${this.path}/links`;
  }

  /** The same list, for whichever engine reads it. */
  get links(): ListedFiles {
    return listedFiles(this.#hdfs, this.linksDirectory);
  }

  /** Lines in another than the usual form, as Hive finds them, … */
  get othersDirectory(): string {
    return `${this.path}/others`;
  }

  /** … and what they say. */
  get othersReadDirectory(): string {
    return `${this.path}/others-read`;
  }

  /** The windows, as PostgreSQL's COPY reads them. */
  get windowsDirectory(): string {
    return `${this.path}/windows`;
  }

  async writePlan(content: Plan): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(content));
    await this.#hdfs.writeFile(this.#planPath, bytes, { createParent: true, overwrite: true });
  }

  async readPlan(): Promise<Plan> {
    const bytes = await this.#hdfs.readFile(this.#planPath, { maxBytes: MOST_BYTES });
    const parsed = plan.safeParse(JSON.parse(bytes.toString()));
    if (parsed.success) return parsed.data;
    throw new GridError(
      'defect',
      `Reading ${this.#planPath}: it is not what a build of batch views wrote there. Start the build again.`,
      { cause: parsed.error },
    );
  }

  /** Whether there was something. */
  remove(): Promise<boolean> {
    return this.#hdfs.delete(this.path, { recursive: true });
  }

  get #planPath(): string {
    return `${this.path}/plan.json`;
  }
}

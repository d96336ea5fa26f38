import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { entriesIfThere } from '../../connectors/hdfs/if-there.ts';
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

/** Steps of a build whose outcome the next step takes up. */
type Step = 'plan' | 'read' | 'windows';
const TRY_NAME = /^(?:plan|read|windows)_[0-9a-f]{8}$/;

/**
 * Directory of one build in HDFS: what its activities tell each other. Each try of each step has a directory, and tables, of its own: a try that was given
 * up for dead (its worker hung) may still be at work, and must not change what another has made. All is removed when the build ends.
 */
export class BuildDirectory {
  readonly path: string;
  readonly #hdfs: HdfsClient;

  constructor(hdfs: HdfsClient, analysisDirectory: string, buildId: string) {
    this.#hdfs = hdfs;
    this.path = `${analysisDirectory}/views/${buildId}`;
  }

  /** Begins a try of a step. */
  async begin(step: Step): Promise<BuildTry> {
    const made = this.#try(`${step}_${randomBytes(4).toString('hex')}`);
    // Whoever clears up finds the tables of a try by its directory.
    await this.#hdfs.makeDirectory(made.path);
    return made;
  }

  /**
   * The try of a step by its name.
   *
   * @throws GridError `views-overtaken`: an earlier version named none, and kept what it made elsewhere
   */
  of(step: Step, name: string | undefined): BuildTry {
    if (name?.startsWith(`${step}_`) === true) return this.#try(name);
    throw new GridError(
      'views-overtaken',
      `Building batch views in ${this.path}: an earlier version has begun it. It is planned again.`,
    );
  }

  /** Every try that was begun. */
  async tries(): Promise<readonly BuildTry[]> {
    const tries: BuildTry[] = [];
    for await (const { name, type } of entriesIfThere(this.#hdfs.list(this.path))) {
      if (type === 'directory' && TRY_NAME.test(name)) tries.push(this.#try(name));
    }
    return tries;
  }

  /** Whether there was something. */
  remove(): Promise<boolean> {
    return this.#hdfs.delete(this.path, { recursive: true });
  }

  #try(name: string): BuildTry {
    return new BuildTry(this.#hdfs, this.path, name);
  }
}

/** What one try of a step has made. */
export class BuildTry {
  readonly name: string;
  readonly path: string;
  readonly #hdfs: HdfsClient;

  constructor(hdfs: HdfsClient, buildPath: string, name: string) {
    this.#hdfs = hdfs;
    this.name = name;
    this.path = `${buildPath}/${name}`;
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
    await this.#hdfs.writeFile(this.#planPath, Buffer.from(JSON.stringify(content)));
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

  get #planPath(): string {
    return `${this.path}/plan.json`;
  }
}

import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { OutgoingRecord, TransactionalWriter } from '../../connectors/kafka/produce/transactional-writer.ts';
import type { LegacyCatalogue } from '../../connectors/mongodb/legacy-catalogue.ts';
import type { DecodeLimits } from '../../grid/envelope.ts';
import { GridError } from '../../grid/errors.ts';
import {
  NOTHING_REPLAYED,
  type Replayed,
  type ReplayInput,
  type ReplayRequest,
  type ReplayTally,
} from '../../workflows/replay/contract.ts';
import { checkReading } from './check-reading.ts';
import { Pace } from './pace.ts';
import { readingsOf, type LegacyReading } from './telemetry-lines.ts';

/** What the activities of `replayLegacyTelemetry` need. */
export interface ReplayDependencies {
  readonly hdfs: HdfsClient;
  readonly catalogue: LegacyCatalogue;
  readonly limits: DecodeLimits;
  readonly topic: string;
  /** Begins the names of groups and transactional ids. */
  readonly groupPrefix: string;
  /** Makes the topic, unless it is there. */
  readonly makeTopic: () => Promise<void>;
  readonly createWriter: (transactionalId: string) => TransactionalWriter;
  /** What a group has committed of partition 0 of the topic; negative: nothing. */
  readonly committedOffset: (groupId: string) => Promise<number>;
}

/** Readings of one transaction. */
const BLOCK_READINGS = 1_000;
/** Tells replayed readings from live ones. */
const REPLAYED_HEADER = 'replayed';
const LONGEST_EXAMPLE = 300;

/** What stands in the way of readings, by code. */
type Reasons = Map<string, { code: string; readings: number; example: string }>;

/**
 * Sends the readings of one content into the stream. How far it has come moves in the same Kafka transaction as the readings: as the offset that a
 * group of the content's own has committed, which counts lines of its telemetry here. So whoever is cut short, or asked again, goes on
 * exactly there. Kafka forgets groups that are long idle, therefore the catalogue knows as well.
 *
 * @throws GridError `legacy-conflict`: other event times of it were replayed before; `fenced`: another worker has taken it up
 */
export async function replayContent(
  deps: ReplayDependencies,
  { content, input }: ReplayRequest,
  signal: AbortSignal,
): Promise<Replayed> {
  const telemetry = (await deps.catalogue.findContents([content])).get(content)?.telemetry;
  if (telemetry === undefined) {
    throw new GridError('legacy-not-found', `Replaying the content ${content}: the catalogue has no readings of it.`);
  }
  const replay = new Replay(deps, content, input, signal);
  return input.dryRun ? replay.check(telemetry) : replay.run(telemetry);
}

class Replay {
  readonly #deps: ReplayDependencies;
  readonly #content: string;
  readonly #input: ReplayInput;
  readonly #signal: AbortSignal;
  readonly #reasons: Reasons = new Map();
  readonly #fromMs: number;
  readonly #toMs: number;
  #tally: ReplayTally = { ...NOTHING_REPLAYED, contents: 1 };

  constructor(deps: ReplayDependencies, content: string, input: ReplayInput, signal: AbortSignal) {
    this.#deps = deps;
    this.#content = content;
    this.#input = input;
    this.#signal = signal;
    this.#fromMs = input.from === undefined ? -Infinity : Date.parse(input.from);
    this.#toMs = input.to === undefined ? Infinity : Date.parse(input.to);
  }

  /** A dry run. */
  async check(telemetry: string): Promise<Replayed> {
    for await (const block of this.#blocks(telemetry, 0)) this.#records(block.readings);
    return this.#end();
  }

  async run(telemetry: string): Promise<Replayed> {
    const { catalogue, groupPrefix, createWriter, committedOffset, makeTopic, topic } = this.#deps;
    const known = await catalogue.replayOf(this.#content, this.#range());
    if (known.range !== this.#range()) {
      throw new GridError(
        'legacy-conflict',
        `Replaying the content ${this.#content}: the event times ${known.range} of it were replayed before. Others would double what they have in common; ask for the same, or for another file.`,
      );
    }
    await makeTopic();
    const groupId = `${groupPrefix}.replay.${this.#content}`;
    const writer = createWriter(groupId);
    try {
      // Who had it before can write no more from here on; only then is what is committed certain.
      await writer.open();
      const begin = Math.max(known.lines, await committedOffset(groupId));
      let done = begin;
      const pace = new Pace(this.#input);
      for await (const { readings, nextLine } of this.#blocks(telemetry, begin)) {
        const { records, newestMs } = this.#records(readings);
        await pace.wait(records.length, newestMs, this.#signal);
        this.#signal.throwIfAborted();
        await writer.write(records, { groupId, topic, partition: 0, nextOffset: nextLine });
        done = nextLine;
      }
      this.#tally = { ...this.#tally, sentBefore: begin };
      await catalogue.noteReplay(this.#content, done);
    } finally {
      await writer.close();
    }
    return this.#end();
  }

  /** The readings from a line on, with the line after them. */
  async *#blocks(
    telemetry: string,
    begin: number,
  ): AsyncGenerator<{ readonly readings: readonly LegacyReading[]; readonly nextLine: number }, void, undefined> {
    let readings: LegacyReading[] = [];
    let line = 0;
    const bundle = await this.#deps.hdfs.read(telemetry);
    for await (const reading of readingsOf(this.#content, bundle, telemetry)) {
      this.#signal.throwIfAborted();
      if (line++ < begin) continue;
      if (readings.push(reading) < BLOCK_READINGS) continue;
      yield { readings, nextLine: line };
      readings = [];
    }
    if (readings.length > 0) yield { readings, nextLine: line };
  }

  #records(readings: readonly LegacyReading[]): {
    readonly records: readonly OutgoingRecord[];
    readonly newestMs: number;
  } {
    const { limits, topic } = this.#deps;
    const records: OutgoingRecord[] = [];
    let newestMs = -Infinity;
    let [rejected, outOfRange] = [0, 0];
    for (const reading of readings) {
      const checked = checkReading(this.#content, reading, Date.now(), limits);
      if (!checked.ok) {
        rejected++;
        this.#reject(checked.code, checked.detail);
      } else if (checked.eventTimeMs < this.#fromMs || checked.eventTimeMs >= this.#toMs) {
        outOfRange++;
      } else {
        newestMs = Math.max(newestMs, checked.eventTimeMs);
        const key = Buffer.from(reading.sensorId);
        const value = Buffer.from(checked.envelope);
        records.push({ topic, key, value, headers: { [REPLAYED_HEADER]: this.#content } });
      }
    }
    this.#tally = {
      ...this.#tally,
      sent: this.#tally.sent + records.length,
      rejected: this.#tally.rejected + rejected,
      outOfRange: this.#tally.outOfRange + outOfRange,
    };
    return { records, newestMs };
  }

  #reject(code: string, detail: string): void {
    const before = this.#reasons.get(code);
    if (before === undefined) this.#reasons.set(code, { code, readings: 1, example: detail.slice(0, LONGEST_EXAMPLE) });
    else before.readings++;
  }

  #range(): string {
    const { from, to } = this.#input;
    if (from === undefined && to === undefined) return 'all';
    return `${from === undefined ? '' : new Date(from).toISOString()}..${to === undefined ? '' : new Date(to).toISOString()}`;
  }

  #end(): Replayed {
    return { tally: this.#tally, reasons: [...this.#reasons.values()] };
  }
}

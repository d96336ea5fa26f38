import type {
  CloseReason,
  ConsumedBatch,
  OpenAnswer,
  PartitionContext,
  PartitionProcessor,
} from '../../../connectors/kafka/consume/consumed.ts';
import type {
  AlarmPosition,
  AlarmStore,
  AlarmWrite,
  OpenAlarm,
} from '../../../connectors/postgres/serving/alarm-store.ts';
import { windowUnit } from '../../../grid/aggregate/window-unit.ts';
import { decide, decideSilence, nextState, withoutRule, type Transition } from '../../../grid/alarms/alarm-state.ts';
import type { AlarmRules, SeriesName } from '../../../grid/alarms/rule.ts';
import { foretell, observe } from '../../../grid/alarms/series-facts.ts';
import { asGridError, GridError } from '../../../grid/errors.ts';
import type { Reading } from '../../../grid/reading.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { ReadingsFor, type DecodeAndRoute, type TakenReading } from '../routed-records.ts';
import type { AlarmsMetrics, OpenCount } from './alarms-metrics.ts';
import type { Outbox } from './outbox.ts';
import { factsOf, seriesKey, WatchedSeries } from './watched-series.ts';

export interface AlarmsPartitionOptions extends DecodeAndRoute {
  readonly rules: AlarmRules;
  readonly store: AlarmStore;
  /** Settles when the database has its tables. */
  readonly whenReady: () => Promise<void>;
  /** Deliver the changes of this partition, once it is open. */
  readonly openOutboxes: (context: PartitionContext) => readonly Outbox[];
  /** The offset that the partition's next record will have. */
  readonly endOf: (topic: string, partition: number) => Promise<number>;
  /** How long silence is not believed after all was read for the first time, and after Kafka was away. */
  readonly graceMs: number;
  /** How long cleared alarms are kept. */
  readonly historyMs: number;
  readonly logger: Logger;
  readonly metrics: AlarmsMetrics;
  /** Told when the partition is opened, with what asks it for its open alarms, and when it is let go. */
  readonly onOpen: (context: PartitionContext, open: (() => Iterable<OpenCount>) | undefined) => void;
  /** Series that are held at most; others are in the table. Default 10,000. */
  readonly mostSeries?: number;
  /** How often what is known of series is written. Default 10 s. */
  readonly saveEveryMs?: number;
}

const TICK_MS = 1_000;
const MOST_SERIES = 10_000;
const SAVE_EVERY_MS = 10_000;
/** Series that are asked for, or written, in one statement. */
const SERIES_AT_ONCE = 2_000;
/** How often the table is asked for silent series that are not held, and how many of them it names. */
const LOOK_EVERY_MS = 5_000;
const QUIET_AT_ONCE = 500;
const OPEN_ALARMS_AT_ONCE = 1_000;
const FORGET_EVERY_MS = 60_000;
const FORGOTTEN_AT_ONCE = 500;
const OUTBOX_CLOSE_MS = 2_000;

/** Up to where all was read that Kafka had got at a moment, once reading has come to `end`. */
interface Proof {
  readonly atMs: number;
  readonly end: number;
}

/**
 * Alarms over one partition. What readings do to alarms is written in one transaction with the position, and fails as a whole when the position is not where this owner
 * left it; what they only tell of a series is kept in memory, written now and then, and read again from Kafka by the next owner. So a transition is written once, and a
 * reading that changes nothing costs no row.
 */
export class AlarmsPartition implements PartitionProcessor {
  readonly #options: AlarmsPartitionOptions;
  readonly #context: PartitionContext;
  readonly #series = new Map<string, WatchedSeries>();
  readonly #counts = new Map<string, OpenCount>();
  readonly #foretells: boolean;
  #outboxes: readonly Outbox[] = [];
  #state: 'new' | 'open' | 'closed' = 'new';
  #failure: GridError | undefined;
  #position: AlarmPosition = { nextOffset: 0, stateOffset: 0, changeNumber: 0 };
  /** Where the position was when the partition was opened: readings before it are only remembered. */
  #firstUnread = 0;
  /** Up to where all is remembered. */
  #readTo = 0;
  #writes: AlarmWrite[] = [];
  #turn = 0;
  #queue: Promise<void> = Promise.resolve();
  #isTicking = false;
  #timer: NodeJS.Timeout | undefined;
  #savedAtMs = 0;
  #lookedAtMs = 0;
  #forgotAtMs = 0;
  #shownOffset = -1;
  #proof: Proof | undefined;
  /** Silence is believed from then on; undefined until all was read once. */
  #believedFromMs: number | undefined;

  constructor(context: PartitionContext, options: AlarmsPartitionOptions) {
    this.#context = context;
    this.#options = options;
    this.#foretells = options.rules.all.some(({ kind }) => kind === 'forecast-missed');
  }

  async open(): Promise<OpenAnswer> {
    const { store, whenReady } = this.#options;
    await whenReady();
    this.#position = await store.open(this.#context);
    const { nextOffset, stateOffset } = this.#position;
    this.#firstUnread = nextOffset;
    this.#readTo = stateOffset;
    this.#savedAtMs = Date.now();
    this.#forgotAtMs = Date.now();
    this.#state = 'open';
    await this.#endWithoutRule();
    for (const { rule_id: rule, severity, count } of await store.openCounts(this.#context)) {
      this.#counts.set(`${rule} ${severity}`, { rule, severity, count });
    }
    this.#options.onOpen(this.#context, () => this.#counts.values());
    this.#outboxes = this.#options.openOutboxes(this.#context);
    this.#timer = setInterval(() => {
      this.#tick(Date.now());
    }, TICK_MS);
    return { offset: nextOffset, rereadFrom: stateOffset };
  }

  process(batch: ConsumedBatch): Promise<void> {
    return this.#inTurn(() => this.#take(batch));
  }

  async close(reason: CloseReason): Promise<void> {
    clearInterval(this.#timer);
    if (this.#state === 'open' && reason.kind === 'stopped') {
      await this.#inTurn(async () => {
        await this.#write(true);
        await this.#showProgress();
      }).catch((error: unknown) => {
        const known = asGridError(error, 'Writing the last alarms');
        this.#options.logger.info({ code: known.code }, `${known.message} It is read again by the next owner.`);
      });
    }
    this.#state = 'closed';
    await this.#queue.catch(() => undefined);
    await Promise.all(this.#outboxes.map((outbox) => outbox.close(OUTBOX_CLOSE_MS)));
    this.#options.onOpen(this.#context, undefined);
  }

  /** One thing after the other: batches and the clock. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#queue.then(async () => {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#state !== 'open') {
        const { topic, partition } = this.#context;
        throw new GridError('fenced', `Watching ${topic}/${partition}: the partition is not owned any more.`);
      }
      try {
        await work();
      } catch (error) {
        // What it had decided is not written: the next owner decides it again.
        throw (this.#failure = asGridError(error, `Watching ${this.#context.topic}/${this.#context.partition}`));
      }
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #take(batch: ConsumedBatch): Promise<void> {
    const { metrics } = this.#options;
    const readings = new ReadingsFor('alarms', batch, this.#options);
    const taken: {
      readonly of: TakenReading;
      readonly series: WatchedSeries | undefined;
      readonly name: SeriesName;
    }[] = [];
    let replayed = 0;
    this.#turn++;
    const missing: WatchedSeries[] = [];
    for (const of of readings) {
      // History that is read again says nothing of now.
      if (of.record.headers['replayed'] !== undefined) {
        replayed++;
        continue;
      }
      const name = nameOf(of.reading);
      taken.push({ of, name, series: this.#watched(name, of.reading, of.route.name, missing) });
    }
    await this.#load(missing);
    let watched = 0;
    let old = 0;
    let unwatched = 0;
    for (const { of, series, name } of taken) {
      if (this.#foretells && name.aspect === 'edge_prediction') this.#foretell(of, name);
      if (series === undefined) unwatched++;
      else if (this.#observe(series, of)) watched++;
      else old++;
    }
    this.#readTo = Math.max(this.#readTo, batch.nextOffset);
    if (this.#writes.length > 0 || this.#isToSave(Date.now())) await this.#write(this.#isToSave(Date.now()));
    metrics.records.add('watched', watched);
    metrics.records.add('not-newer', old);
    metrics.records.add('without-rule', unwatched);
    metrics.records.add('replayed', replayed);
    metrics.records.add('switched-off', readings.switchedOff);
    metrics.records.add('unreadable', readings.unreadable);
  }

  /** The series that a reading is of, with the rules that watch it now; undefined when none does. */
  #watched(name: SeriesName, reading: Reading, route: string, missing: WatchedSeries[]): WatchedSeries | undefined {
    const key = seriesKey(name);
    let series = this.#series.get(key);
    // What no rule watched was not read from the table.
    if (series === undefined || (series.rules.length === 0 && series.route !== route)) {
      series = new WatchedSeries(name, this.#options.rules.of(name, route), route);
      if (series.rules.length > 0) missing.push(series);
      this.#series.set(key, series);
    } else if (series.route !== route) {
      this.#reroute(series, route);
    }
    if (series.turn !== this.#turn) {
      // The one that was needed last lies last.
      this.#series.delete(key);
      this.#series.set(key, series);
      series.turn = this.#turn;
    }
    if (this.#foretells && name.aspect === 'edge_prediction') {
      const measured = { ...name, aspect: 'real_time' } as const;
      const { name: routeOfMeasured } = this.#options.routes.current().routeOf({ ...reading, aspect: 'real_time' });
      this.#watched(measured, reading, routeOfMeasured, missing);
    }
    return series.rules.length === 0 ? undefined : series;
  }

  /** Routes have changed: so may the rules. */
  #reroute(series: WatchedSeries, route: string): void {
    series.route = route;
    series.rules = this.#options.rules.of(series.name, route);
    this.#endAlarmsWithoutRule(series);
  }

  #endAlarmsWithoutRule(series: WatchedSeries): void {
    const ids = new Set(series.rules.map(({ id }) => id));
    for (const [ruleId, alarm] of series.open) {
      if (!ids.has(ruleId)) this.#change(series, withoutRule(alarm, series.facts), series.facts.appendedMs);
    }
  }

  /** Reads what the table says of series that were not held. */
  async #load(missing: readonly WatchedSeries[]): Promise<void> {
    for (let from = 0; from < missing.length; from += SERIES_AT_ONCE) {
      const some = missing.slice(from, from + SERIES_AT_ONCE);
      const { facts, open } = await this.#options.store.series(
        this.#context,
        some.map(({ name }) => name),
      );
      for (const known of facts) {
        const series = this.#series.get(seriesKey(known));
        if (series !== undefined) series.facts = factsOf(known.facts);
      }
      for (const { id, ruleId, severity, kind, limit, ...name } of open) {
        const series = this.#series.get(seriesKey(name));
        series?.open.set(ruleId, { id, ruleId, severity, kind, limit });
      }
      for (const series of some) this.#endAlarmsWithoutRule(series);
    }
  }

  #foretell({ record, reading }: TakenReading, name: SeriesName): void {
    const series = this.#series.get(seriesKey({ ...name, aspect: 'real_time' }));
    if (series === undefined || record.offset <= series.facts.appliedOffset) return;
    if (!series.rules.some(({ kind }) => kind === 'forecast-missed')) return;
    foretell(series.facts, reading.eventTimeMs, reading.modality);
    series.isChanged = true;
  }

  #observe(series: WatchedSeries, { record, reading }: TakenReading): boolean {
    const isNewest = observe(series.facts, series.rules, {
      eventMs: reading.eventTimeMs,
      appendedMs: record.timestampMs,
      value: reading.modality,
      offset: record.offset,
    });
    series.isChanged = true;
    // What readings before that did to alarms is in the table already.
    if (!isNewest || record.offset < this.#firstUnread) return isNewest;
    for (const rule of series.rules) {
      const transition = decide(rule, series.facts, series.open.get(rule.id));
      if (transition !== undefined) this.#change(series, transition, record.timestampMs);
    }
    return true;
  }

  #change(series: WatchedSeries, transition: Transition, appendedMs: number): void {
    const { ruleId, severity, kind, limit, change } = transition;
    const known = series.open.get(ruleId);
    nextState(known === undefined ? 'normal' : 'raised', change);
    const alarm: OpenAlarm = known ?? { id: '', ruleId, severity, kind, limit };
    if (change === 'raised') series.open.set(ruleId, alarm);
    else series.open.delete(ruleId);
    series.isChanged = true;
    this.#writes.push({ series: series.name, alarm, transition, appendedMs });
  }

  #isToSave(nowMs: number): boolean {
    return (
      this.#series.size > (this.#options.mostSeries ?? MOST_SERIES) ||
      nowMs - this.#savedAtMs >= (this.#options.saveEveryMs ?? SAVE_EVERY_MS)
    );
  }

  /**
   * Writes what became of alarms, and moves the position. What is known of series is written in steps, and only with the last of them, or behind, does reading
   * anew begin later: never is more known of a series than of its alarms.
   *
   * @param isSaving whether what is known of series is written too
   */
  async #write(isSaving: boolean): Promise<void> {
    const writes = this.#writes;
    this.#writes = [];
    const { stateOffset } = this.#position;
    const nextOffset = Math.max(this.#position.nextOffset, this.#readTo);
    const changed = isSaving ? [...this.#series.values()].filter(({ isChanged }) => isChanged) : [];
    const isMoved = nextOffset > this.#position.nextOffset || (isSaving && this.#readTo > stateOffset);
    if (writes.length > 0 || changed.length > 0 || isMoved) {
      let from = 0;
      do {
        const some = changed.slice(from, from + SERIES_AT_ONCE);
        const isLast = from + SERIES_AT_ONCE >= changed.length;
        this.#position = await this.#options.store.write(
          this.#context,
          this.#position,
          { nextOffset, stateOffset: isSaving && isLast ? this.#readTo : stateOffset },
          from === 0 ? writes : [],
          some.map(({ saved }) => saved),
        );
        for (const series of some) series.isChanged = false;
        from += SERIES_AT_ONCE;
      } while (from < changed.length);
    }
    if (isSaving) {
      this.#savedAtMs = Date.now();
      this.#evict();
    }
    if (writes.length === 0) return;
    for (const { transition } of writes) this.#count(transition);
    for (const outbox of this.#outboxes) outbox.poke();
  }

  /** Lets go of series that were not needed for the longest time; all is in the table. */
  #evict(): void {
    let tooMany = this.#series.size - (this.#options.mostSeries ?? MOST_SERIES);
    for (const key of this.#series.keys()) {
      if (tooMany-- <= 0) return;
      this.#series.delete(key);
    }
  }

  #count({ ruleId: rule, severity, change }: Transition): void {
    const key = `${rule} ${severity}`;
    const count = (this.#counts.get(key)?.count ?? 0) + (change === 'raised' ? 1 : -1);
    this.#counts.set(key, { rule, severity, count: Math.max(0, count) });
    this.#options.metrics.transition(rule, change);
  }

  #tick(nowMs: number): void {
    if (this.#isTicking || this.#failure !== undefined) return;
    this.#isTicking = true;
    this.#inTurn(async () => {
      await this.#noticeSilence(nowMs);
      if (this.#writes.length > 0 || this.#isToSave(nowMs)) await this.#write(this.#isToSave(nowMs));
      await this.#showProgress();
      if (nowMs - this.#forgotAtMs >= FORGET_EVERY_MS) {
        this.#forgotAtMs = nowMs;
        await this.#options.store.forget(this.#context, nowMs - this.#options.historyMs, FORGOTTEN_AT_ONCE);
      }
    })
      .catch(() => {
        if (this.#failure !== undefined && this.#state === 'open') this.#context.fail(this.#failure);
      })
      .finally(() => {
        this.#isTicking = false;
      });
  }

  /**
   * Raises alarms of series that are silent. A worker that is behind must not take its own lag for silence: only what Kafka has got counts, and only once all was
   * read that it had got at a moment. That is asked for when there is something to decide.
   */
  async #noticeSilence(nowMs: number): Promise<void> {
    if (this.#believedFromMs !== undefined && nowMs < this.#believedFromMs) return;
    const silent = this.#believedFromMs === undefined ? [] : await this.#silentSeries(nowMs);
    if (this.#believedFromMs !== undefined && silent.length === 0) {
      this.#proof = undefined;
      return;
    }
    this.#proof ??= await this.#askForProof();
    const proof = this.#proof;
    if (proof === undefined || this.#readTo < proof.end) return;
    this.#proof = undefined;
    this.#believedFromMs ??= nowMs + this.#options.graceMs;
    for (const series of silent) {
      for (const rule of series.rules) {
        const transition = decideSilence(rule, series.facts, series.open.get(rule.id), proof.atMs);
        if (transition !== undefined) this.#change(series, transition, proof.atMs);
      }
    }
  }

  async #silentSeries(nowMs: number): Promise<WatchedSeries[]> {
    if (nowMs - this.#lookedAtMs >= LOOK_EVERY_MS) {
      this.#lookedAtMs = nowMs;
      const names = await this.#options.store.quiet(this.#context, nowMs, QUIET_AT_ONCE);
      const missing: WatchedSeries[] = [];
      this.#turn++;
      for (const name of names) {
        if (this.#series.has(seriesKey(name))) continue;
        // Which route it takes depends on the sensor alone, and on what is in its name.
        const route = this.#routeOf(name);
        const series = new WatchedSeries(name, this.#options.rules.of(name, route), route);
        this.#series.set(seriesKey(name), series);
        missing.push(series);
      }
      await this.#load(missing);
      // No rule calls it stale any more: it is written so.
      for (const series of missing) if (series.quietMs === undefined) series.isChanged = true;
    }
    return [...this.#series.values()].filter((series) => (series.quietMs ?? Infinity) < nowMs);
  }

  async #askForProof(): Promise<Proof | undefined> {
    const atMs = Date.now();
    try {
      return { atMs, end: await this.#options.endOf(this.#context.topic, this.#context.partition) };
    } catch (error) {
      // While Kafka is away nothing can come; when it is back, what waited at sources comes first.
      const known = asGridError(error, 'Asking Kafka where the partition ends');
      this.#options.logger.debug({ code: known.code }, 'silence is not believed while Kafka is away');
      if (this.#believedFromMs !== undefined) this.#believedFromMs = Date.now() + this.#options.graceMs;
      return undefined;
    }
  }

  #routeOf(name: SeriesName): string {
    const reading: Reading = {
      ...{ ...name, modality: '0', correlationId: '', createdAt: '0', eventTimeMs: 0, schemaVersion: 1 },
    };
    return this.#options.routes.current().routeOf(reading).name;
  }

  /** Clears alarms whose rules are not there any more, or watch other series now. */
  async #endWithoutRule(): Promise<void> {
    const { store, rules } = this.#options;
    for (let behind = '0'; ;) {
      const alarms = await store.openAlarms(this.#context, behind, OPEN_ALARMS_AT_ONCE);
      const writes = alarms
        .filter((alarm) => !rules.of(alarm, this.#routeOf(alarm)).some(({ id }) => id === alarm.ruleId))
        .map((alarm): AlarmWrite => {
          const { ruleId, severity, kind, limit, value, offset, raisedMs: atMs } = alarm;
          const transition: Transition = {
            ...{ change: 'cleared', reason: 'rule-removed', ruleId, severity, kind, limit, value, offset },
            ...{ atMs, sinceMs: atMs },
          };
          return { series: alarm, alarm, transition, appendedMs: Date.now() };
        });
      if (writes.length > 0) {
        this.#position = await store.write(this.#context, this.#position, this.#position, writes, []);
      }
      const last = alarms.at(-1);
      if (last === undefined || alarms.length < OPEN_ALARMS_AT_ONCE) return;
      behind = last.id;
    }
  }

  /** The offset in Kafka only shows the lag. */
  async #showProgress(): Promise<void> {
    const shown = Math.max(this.#position.nextOffset, this.#readTo);
    if (shown === this.#shownOffset) return;
    try {
      await this.#context.commitOffset(shown);
      this.#shownOffset = shown;
    } catch (error) {
      const known = asGridError(error, 'Committing the offset');
      this.#options.logger.debug({ code: known.code }, `${known.message} Only the lag that is shown is behind.`);
    }
  }
}

function nameOf({ sensorId, aspect, unit }: Reading): SeriesName {
  return { sensorId, aspect, unit: windowUnit(unit) };
}

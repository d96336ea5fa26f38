import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ALARM_CHANGES,
  type AlarmState,
  decide,
  decideSilence,
  nextState,
  type Raised,
  type Transition,
} from './alarm-state.ts';
import { exactRateVerdict, rateVerdict } from './limits.ts';
import { parseAlarmRules, type AlarmRule } from './rule.ts';
import { firstFacts, foretell, observe, type SeriesFacts } from './series-facts.ts';

const START_MS = Date.UTC(2026, 2, 1);

function ruleOf(rule: object): AlarmRule {
  const [only] = parseAlarmRules({ rules: [{ id: 'r', ...rule }] }, 'test').all;
  if (only === undefined) throw new Error('no rule');
  return only;
}

/** A series under one rule. */
class Series {
  readonly facts: SeriesFacts = firstFacts();
  readonly transitions: Transition[] = [];
  readonly rule: AlarmRule;
  open: Raised | undefined;
  #offset = 0;

  constructor(rule: object) {
    this.rule = ruleOf(rule);
  }

  /** A reading, its own time and when Kafka got it as seconds since the start. */
  read(atSeconds: number, value: string, appendedSeconds = atSeconds): this {
    const isNewest = observe(this.facts, [this.rule], {
      ...{ eventMs: START_MS + atSeconds * 1_000, appendedMs: START_MS + appendedSeconds * 1_000, value },
      offset: this.#offset++,
    });
    if (isNewest) this.#take(decide(this.rule, this.facts, this.open));
    return this;
  }

  tick(atSeconds: number): this {
    this.#take(decideSilence(this.rule, this.facts, this.open, START_MS + atSeconds * 1_000));
    return this;
  }

  #take(transition: Transition | undefined): void {
    if (transition === undefined) return;
    nextState(this.open === undefined ? 'normal' : 'raised', transition.change);
    this.open = transition.change === 'raised' ? transition : undefined;
    this.transitions.push(transition);
  }

  /** `raised at 3 since 1: > 5` */
  get told(): string[] {
    return this.transitions.map(
      ({ change, atMs, sinceMs, limit }) =>
        `${change} at ${(atMs - START_MS) / 1_000} since ${(sinceMs - START_MS) / 1_000}: ${limit}`,
    );
  }
}

const range = { kind: 'out-of-range', above: { raise: '50.2', clear: '50.1' }, below: { raise: 49.8, clear: 49.9 } };

describe('an alarm of a range', () => {
  it('is raised beyond a limit and cleared only within the other, with the reading’s own time', () => {
    const series = new Series(range).read(1, '50.2').read(2, '50.200000000000000001').read(3, '50.15').read(4, '50.1');
    series.read(5, '49.85').read(6, '49.7').read(7, '49.9');
    expect(series.told).toEqual([
      'raised at 2 since 2: > 50.2',
      'cleared at 4 since 4: > 50.2',
      'raised at 6 since 6: < 49.8',
      'cleared at 7 since 7: < 49.8',
    ]);
  });

  it('waits for as long as it is told, without a break', () => {
    const series = new Series({ ...range, forSeconds: 10, clearForSeconds: 5 });
    series.read(0, '51').read(9, '51').read(10, '50.15').read(11, '51').read(20, '51').read(21, '51');
    series.read(22, '50').read(26, '50.15').read(27, '50').read(31, '50').read(32, '50');
    expect(series.told).toEqual(['raised at 21 since 11: > 50.2', 'cleared at 32 since 27: > 50.2']);
  });

  it('does not flap within the hysteresis, whatever comes', () => {
    const between = fc.integer({ min: 50_101, max: 50_200 }).map((thousandths) => (thousandths / 1_000).toFixed(3));
    fc.assert(
      fc.property(fc.array(between, { maxLength: 50 }), fc.boolean(), (values, isOpen) => {
        const series = new Series(range).read(0, isOpen ? '51' : '50');
        for (const [index, value] of values.entries()) series.read(index + 1, value);
        expect(series.transitions.length).toBe(isOpen ? 1 : 0);
      }),
    );
  });

  it('is changed neither by readings that come late, nor by those that come again', () => {
    const reading = fc.tuple(fc.integer({ min: 0, max: 20 }), fc.constantFrom('50', '51', '50.15', '49'));
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 29 }), fc.constantFrom('50', '51'), (late, newest) => {
        const series = new Series(range).read(100, newest);
        const before = series.told;
        for (const [at, value] of late) series.read(at, value, 101).read(100, value, 101);
        expect(series.told).toEqual(before);
      }),
    );
  });

  it('says the same whether readings are read once, or some of them again after a restart', () => {
    const value = fc.constantFrom('50', '51', '50.15', '49', '49.85');
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 30 }), fc.nat(), (values, at) => {
        const once = firstFacts();
        const twice = firstFacts();
        const rules = [ruleOf(range)];
        const readings = values.map((text, offset) => {
          const ms = START_MS + offset * 1_000;
          return { eventMs: ms, appendedMs: ms, value: text, offset };
        });
        for (const reading of readings) observe(once, rules, reading);
        const from = at % readings.length;
        for (const reading of [...readings.slice(0, from + 1), ...readings]) observe(twice, rules, reading);
        expect(twice).toEqual(once);
      }),
    );
  });
});

describe('other alarms', () => {
  it('stuck: a value that does not change, unless it may', () => {
    const rule = { kind: 'stuck', forSeconds: 60, except: [0] };
    const series = new Series(rule).read(0, '7').read(30, '7.0').read(59, '7').read(60, '7').read(61, '7.1');
    series.read(100, '0').read(200, '0.0').read(300, '0');
    expect(series.told).toEqual([
      'raised at 60 since 0: unchanged for 60 s',
      'cleared at 61 since 61: unchanged for 60 s',
    ]);
  });

  it('rate of change: by the time between readings, exactly', () => {
    const rule = { kind: 'rate-of-change', change: { raise: '0.5', clear: '0.1' }, per: 'second', withinSeconds: 100 };
    const series = new Series(rule)
      .read(0, '50')
      .read(2, '51')
      .read(4, '52.000000000000000001')
      .read(5, '52.3')
      .read(6, '52.35');
    series.read(500, '900');
    expect(series.told).toEqual(['raised at 4 since 4: > 0.5 per second', 'cleared at 6 since 6: > 0.5 per second']);
  });

  it('rate of change: where doubles decide, digits would decide alike', () => {
    const rule = ruleOf({ kind: 'rate-of-change', change: { raise: '0.3', clear: '0.1' }, per: 'minute' });
    const decimal = fc
      .tuple(fc.integer({ min: -1_000, max: 1_000 }), fc.integer({ min: 0, max: 4 }))
      .map(([units, scale]) => `${units}e-${scale}`);
    fc.assert(
      fc.property(decimal, decimal, fc.integer({ min: 1, max: 4_000_000 }), (from, to, ms) => {
        if (rule.kind !== 'rate-of-change') return;
        expect(rateVerdict(rule, from, to, ms)).toBe(exactRateVerdict(rule, from, to, ms));
      }),
      { numRuns: 1_000 },
    );
  });

  it('forecast missed: against what was foretold for that time', () => {
    const rule = { kind: 'forecast-missed', off: { raise: 10, clear: 5 }, of: 'percent', withinSeconds: 30 };
    const series = new Series(rule).read(0, '100');
    for (const [at, value] of [
      [10, '90'],
      [10, '100'],
      [20, '100'],
      [30, '200'],
      [40, '100'],
    ] as const) {
      foretell(series.facts, START_MS + at * 1_000, value);
    }
    series.read(10, '110').read(21, '110.00001').read(90, '1').read(100, '1');
    foretell(series.facts, START_MS + 110_000, '-100');
    series.read(111, '-105');
    expect(series.told).toEqual(['raised at 21 since 21: off by > 10 %', 'cleared at 111 since 111: off by > 10 %']);
  });

  it('stale: silent for some times its own pace, by when Kafka got its readings', () => {
    const rule = { kind: 'stale', times: 5, leastSeconds: 1 };
    const series = new Series(rule);
    for (let at = 0; at <= 100; at += 10) series.read(at - 1_000, '1', at);
    series.tick(150).tick(150.001).tick(900).read(-500, '1', 901);
    expect(series.told).toEqual([
      'raised at -900 since -900: silent for 50 s',
      'cleared at -500 since -500: silent for 50 s',
    ]);
  });

  it('stale: an outage is not taken for the pace, and a pace that is not known says nothing', () => {
    const series = new Series({ kind: 'stale', times: 5, leastSeconds: 1 }).read(0, '1').tick(1e6);
    for (let at = 1; at <= 20; at++) series.read(at, '1');
    series.read(5_000, '1');
    expect(series.facts.gapMs).toBeLessThanOrEqual(2_000);
    for (let at = 5_001; at <= 5_200; at++) series.read(at, '1');
    expect(series.facts.gapMs).toBeLessThan(1_100);
    expect(series.told).toEqual([]);
  });

  it('a recording that is played again begins anew', () => {
    const series = new Series({ ...range });
    for (let at = 0; at <= 100; at++) series.read(at, '50');
    for (let at = 0; at <= 100; at++) series.read(at, at < 60 ? '50' : '51', 101 + at);
    expect(series.told).toEqual(['raised at 60 since 60: > 50.2']);
  });

  it('numbers beyond all measure raise nothing and end nothing', () => {
    const series = new Series({ kind: 'out-of-range', above: { raise: 0 } })
      .read(0, '1e-401')
      .read(1, `1${'0'.repeat(200)}`)
      .read(2, '-0.0e999');
    expect(series.told).toEqual([]);
  });
});

it('an alarm makes only the changes that its states allow', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...ALARM_CHANGES)), (changes) => {
      let state: AlarmState = 'normal';
      for (const change of changes) {
        const allowed =
          (change === 'raised' && state === 'normal') ||
          (change === 'acknowledged' && state === 'raised') ||
          (change === 'cleared' && state !== 'normal');
        if (allowed) state = nextState(state, change);
        else expect(() => nextState(state, change)).toThrow(/cannot be/);
      }
    }),
  );
});

it.each([
  [{ rules: [{ id: 'a', kind: 'cold' }] }, 'rules.0.kind'],
  [{ rules: [{ id: 'a', kind: 'out-of-range' }] }, 'must have above, below, or both'],
  [{ rules: [{ id: 'a', kind: 'out-of-range', above: { raise: 1, clear: 2 } }] }, 'must clear at or below raise'],
  [
    {
      rules: [
        { id: 'a', kind: 'stuck', forSeconds: 1 },
        { id: 'a', kind: 'stale' },
      ],
    },
    'an id of its own',
  ],
  [{ rules: [{ id: 'a', kind: 'stale', match: {} }] }, 'must name at least one of'],
  [{ rules: [{ id: 'a', kind: 'rate-of-change', change: { raise: '1e999' } }] }, 'must be a decimal number'],
])('rules that make no sense are refused with a sentence: %j', (file, sentence) => {
  expect(() => parseAlarmRules(file, 'alarms.json')).toThrow(sentence);
});

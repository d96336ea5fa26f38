import { expect, test } from 'vitest';
import { RULES, classRules, reclassify } from './rules.ts';

const evidence = (detector: string, weight: number): { detector: string; found: string; weight: number } => ({
  detector,
  found: '',
  weight,
});

test('evidence for one class is a verdict, with its runner-up', () => {
  expect(reclassify([evidence('prose', 0.9), evidence('code', 0.3)])).toEqual({
    class: 'document',
    confidence: 0.9,
    ruleVersion: RULES.version,
    runnerUp: { class: 'source-code', confidence: 0.3 },
  });
});

test('too little of it, or as much for another class, is unknown', () => {
  expect(reclassify([])).toMatchObject({ class: 'unknown', confidence: 1 });
  expect(reclassify([evidence('prose', 0.5)])).toMatchObject({ class: 'unknown', runnerUp: { class: 'document' } });
  expect(reclassify([evidence('prose', 0.9), evidence('ini', 0.88), evidence('syslog', 0.88)])).toMatchObject({
    class: 'unknown',
  });
});

test('a special class goes before the general one, and evidence against a class weighs', () => {
  expect(reclassify([evidence('table', 0.95), evidence('telemetry', 0.8)]).class).toBe('telemetry');
  const rules = classRules.parse({
    ...RULES,
    rules: [...RULES.rules, { detector: 'no-prose', class: 'document', says: 1 }],
  });
  expect(reclassify([evidence('prose', 0.9), evidence('no-prose', -0.6)], rules)).toMatchObject({ class: 'unknown' });
});

test('a new version of the rules judges what was seen anew, without the file', () => {
  const seen = [evidence('json', 0.95)];
  expect(reclassify(seen).class).toBe('unknown');
  const rules = classRules.parse({
    ...RULES,
    version: 'next',
    rules: RULES.rules.map((rule) => (rule.detector === 'json' ? { ...rule, says: 0.9 } : rule)),
  });
  expect(reclassify(seen, rules)).toMatchObject({ class: 'configuration', ruleVersion: 'next' });
});

test('no detector has two rules, and each class can be told but unknown', () => {
  const detectors = RULES.rules.map(({ detector }) => detector);
  expect(new Set(detectors).size).toBe(detectors.length);
});

import { Counter, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { parsePrometheusText, sumOf } from './prometheus-text.ts';

test('reads what a registry writes, labels with quotes and line ends too', async () => {
  const registry = new Registry();
  registry.setDefaultLabels({ process: 'speed' });
  const counter = new Counter({ name: 'powergrid_x_total', help: 'x', labelNames: ['sink'], registers: [registry] });
  const odd = 'a "b" \\ c\nd, e="f"}';
  counter.inc({ sink: odd }, 3);
  counter.inc({ sink: 'redis' }, 0.5);
  new Counter({ name: 'other_total', help: 'y', registers: [registry] }).inc();

  const samples = parsePrometheusText(await registry.metrics(), 'powergrid_');
  expect(samples).toEqual([
    { name: 'powergrid_x_total', labels: { sink: odd, process: 'speed' }, value: 3 },
    { name: 'powergrid_x_total', labels: { sink: 'redis', process: 'speed' }, value: 0.5 },
  ]);
  expect(sumOf(samples, 'powergrid_x_total')).toBe(3.5);
  expect(sumOf(samples, 'powergrid_x_total', { sink: 'redis' })).toBe(0.5);
  expect(sumOf(samples, 'powergrid_x_total', { sink: 'none' })).toBeUndefined();
});

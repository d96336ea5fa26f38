import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createImportMetrics } from '../../activities/import/metrics.ts';
import { loadConfig } from '../../runtime/config.ts';
import { Registry } from '../../runtime/metrics.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(`${project}${path}`, 'utf8');

const prometheusSchema = z.object({
  scrape_configs: z.array(
    z.object({ job_name: z.string(), static_configs: z.array(z.object({ targets: z.array(z.string()) })) }),
  ),
});
const dashboardSchema = z.object({
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })) })),
});

it('Prometheus scrapes each process at its default port, in its container and on the host', () => {
  const { scrape_configs: jobs } = prometheusSchema.parse(parse(read('infra/prometheus/prometheus.yml')));
  const targets = new Map(jobs.map((job) => [job.job_name, job.static_configs.flatMap((config) => config.targets)]));
  const config = loadConfig({});
  const ports = {
    ingest: config.INGEST_PORT,
    speed: config.SPEED_METRICS_PORT,
    batch: config.BATCH_METRICS_PORT,
    serving: config.HTTP_PORT,
    simulator: config.SIMULATOR_METRICS_PORT,
  };
  for (const [job, port] of Object.entries(ports)) {
    expect(targets.get(job)?.map((target) => target.split(':')[1])).toEqual([String(port), String(port)]);
    expect(targets.get(job)).toContain(`host.docker.internal:${port}`);
  }
});

it('every metric that the dashboards ask for is one that the program has', () => {
  const sources = ['connectors', 'runtime', 'streaming']
    .flatMap((folder) =>
      readdirSync(`${project}${folder}`, { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
    )
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map(read)
    .join('\n');
  const imports = new Registry();
  createImportMetrics(imports);
  const known = new Set([
    ...[...sources.matchAll(/name: '(powergrid_\w+)'/g)].map(([, name]) => name),
    ...imports.getMetricsAsArray().map(({ name }) => name),
  ]);
  for (const dashboard of ['speed-layer', 'batch-jobs']) {
    const { panels } = dashboardSchema.parse(JSON.parse(read(`infra/grafana/dashboards/${dashboard}.json`)));
    const asked = panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => expr.match(/powergrid_\w+/g) ?? []));
    expect(asked.length).toBeGreaterThanOrEqual(5);
    expect(asked.filter((name) => !known.has(name.replace(/_(bucket|sum|count)$/, '')))).toEqual([]);
  }
});

import { Context } from '@temporalio/activity';
import type { DiscoveryActivities } from '../../workflows/discovery/contract.ts';
import { withHeartbeats } from '../running/heartbeats.ts';
import type { DiscoveryDependencies } from './dependencies.ts';
import { LandingPaths } from './landing-paths.ts';
import { findUnlanded } from './landing/find-unlanded.ts';
import { landFiles } from './landing/land-files.ts';
import { listDirectories } from './listing/list-directories.ts';
import { openCrawl } from './listing/open-crawl.ts';
import { reportCrawl } from './report/report-crawl.ts';

/** The activities of `discoverLegacyFiles`, each with what it needs. */
export function createDiscoveryActivities(deps: DiscoveryDependencies): DiscoveryActivities {
  return {
    openCrawl: (crawl) => withHeartbeats((signal) => openCrawl(deps, crawl, signal)),
    listDirectories: (request) =>
      withHeartbeats((signal) => listDirectories(deps, request, Context.current().info.attempt, signal)),
    landFiles: (request) => withHeartbeats((signal) => landFiles(deps, request, signal)),
    findUnlanded: (request) =>
      withHeartbeats((signal) => findUnlanded(deps, request, Context.current().info.attempt, signal)),
    reportCrawl: (request) => withHeartbeats(() => reportCrawl(deps, request)),
    discardCrawl: ({ crawlId }) =>
      withHeartbeats(async () => {
        await deps.hdfs.delete(new LandingPaths(deps.options.directory).crawl(crawlId), { recursive: true });
        await deps.catalogue.forgetVisits(crawlId);
      }),
  };
}

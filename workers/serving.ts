import { runProcess } from '../runtime/process.ts';
import { Backoff } from '../runtime/waiting/backoff.ts';
import { startServing } from '../serving/serving.ts';
import { openStores } from './serving/open-stores.ts';

runProcess('serving', async ({ config, logger, metrics, stopping }) => {
  const stores = openStores(config, logger, metrics);
  const serving = await startServing({ config, logger, metrics, stores });
  // The views may be made by whoever comes first; until then questions for them fail, and say why.
  const migrated = (async () => {
    const backoff = new Backoff({ firstMs: 200, longestMs: 5_000 });
    for (let isTold = false; !stopping.aborted; await backoff.pause(stopping)) {
      try {
        await stores.database.migrate();
        return;
      } catch (error) {
        if (!isTold) logger.warn({ err: error }, 'the views cannot be made ready yet; it is tried again');
        isTold = true;
      }
    }
  })();

  return {
    async stop() {
      await serving.close();
      await migrated;
      await stores.close();
    },
  };
});

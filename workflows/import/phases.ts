import {
  CancellationScope,
  log,
  startChild,
  type ChildWorkflowHandle,
  type ChildWorkflowOptions,
} from '@temporalio/workflow';
import type { SourceSnapshot } from '../../grid/history/sql-source.ts';
import { partId } from '../job/ids.ts';
import {
  snapshotTaken,
  type CopyRequest,
  type CopyResult,
  type PublishRequest,
  type PublishResult,
} from './messages.ts';

type CopyTables = (request: CopyRequest) => Promise<CopyResult>;
type PublishTables = (request: PublishRequest) => Promise<PublishResult>;

/** `copyTables` at work, as the workflow that started it sees it. */
export class CopyPhase {
  #scope: CancellationScope | undefined;
  #child: ChildWorkflowHandle<CopyTables> | undefined;
  #newest: SourceSnapshot | undefined;

  /** @param part tells apart the several that one import may start */
  async run(request: CopyRequest, part: number): Promise<CopyResult> {
    this.#newest = undefined;
    this.#scope = new CancellationScope();
    try {
      return await this.#scope.run(async () => {
        const child = await startChild<CopyTables>('copyTables', { ...childOptions('copy', part), args: [request] });
        this.#child = child;
        // Taken while it was being started.
        if (this.#newest !== undefined) this.snapshotTaken(this.#newest);
        return await child.result();
      });
    } finally {
      this.#child = undefined;
      this.#scope = undefined;
    }
  }

  /** Passes the keeper's news on. */
  snapshotTaken(snapshot: SourceSnapshot): void {
    this.#newest = snapshot;
    this.#child?.signal(snapshotTaken, { snapshot }).catch((error: unknown) => {
      log.debug('it was done before it could be told of the snapshot', { error });
    });
  }

  /** Ends it; nothing it has done is lost. */
  breakOff(): void {
    this.#scope?.cancel();
  }
}

export async function publishPhase(request: PublishRequest, part: number): Promise<PublishResult> {
  const options = { ...childOptions('publish', part), args: [request] as [PublishRequest] };
  const child = await startChild<PublishTables>('publishTables', options);
  return await child.result();
}

/** Whatever ends the import ends the child; it may take the time to end in order. */
function childOptions(phase: string, part: number): ChildWorkflowOptions {
  return {
    workflowId: partId(`${phase}-${part}`),
    parentClosePolicy: 'REQUEST_CANCEL',
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { scripted } from './scripted-table.ts';
import { closeAll, closeLater, failure, never, peerWith, sourceAt } from './wire-bed.ts';

afterEach(closeAll);

describe('closing a source', () => {
  it('closes the connections of its readers, in the middle of a transaction', async () => {
    const peer = await peerWith({ answer: scripted({ rows: [] }) });
    const source = sourceAt(peer.url());
    const reader = await source.read(undefined, never);
    await source.read(undefined, never);
    expect(peer.open).toBe(2);
    await source.close();
    await eventually('the connections close', () => peer.open === 0);
    await source.close();
    await reader.close();
    expect(
      (
        await failure(
          reader.plan({ schema: 'dbo', name: 'telemetry' }, { splitRows: 10, onUnsupported: 'refuse' }, never),
        )
      ).code,
    ).toBe('source-unavailable');
  });

  it('lets the process end, though a reader was left open', async () => {
    const peer = await peerWith({ answer: scripted({ rows: [] }) });
    const script = fileURLToPath(new URL('read-and-close.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', script, peer.url()], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    closeLater({ close: () => Promise.resolve(void child.kill('SIGKILL')) });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    expect({ code, said }).toEqual({ code: 0, said: 'closed\n' });
  });
});

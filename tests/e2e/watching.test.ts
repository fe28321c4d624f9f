// `tipflow load watch`: viewers who watch over WebSocket see every tip once; and it says so when they do not.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { binary } from './support/paths.ts';
import { makeDirectory, removeDirectory, run } from './support/processes.ts';
import { storesToTest } from './support/stores.ts';
import { waitFor } from './support/wait.ts';

interface Report {
  exitCode: number;
  viewers: { asked: number; open: number; openAtEnd: number; whole: number; wrongSums: number; gaps: number; repeats: number; resumed: number };
  tips: { sent: number; acknowledged: number };
  seen: { count: number; maxMs: number };
  traffic: { deliveries: number };
  burst: { deliveries: number };
  servers: { memoryPerViewerKiB: number };
  faults: string[];
}

const viewers = 200;
const limits = { TIPFLOW_LIMITS_EXEMPT: '127.0.0.0/8', TIPFLOW_ROOM_ADMIT_PER_SECOND: '2000' };

describe.each(storesToTest())('viewers of rooms on %s', (store) => {
  let node: TipflowNode;
  let directory: string;
  showOutputOnFailure(() => node);

  afterEach(async () => {
    await node?.dispose();
    removeDirectory(directory);
  });

  async function watch(...more: string[]): Promise<{ code: number | null; output: string; report: Report }> {
    const file = join(directory, 'watch.json');
    const { code, stdout, stderr } = await run(
      binary,
      ['load', 'watch', '--quiet', '--url', node.baseUrl, '--viewers', String(viewers), '--rooms', '4', '--json', file].concat(
        ['--pid', String(node.pid), '--people', '10', '--rate', '40', ...more],
      ),
      { withinMs: 60_000 },
    );
    return { code, output: stdout + stderr, report: JSON.parse(readFileSync(file, 'utf8')) as Report };
  }

  test('see every tip of their room once, also those who were away', async () => {
    directory = makeDirectory('watch');
    node = await TipflowNode.start({ store, env: limits });
    const burst = ['--burst-rate', '100', '--burst-seconds', '1'];
    const { code, output, report } = await watch('--seconds', '4', '--returns', '10', '--away', '0.5', '--per-process', '80', ...burst);
    expect(code, output).toBe(0);
    expect(report.faults).toEqual([]);
    expect(report.viewers).toMatchObject({ asked: viewers, open: viewers, openAtEnd: viewers, whole: viewers, wrongSums: 0, gaps: 0, repeats: 0 });
    expect(report.viewers.resumed).toBeGreaterThan(10);
    expect(report.tips.acknowledged).toBe(report.tips.sent);
    expect(report.tips.sent).toBe(160 + 100);
    expect(report.traffic.deliveries).toBeGreaterThan(160);
    expect(report.burst.deliveries).toBeGreaterThan(100);
    expect(report.seen.count).toBeGreaterThan(160);
    expect(report.seen.count).toBeLessThanOrEqual(report.traffic.deliveries);
    expect(report.servers.memoryPerViewerKiB).toBeGreaterThan(0);
  });

  test('that are cut off by a killed node are not called well', async () => {
    directory = makeDirectory('watch');
    node = await TipflowNode.start({ store, env: limits });
    const tipping = waitFor('tips are given', async () => {
      const { bytes } = await node.client().call('GET', '/metrics');
      return Number(/^tipflow_tips_total\{[^}]*outcome="created"[^}]*\} (\S+)$/m.exec(bytes.toString())?.[1] ?? 0) > 20;
    }).then(() => node.kill());
    const [{ code, output, report }] = await Promise.all([watch('--seconds', '3', '--settle', '1'), tipping]);
    expect(code, output).toBe(1);
    expect(report.exitCode).toBe(1);
    expect(report.faults.join()).toContain(`${viewers} connections ended without being asked to`);
  });
});

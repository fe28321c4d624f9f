// The node that keeps log lines goes away under load: nobody who tips notices, what fits waits and is brought once, and
// what does not fit is counted exactly.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { Client } from './support/client.ts';
import { TipflowNode, adminPassword } from './support/node.ts';
import { binary } from './support/paths.ts';
import { makeDirectory, removeDirectory, run } from './support/processes.ts';
import { storeSettings } from './support/stores.ts';
import { waitFor, waitUntil } from './support/wait.ts';

/** A minute where it is asked for; else as long as shows the same. */
const awaySeconds = Number(process.env['TIPFLOW_LONG_AWAY_SECONDS'] ?? 6);
const tipsPerSecond = 500;
const clusterKey = 'c1'.repeat(32);

/** What is read of the load generator's report. */
interface Report {
  latency: { p99Ms: number };
  totals: { created: number };
}

interface LoadReport {
  p99Ms: number;
  tips: number;
}

const started: TipflowNode[] = [];
afterEach(async () => {
  for (const node of started.splice(0)) await node.dispose();
});

async function pair(buffer: Readonly<Record<string, string>>): Promise<{ tipping: TipflowNode; console: TipflowNode }> {
  const shared = {
    ...(await storeSettings('MariaDB', inject('mariadb'))),
    TIPFLOW_CLUSTER_KEY: clusterKey,
    TIPFLOW_TOKEN_KEY: 'd2'.repeat(32),
  };
  const console = await TipflowNode.start({ roles: ['console'], env: shared });
  started.push(console);
  const tipping = await TipflowNode.start({
    roles: ['anchor', 'audience', 'finance'],
    // Spans are not in the log file, by which the lines are counted.
    env: { ...shared, ...buffer, TIPFLOW_RECORDS_URL: console.baseUrl, TIPFLOW_TRACE_PER_SECOND: '0', TIPFLOW_TRACE_SLOW_MS: '60000' },
  });
  started.push(tipping);
  return { tipping, console };
}

async function load(node: TipflowNode, seconds: number): Promise<LoadReport> {
  const directory = makeDirectory('report');
  const json = join(directory, 'report.json');
  const { code, stdout, stderr } = await run(
    binary,
    ['load', '--url', node.baseUrl, '--rate', String(tipsPerSecond), '--seconds', String(seconds), '--warmup', '0']
      .concat(['--connections', '16', '--rooms', '5', '--viewers', '50', '--verify', 'none', '--alone', '--quiet', '--json', json]),
    { env: { ...process.env, TIPFLOW_ADMIN_PASSWORD: adminPassword }, withinMs: (seconds + 60) * 1_000 },
  );
  expect(code, stdout + stderr).toBe(0);
  const report = JSON.parse(readFileSync(json, 'utf8')) as Report;
  removeDirectory(directory);
  return { p99Ms: report.latency.p99Ms, tips: report.totals.created };
}

interface Balance {
  kept: number;
  dropped: number;
  /** Lines in the log before the look itself. */
  written: number;
}

/** What became of the lines of a node, and how many there were when that was asked. */
async function balance(node: TipflowNode): Promise<Balance> {
  const answer = await node.client().call('GET', '/metrics');
  const value = (name: string): number =>
    Number(new RegExp(`^${name}\\{sink="console"\\} (\\S+)$`, 'm').exec(answer.bytes.toString())?.[1]);
  const own = String(answer.headers['x-trace-id']);
  const lines = await waitFor('the look is in the log', () => {
    const all = written(node);
    return all.some((line) => line.includes(own)) && all;
  });
  return {
    kept: value('tipflow_records_kept_total'),
    dropped: value('tipflow_records_dropped_total'),
    written: lines.findIndex((line) => line.includes(own)),
  };
}

/** Every line is accounted for: kept or dropped. Looks leave lines themselves, so not too often. */
const settled = (node: TipflowNode): Promise<Balance> =>
  waitUntil('every line is kept or dropped', () => balance(node), (b) => b.kept + b.dropped === b.written, { everyMs: 700 });

function written(node: TipflowNode): string[] {
  return readFileSync(join(node.dataDir, 'log', 'tipflow.jsonl'), 'utf8').split('\n').filter(Boolean);
}

async function keptOf(console: TipflowNode, traceId: string): Promise<number> {
  const admin = await console.client().login('operator', 'admin', adminPassword);
  const client = new Client(console.baseUrl, admin);
  const answer = await client.call<{ items: unknown[] }>('GET', '/api/v1/admin/logs', { query: { traceId } });
  expect(answer.status).toBe(200);
  return answer.body.items.length;
}

describe('while the node that keeps log lines is away', () => {
  test('nobody is slower for it, and every line is there afterwards, once', { timeout: 300_000 }, async () => {
    const { tipping, console } = await pair({});
    const before = await load(tipping, awaySeconds);
    await console.kill();
    const away = await load(tipping, awaySeconds);
    await console.launch();

    const { kept, dropped } = await settled(tipping);
    expect(dropped).toBe(0);
    expect(kept).toBeGreaterThanOrEqual(2 * awaySeconds * tipsPerSecond);
    expect(away.tips).toBe(awaySeconds * tipsPerSecond);
    // Of one run on a shared machine: a line that held up a request would cost seconds, not this.
    expect(away.p99Ms).toBeLessThan(before.p99Ms * 2 + 50);
    const ids = written(tipping)
      .map((line) => (JSON.parse(line) as { traceId?: string }).traceId)
      .filter((id) => id !== undefined);
    for (const place of [0.1, 0.5, 0.75, 0.9]) {
      const id = ids[Math.floor(ids.length * place)] as string;
      expect(await keptOf(console, id)).toBe(ids.filter((other) => other === id).length);
    }
  });

  test('what does not fit is counted, line by line', { timeout: 300_000 }, async () => {
    const { tipping, console } = await pair({ TIPFLOW_RECORDS_BUFFER_MB: '1' });
    await console.kill();
    await load(tipping, 8);
    await console.launch();

    const { kept, dropped } = await settled(tipping);
    expect(dropped).toBeGreaterThan(0);
    expect(kept).toBeGreaterThan(0);
  });
});

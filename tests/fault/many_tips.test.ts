// Millions of tips from the load generator, one request in twenty sent twice: one by one with kill -9 of the node on
// the way, and, ten times as many, in batches without. The books are right to the fen.
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readRows } from '../e2e/support/books.ts';
import { TipflowNode, adminPassword, showOutputOnFailure } from '../e2e/support/node.ts';
import { binary } from '../e2e/support/paths.ts';
import { makeDirectory, removeDirectory, run } from '../e2e/support/processes.ts';
import { settledBooks } from '../e2e/support/stories.ts';
import { storesToTest } from '../e2e/support/stores.ts';
import { waitFor } from '../e2e/support/wait.ts';
import { manyTips } from './support/sizes.ts';

const hourMs = 3_600_000;
const kills = 3;
/** Fewer are sent before anyone can kill three times. */
const leastWithKills = 100_000;

describe.each(storesToTest())('on %s', (store) => {
  let node: TipflowNode;
  showOutputOnFailure(() => node);

  afterAll(async () => node?.dispose());

  const made = async (): Promise<number> => {
    const { bytes } = await node.client().call('GET', '/metrics');
    return Number(/^tipflow_tips_total\{[^}]*outcome="created"[^}]*\} (\S+)$/m.exec(bytes.toString())?.[1] ?? 0);
  };

  /** Kills the node after each quarter of the tips, as long as the load runs; answers how often. */
  async function killOnTheWay(tips: number, load: Promise<unknown>): Promise<number> {
    let over = false;
    void load.finally(() => (over = true)).catch(() => undefined);
    const part = tips / (kills + 1);
    for (let kill = 0; kill < kills; ++kill) {
      await waitFor('a part of the tips is made', async () => over || (await made()) >= part, {
        withinMs: hourMs,
        everyMs: 100,
      });
      if (over) return kill;
      await node.kill();
      await node.launch();
    }
    return kills;
  }

  test.each([
    { tips: Math.max(leastWithKills, manyTips / 10), killed: true, how: ['--connections', '64'] },
    { tips: manyTips, killed: false, how: ['--batch', '1000', '--connections', '4'] },
  ])('$tips tips, one in twenty twice, leave the books right (killed: $killed)', { timeout: 4 * hourMs }, async ({ tips, killed, how }) => {
    await node?.dispose();
    node = await TipflowNode.start({ store });
    const directory = makeDirectory('record');
    const record = join(directory, 'record.jsonl');
    const began = Date.now();
    const load = run(
      binary,
      ['load', '--url', node.baseUrl, '--rate', '0', '--tips', String(tips), '--duplicates', '0.05', '--alone', '--quiet', ...how]
        .concat(killed ? ['--record', record] : []),
      { env: { ...process.env, TIPFLOW_ADMIN_PASSWORD: adminPassword }, withinMs: 3 * hourMs },
    );
    const [{ code, stdout, stderr }, timesKilled] = await Promise.all([load, killed ? killOnTheWay(tips, load) : 0]);
    expect(code, stdout + stderr).toBe(0);
    expect(timesKilled, 'kills while tips were sent').toBe(killed ? kills : 0);
    const sentMs = Date.now() - began;

    const books = await settledBooks(await node.asAdmin(), { withinMs: hourMs, everyMs: 500 });
    expect(books.difference).toEqual({ count: 0, amount: 0 });
    const [tip] = await readRows(node.databases.db1, 'SELECT COUNT(*), SUM(amount), COUNT(DISTINCT trace_id) FROM tip');
    const [ledger] = await readRows(node.databases.db2, 'SELECT COUNT(*), SUM(amount) FROM ledger');
    expect(tip).toEqual([String(tips), String(books.tips.amount), String(tips)]);
    expect(ledger).toEqual([String(tips), String(books.tips.amount)]);

    const audit = await node.audit(killed ? ['--record', record] : [], hourMs);
    expect(audit.code, audit.output).toBe(0);
    removeDirectory(directory);
    console.log(`${tips} tips on ${store}, killed: ${killed}: sent in ${sentMs} ms, all in ${Date.now() - began} ms\n${stdout}`);
  });
});

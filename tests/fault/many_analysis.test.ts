// Millions of tips of hundreds of thousands of viewers, counted by analysis while its node is killed again and again:
// every cell, total and tier, and every association, equals what the ledger says by other code.
import { afterAll, describe, expect, test } from 'vitest';
import { readRows } from '../e2e/support/books.ts';
import { TipflowNode, adminPassword, showOutputOnFailure } from '../e2e/support/node.ts';
import { binary } from '../e2e/support/paths.ts';
import { run } from '../e2e/support/processes.ts';
import { randomFor } from '../e2e/support/random.ts';
import { settledBooks } from '../e2e/support/stories.ts';
import { storesToTest } from '../e2e/support/stores.ts';
import { pacer, waitFor, waitUntil } from '../e2e/support/wait.ts';
import { analysisKills, analysisViewers, manyTips } from './support/sizes.ts';

const hourMs = 3_600_000;
const jobs = { TIPFLOW_JOBS_HOURLY_SECONDS: '1', TIPFLOW_JOBS_ROUND_SECONDS: '1', TIPFLOW_JOBS_LEASE_SECONDS: '2' };
const longestWorkMs = 4_000;
const rooms = 100;
const random = randomFor('many_analysis');

interface JobRun {
  outcome: string;
  startedAt: string;
}

describe.each(storesToTest())('analysis on %s', (store) => {
  let node: TipflowNode;
  showOutputOnFailure(() => node);

  afterAll(async () => node?.dispose());

  /** Waits for a run of the job that began after this call and succeeded. */
  async function freshRun(job: string): Promise<void> {
    const admin = await node.asAdmin();
    const since = Date.now();
    await waitUntil(
      `${job} has come to its end`,
      async () => (await admin.ask<{ items: JobRun[] }>('GET', `/admin/jobs/${job}/runs`)).body.items,
      (runs) => runs.some(({ outcome, startedAt }) => outcome === 'succeeded' && Date.parse(startedAt) > since),
      { withinMs: hourMs, everyMs: 1_000 },
    );
  }

  /** How often any job was begun. */
  const begun = async (): Promise<number> => Number((await readRows(node.databases.db2, 'SELECT COALESCE(MAX(id), 0) FROM job_run'))[0]?.[0]);

  /** The last rows that analysis has counted, of all lanes. */
  const counted = async (): Promise<number> =>
    Number((await readRows(node.databases.db2, 'SELECT COALESCE(SUM(last_seq), 0) FROM analysis_progress'))[0]?.[0]);

  test(`${manyTips} tips, ${analysisKills} kills`, { timeout: 4 * hourMs }, async () => {
    // Nothing is counted while the tips are written, so that the kills meet the counting.
    node = await TipflowNode.start({ store, roles: ['anchor', 'audience', 'finance', 'console'], env: jobs });
    const load = await run(
      binary,
      ['load', '--url', node.baseUrl, '--rate', '0', '--batch', '1000', '--connections', '4', '--tips', String(manyTips)].concat(
        ['--rooms', String(rooms), '--viewers', String(analysisViewers), '--registered-most', '500', '--zipf-viewers', '0.6'],
        ['--taste', '0.5', '--seed', String(random.seed), '--verify', 'sums', '--alone', '--quiet'],
      ),
      { env: { ...process.env, TIPFLOW_ADMIN_PASSWORD: adminPassword }, withinMs: 2 * hourMs },
    );
    expect(load.code, load.stdout + load.stderr).toBe(0);
    await settledBooks(await node.asAdmin(), { withinMs: hourMs, everyMs: 500 });
    await node.stop();

    const lives: number[] = [];
    for (let kill = 0; kill < analysisKills; ++kill) {
      const before = await begun();
      await node.launch('all');
      await waitFor('a job is under way', async () => (await begun()) > before, { withinMs: 60_000 });
      await pacer(random.integer(1, longestWorkMs))();
      await node.kill();
      lives.push(await counted());
    }
    // Some must have met the counting under way: neither all of it before the first kill, nor all after the last.
    expect(lives.filter((tips, life) => tips > 0 && tips > (lives[life - 1] ?? 0)).length).toBeGreaterThan(1);
    await node.launch('all');
    await freshRun('hourly_analysis');
    await freshRun('portrait_round');
    await freshRun('tag_association');

    const audit = await node.audit([], hourMs);
    expect(audit.code, audit.output).toBe(0);
    expect(audit.output).toMatch(/I12/);
    await expectActivity(node);
    await expectSums(node);
    await expectEverybody(node);
    console.log(`${manyTips} tips of ${analysisViewers} viewers on ${store}: ${analysisKills} kills\n${audit.output}`);
  });
});

/** What each viewer did is what the ledger says, by the database itself. */
async function expectActivity(node: TipflowNode): Promise<void> {
  const sums = 'COUNT(*), SUM(tips), SUM(tips * viewer_id), SUM(tips * anchor_id), SUM(last_at % 1000003 * (viewer_id % 1009))';
  const [counted] = await readRows(node.databases.db2, `SELECT ${sums} FROM viewer_activity WHERE tips > 0`);
  const [ledger] = await readRows(
    node.databases.db2,
    `SELECT ${sums} FROM (SELECT viewer_id, anchor_id, COUNT(*) AS tips, MAX(accepted_at) AS last_at FROM ledger
     GROUP BY viewer_id, anchor_id) AS told`,
  );
  expect(counted).toEqual(ledger);
}

/** The published sums are those of the viewers' own weights. */
async function expectSums(node: TipflowNode): Promise<void> {
  const published = '(SELECT generation FROM association_generation WHERE published = 1)';
  const rows = await readRows(
    node.databases.db2,
    `SELECT viewer_id, REPLACE(weights, CHAR(10), '|') FROM association_viewer WHERE generation = ${published}`,
  );
  const sums = new Map<string, { weight: number; viewers: number }>();
  const add = (name: string, weight: number): void => {
    const sum = sums.get(name) ?? { weight: 0, viewers: 0 };
    sums.set(name, { weight: sum.weight + weight, viewers: sum.viewers + 1 });
  };
  for (const [, weights] of rows) {
    const tags = (weights ?? '').split('|').filter((line) => line !== '').map((line) => {
      const space = line.indexOf(' ');
      return { weight: Number(line.slice(0, space)), tag: line.slice(space + 1) };
    });
    for (const [place, one] of tags.entries()) {
      add(one.tag, one.weight);
      for (const other of tags.slice(place + 1)) add(`${one.tag}\t${other.tag}`, Math.min(one.weight, other.weight));
    }
  }
  const stored = [
    ...(await readRows(node.databases.db2, `SELECT tag, weight, viewers FROM association_tag WHERE generation = ${published} AND viewers > 0`)),
    ...(await readRows(
      node.databases.db2,
      `SELECT tag_a, tag_b, weight, viewers FROM association_pair WHERE generation = ${published} AND viewers > 0`,
    )).map(([a, b, ...rest]) => [`${a}\t${b}`, ...rest]),
  ];
  expect(stored.length).toBe(sums.size);
  const wrong = stored.filter(([name, weight, viewers]) => {
    const sum = sums.get(name as string);
    return sum === undefined || sum.weight !== Number(weight) || sum.viewers !== Number(viewers);
  });
  expect(wrong.slice(0, 5), `${wrong.length} sums differ`).toEqual([]);
}

/** Every viewer who tipped is counted. */
async function expectEverybody(node: TipflowNode): Promise<void> {
  const [[told]] = (await readRows(node.databases.db2, 'SELECT COUNT(DISTINCT viewer_id) FROM ledger')) as [[string]];
  const [[counted]] = (await readRows(
    node.databases.db2,
    'SELECT COUNT(*) FROM association_viewer v JOIN association_generation g ON g.generation = v.generation WHERE g.published = 1',
  )) as [[string]];
  expect(Number(counted)).toBe(Number(told));
  await waitFor('nobody is left to be counted', async () => {
    const [[left]] = (await readRows(node.databases.db2, 'SELECT COUNT(*) FROM association_dirty')) as [[string]];
    return left === '0';
  });
}

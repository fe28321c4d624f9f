// Scheduled jobs: shown, changed, asked for; on one node at a time, and on another when that one dies.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkContract } from './support/contract.ts';
import type { Client } from './support/client.ts';
import { changeJob, jobNamed, listJobs, runJob, runsOf } from './support/jobs.ts';
import type { Page, Problem } from './support/model.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { anchorWithOpenRoom, guest, newTip } from './support/stories.ts';
import { storesToTest } from './support/stores.ts';
import { waitUntil } from './support/wait.ts';

const name = 'top_viewers';
const day = 86_400;

describe.each(storesToTest())('the jobs of a node on %s', (store) => {
  let node: TipflowNode;
  let admin: Client;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start({ store, env: { TIPFLOW_NODE: 'the-node' } });
    admin = await node.asAdmin();
  });
  afterAll(async () => node?.dispose());

  test('are shown with where they live, how often they run and how they went', async () => {
    const job = await waitUntil('it has run', () => jobNamed(admin, name), ({ lastRun }) => lastRun !== null);
    expect(job).toMatchObject({ role: 'audience', database: 'DB1', everySeconds: 5, releaseEverySeconds: 5, paused: false });
    expect(job.lastRun).toMatchObject({ node: 'the-node', outcome: 'succeeded' });
    expect(Date.parse(job.nextDueAt as string)).toBeGreaterThan(Date.parse(job.lastRun?.startedAt as string));
    expect((await listJobs(admin)).complete).toBe(true);
  });

  test('run out of turn when they are asked for, and say how many items they saw', async () => {
    await changeJob(admin, name, { everySeconds: day });
    const host = await anchorWithOpenRoom(node);
    const fan = await guest(node);
    for (let i = 0; i < 3; ++i) await fan.client.sendTip(newTip(host.roomId, 100));
    const run = await runJob(admin, name, { withinMs: 3_000 });
    expect(run).toMatchObject({ items: 3, outcome: 'succeeded', node: 'the-node' });
  });

  test('run as often as an admin wants them to, from the next second on', async () => {
    const before = await runsOf(admin, name);
    expect(await changeJob(admin, name, { everySeconds: 1 })).toMatchObject({ everySeconds: 1, releaseEverySeconds: 5 });
    const started = Date.now();
    await waitUntil('three more runs', () => runsOf(admin, name), (runs) => runs.length >= before.length + 3, { withinMs: 10_000 });
    expect(Date.now() - started).toBeLessThan(6_000);
  });

  test('do not run while they are paused, but when they are asked for', async () => {
    await changeJob(admin, name, { everySeconds: 1, paused: true });
    const paused = await waitUntil('none is under way', () => jobNamed(admin, name), ({ runningOn }) => runningOn === null);
    expect(paused).toMatchObject({ paused: true, nextDueAt: null });
    const last = (await runsOf(admin, name, 1))[0]?.id as number;
    const asked = await runJob(admin, name);
    // Without the pause several would have come between.
    await waitUntil('two seconds have passed', async () => Date.now() - Date.parse(asked.startedAt), (ms) => ms > 2_000);
    const since = (await runsOf(admin, name)).filter(({ id }) => id > last);
    expect(since.map(({ id }) => id)).toEqual([asked.id]);
    await changeJob(admin, name, { everySeconds: 5, paused: false });
  });

  test('keep their changes over a restart', async () => {
    await changeJob(admin, name, { everySeconds: 77 });
    await node.restart();
    expect(await jobNamed(admin, name)).toMatchObject({ everySeconds: 77, releaseEverySeconds: 5 });
  });

  test('have a history that is paged, newest first', async () => {
    const all = await runsOf(admin, name);
    const first = (await admin.ask<Page<{ id: number }>>('GET', `/admin/jobs/${name}/runs`, { query: { pageSize: 2 } })).body;
    expect(first.items.map(({ id }) => id)).toEqual(all.slice(0, 2).map(({ id }) => id));
    const next = (
      await admin.ask<Page<{ id: number }>>('GET', `/admin/jobs/${name}/runs`, {
        query: { pageSize: 2, pageToken: first.nextPageToken as string },
      })
    ).body;
    expect(next.items.map(({ id }) => id)).toEqual(all.slice(2, 4).map(({ id }) => id));
    expect([...all].sort((a, b) => b.id - a.id)).toEqual(all);
  });

  test('leave a record of who changed what', async () => {
    await changeJob(admin, name, { everySeconds: 20 });
    const { items } = (
      await admin.ask<Page<{ action: string; object: string; before: object; after: object }>>('GET', '/admin/audit-log', {
        query: { action: 'admin/jobs', pageSize: 1 },
      })
    ).body;
    expect(items[0]).toMatchObject({
      action: 'PUT /api/v1/admin/jobs/{name}',
      object: `job ${name}`,
      before: { everySeconds: 77 },
      after: { everySeconds: 20 },
    });
  });

  test.each([
    [{ everySeconds: 0 }, 'everySeconds', 'must be from 1 to 2592000'],
    [{ everySeconds: 30 * day + 1 }, 'everySeconds', 'must be from 1 to 2592000'],
    [{ everySeconds: 1.5 }, 'everySeconds', 'integer'],
    [{ paused: 'yes' }, 'paused', ''],
    [{}, 'everySeconds', 'required'],
    [{ every: 5 }, 'every', ''],
  ])('refuse %j and name the field', async (change, field, detail) => {
    const answer = await admin.call<Problem>('PUT', `/api/v1/admin/jobs/${name}`, { json: change });
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.[0]?.field).toBe(field);
    expect(answer.body.errors?.[0]?.detail).toContain(detail);
  });

  test('are unknown by other names', async () => {
    for (const [method, path, json] of [
      ['PUT', '/api/v1/admin/jobs/no_such_job', { paused: true }],
      ['POST', '/api/v1/admin/jobs/no_such_job/runs', undefined],
      ['GET', '/api/v1/admin/jobs/no_such_job/runs', undefined],
    ] as const) {
      const answer = await admin.call<Problem>(method, path, { json });
      expect([answer.status, answer.body.code], `${method} ${path}`).toEqual([404, 'job_not_found']);
    }
  });

  test('are for operators, and changes need a signature', async () => {
    const fan = await guest(node);
    for (const [method, path] of [
      ['GET', '/api/v1/admin/jobs'],
      ['PUT', `/api/v1/admin/jobs/${name}`],
      ['POST', `/api/v1/admin/jobs/${name}/runs`],
      ['GET', `/api/v1/admin/jobs/${name}/runs`],
    ] as const) {
      expect((await fan.client.call(method, path, { json: method === 'PUT' ? { paused: true } : undefined })).status).toBe(403);
    }
    const unsigned = await admin.call<Problem>('PUT', `/api/v1/admin/jobs/${name}`, { json: { paused: true }, sign: false });
    expect([unsigned.status, unsigned.body.code]).toEqual([401, 'invalid_signature']);
    expect(await jobNamed(admin, name)).toMatchObject({ paused: false });
  });

  checkContract();
});

const servers = storesToTest().filter((store) => store === 'MariaDB');

describe.each(servers)('the jobs of two nodes on one %s', (store) => {
  let one: TipflowNode;
  let other: TipflowNode;
  let admin: Client;
  showOutputOnFailure(() => one);
  showOutputOnFailure(() => other);

  beforeAll(async () => {
    one = await TipflowNode.start({ store, env: { TIPFLOW_NODE: 'node-one' } });
    const { db1, db2 } = one.databases;
    other = await TipflowNode.start({
      env: { TIPFLOW_NODE: 'node-other', TIPFLOW_DB1_URL: db1, TIPFLOW_DB2_URL: db2 },
    });
    admin = await other.asAdmin();
    await changeJob(admin, name, { everySeconds: 1 });
  });
  afterAll(async () => {
    await one?.dispose();
    await other?.dispose();
  });

  test('run on one of them at a time', async () => {
    const runs = await waitUntil('ten runs', () => runsOf(admin, name), ({ length }) => length >= 10);
    for (let i = 1; i < runs.length; ++i) {
      const [later, earlier] = [runs[i - 1], runs[i]];
      if (later === undefined || earlier?.endedAt === null || earlier === undefined) continue;
      expect(Date.parse(earlier.endedAt), `${earlier.id} ended before ${later.id} began`).toBeLessThanOrEqual(
        Date.parse(later.startedAt),
      );
    }
  });

  test('go by a change that came through the other node', async () => {
    await changeJob(admin, name, { paused: true });
    await waitUntil('none is under way', () => jobNamed(admin, name), ({ runningOn }) => runningOn === null);
    const viaOne = await one.asAdmin();
    expect(await jobNamed(viaOne, name)).toMatchObject({ paused: true, everySeconds: 1 });
    const last = (await runsOf(viaOne, name, 1))[0]?.id;
    await changeJob(viaOne, name, { paused: false });
    await waitUntil('they run again', () => runsOf(admin, name, 1), (runs) => runs[0]?.id !== last, { withinMs: 3_000 });
  });

  test('go on within seconds when either of them is killed', async () => {
    await one.kill();
    const killed = Date.now();
    const last = (await runsOf(admin, name, 1))[0]?.id ?? 0;
    await waitUntil(
      'the other one runs them',
      () => runsOf(admin, name),
      (runs) => runs.filter(({ id, outcome }) => id > last && outcome === 'succeeded').length >= 3,
      { withinMs: 20_000 },
    );
    expect(Date.now() - killed, 'the lease of ten seconds, and three runs').toBeLessThan(16_000);
    expect(new Set((await runsOf(admin, name, 3)).map(({ node }) => node))).toEqual(new Set(['node-other']));
    await one.launch();
  });
});

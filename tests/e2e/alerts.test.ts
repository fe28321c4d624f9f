// What is wrong becomes an alert: raised, acknowledged, resolved, kept, and told to a webhook. Settings change while the
// node runs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Setting, acknowledge, alertOf, alerts, attentive, change, looks, metric, settings } from './support/alerts.ts';
import type { Client } from './support/client.ts';
import { checkContract } from './support/contract.ts';
import { Hook, type News, signatureOf } from './support/hook.ts';
import { makeDatabases, query } from './support/mariadb.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { freePort } from './support/processes.ts';
import { Proxy } from './support/proxy.ts';
import { anchorWithOpenRoom, guest, newTip, settledBooks } from './support/stories.ts';
import { storesToTest } from './support/stores.ts';
import { waitFor, waitUntil } from './support/wait.ts';

const quick = { ...attentive, TIPFLOW_ALERTS_RAISE_SECONDS: '0', TIPFLOW_ALERTS_RESOLVE_SECONDS: '0' };
const secret = 'what only the two of us know';
const linesOf = (node: TipflowNode): string => readFileSync(join(node.dataDir, 'log', 'tipflow.jsonl'), 'utf8');

describe.each(storesToTest())('an alert on %s', (store) => {
  let hook: Hook;
  let node: TipflowNode;
  let admin: Client;
  let id = 0;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    hook = await Hook.start();
    node = await TipflowNode.start({
      store,
      env: {
        ...attentive,
        TIPFLOW_ALERTS_RAISE_SECONDS: '1',
        TIPFLOW_ALERTS_RESOLVE_SECONDS: '1',
        TIPFLOW_ALERTS_SYNC_LAG_SECONDS: '2',
        TIPFLOW_ALERTS_WEBHOOK_URL: hook.url,
        TIPFLOW_ALERTS_WEBHOOK_SECRET: secret,
      },
    });
    const host = await anchorWithOpenRoom(node);
    const fan = await guest(node);
    await fan.client.sendTip(newTip(host.roomId, 100));
    await settledBooks(await node.asAdmin());
    await node.restart(['anchor', 'audience', 'console']);
    admin = await node.asAdmin();
    for (let i = 0; i < 5; ++i) await fan.client.sendTip(newTip(host.roomId, 100));
  });

  afterAll(async () => {
    await node?.dispose();
    await hook?.close();
  });

  test('is raised when tips wait too long, and says how many and for how long', async () => {
    const alert = await alertOf(admin, 'sync_lag', 'raised');
    id = alert.id;
    expect(alert).toMatchObject({ severity: 'critical', acknowledgedAt: null, acknowledgedBy: null, resolvedAt: null });
    expect(alert.detail).toMatch(/^5 tips wait to be settled, the oldest for \d+ s; at most 2 s are allowed$/);
    expect(alert.subject).toContain(String(node.port));
    const lag = (await metric(node.client(), 'tipflow_sync_lag_seconds')).get('');
    expect(lag).toBeGreaterThan(2);
    expect((await metric(node.client(), 'tipflow_sync_lag_tips')).get('')).toBe(5);
  });

  test('is one, however often the node looks and starts', async () => {
    await node.kill();
    await node.launch();
    admin = await node.asAdmin();
    // Of the process before, not of a lane of this one.
    await waitUntil(
      'the lag is seen again',
      () => metric(node.client(), 'tipflow_sync_lag_tips'),
      (seen) => seen.get('') === 5,
    );
    const raised = /"msg":"condition raised","rule":"sync_lag"/g;
    await waitUntil('both processes have raised it', async () => linesOf(node).match(raised)?.length, (seen) => seen === 2, looks);
    expect((await alerts(admin)).filter((each) => each.rule === 'sync_lag').map((each) => each.id)).toEqual([id]);
  });

  test('is acknowledged by an operator, once', async () => {
    const alert = await acknowledge(admin, id);
    expect(alert).toMatchObject({ id, state: 'acknowledged', acknowledgedBy: 'admin' });
    expect(await acknowledge(admin, id)).toEqual(alert);
    expect((await alerts(admin, { state: 'acknowledged' })).map((each) => each.id)).toEqual([id]);
    expect((await alerts(admin, { state: 'raised' })).filter((each) => each.id === id)).toEqual([]);
  });

  test('is resolved when it is over, and kept', async () => {
    await node.restart('all');
    admin = await node.asAdmin();
    await settledBooks(admin);
    const alert = await alertOf(admin, 'sync_lag', 'resolved');
    expect(alert).toMatchObject({ id, acknowledgedBy: 'admin' });
    expect(Date.parse(alert.resolvedAt ?? '')).toBeGreaterThan(Date.parse(alert.acknowledgedAt ?? ''));
    expect(Date.parse(alert.acknowledgedAt ?? '')).toBeGreaterThan(Date.parse(alert.raisedAt));
    expect((await alerts(admin, { severity: 'critical' })).map((each) => each.id)).toContain(id);
    await expect(acknowledge(admin, id)).rejects.toMatchObject({ status: 409, code: 'alert_resolved' });
    expect((await metric(node.client(), 'tipflow_sync_lag_seconds')).get('')).toBe(0);
  });

  test('is told to the webhook each time, signed', async () => {
    for (const event of ['raised', 'acknowledged', 'resolved'] as const) {
      const told = await hook.hears(id, event);
      expect(told.headers['content-type']).toBe('application/json');
      expect(told.headers['x-tipflow-signature']).toBe(signatureOf(told, secret));
      expect(Math.abs(Number(told.headers['x-tipflow-timestamp']) - Date.now())).toBeLessThan(300_000);
      expect((JSON.parse(told.body) as News).alert).toMatchObject({ id, rule: 'sync_lag', state: event });
    }
    const events = hook.told.map(({ body }) => JSON.parse(body) as News).filter(({ alert }) => alert.id === id);
    expect(events.map(({ event }) => event)).toEqual(['raised', 'acknowledged', 'resolved']);
  });

  test('is looked for by page, and refuses what it does not know', async () => {
    const first = await admin.ask<{ items: { id: number }[]; nextPageToken: string | null }>('GET', '/admin/alerts', {
      query: { pageSize: 1 },
    });
    expect(first.body.items).toHaveLength(1);
    for (const [name, value] of [['state', 'open'], ['severity', 'mild'], ['pageToken', '!']] as const) {
      await expect(admin.ask('GET', '/admin/alerts', { query: { [name]: value } })).rejects.toMatchObject({
        status: 400,
        errors: [{ field: name, code: 'invalid_format' }],
      });
    }
    for (const unknown of ['0', '999999', 'x']) {
      await expect(admin.ask('POST', `/admin/alerts/${unknown}/acknowledge`)).rejects.toMatchObject({
        status: 404,
        code: 'alert_not_found',
      });
    }
  });

  checkContract();
});

describe('a webhook that does not answer', () => {
  let node: TipflowNode;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start({
      env: {
        ...quick,
        TIPFLOW_ALERTS_DISK_FREE_PERCENT: '100',
        TIPFLOW_ALERTS_WEBHOOK_URL: `http://127.0.0.1:${await freePort()}/`,
      },
    });
  });

  afterAll(async () => node?.dispose());

  test('harms nothing: alerts are kept, tips are taken, the failure is counted and logged, the node leaves in time', async () => {
    const admin = await node.asAdmin();
    await alertOf(admin, 'disk_free', 'raised');
    const host = await anchorWithOpenRoom(node);
    const fan = await guest(node);
    expect((await fan.client.sendTip(newTip(host.roomId, 1))).status).toBe(201);
    await waitUntil(
      'the failure is counted',
      () => metric(node.client(), 'tipflow_alert_webhook_posts_total'),
      (seen) => (seen.get('outcome="failed"') ?? 0) >= 1,
      looks,
    );
    await waitFor('it is said', () => node.output(100_000).includes('the webhook did not take an alert'));
    await node.stop();
  });

  test('and keeps silent for ever does not keep the node from leaving in time', async () => {
    const silent = await Hook.start();
    silent.status = undefined;
    const env = { ...quick, TIPFLOW_ALERTS_DISK_FREE_PERCENT: '100', TIPFLOW_ALERTS_WEBHOOK_URL: silent.url };
    const held = await TipflowNode.start({ env });
    await waitFor('the webhook is told', () => silent.told.length > 0, looks);
    await held.stop();
    await held.dispose();
    await silent.close();
  });

  test('whose address is none ends the start with the name of the setting', async () => {
    for (const wrong of ['ftp://example.org', 'http://', 'example.org/hook']) {
      const refused = await TipflowNode.start({ env: { TIPFLOW_ALERTS_WEBHOOK_URL: wrong } }).catch(
        (error: Error) => error.message,
      );
      expect(refused).toContain('error: alerts.webhook_url: ');
    }
  });
});

describe('settings at run time', () => {
  let node: TipflowNode;
  let admin: Client;
  showOutputOnFailure(() => node);
  const logged = (): string => linesOf(node);
  const one = (all: Setting[], key: string): Setting | undefined => all.find((each) => each.key === key);
  /** Asks for something, and answers the trace id that the line of it has. */
  const ask = async (): Promise<string> =>
    String((await node.client().call('GET', '/version')).headers['x-trace-id']);

  beforeAll(async () => {
    node = await TipflowNode.start({ env: attentive });
    admin = await node.asAdmin();
  });

  afterAll(async () => node?.dispose());

  test('are listed with what they may be', async () => {
    const all = await settings(admin);
    expect(one(all, 'log.level')).toMatchObject({
      value: 'info',
      configured: 'info',
      words: ['debug', 'info', 'warn', 'error'],
      least: null,
      changedAt: null,
    });
    expect(one(all, 'alerts.sync_lag_seconds')).toMatchObject({ value: 30, configured: 30, least: 1, most: 86_400, words: [] });
    const { stdout } = await node.command('config');
    const marked = stdout.split(/\n(?=\S)/).filter((text) => text.trimEnd().endsWith('can be changed at run time'));
    expect(marked.map((text) => text.split(/\s/)[0]).toSorted()).toEqual(all.map((each) => each.key).toSorted());
  });

  test('change the level of the log, at once and back', async () => {
    expect(one(await change(admin, { 'log.level': 'warn' }), 'log.level')).toMatchObject({
      value: 'warn',
      configured: 'info',
      changedBy: 'admin',
    });
    await waitUntil('the node has taken it up', async () => logged(), (text) => text.includes('"setting":"log.level","value":"warn"'));
    const silent = await ask();
    await change(admin, { 'log.level': null });
    const loud = await waitFor('lines of requests are back', async () => {
      const id = await ask();
      return waitFor('the line', async () => logged().includes(id) && id, { withinMs: 500 }).catch(() => undefined);
    });
    expect(logged()).toContain(loud);
    expect(logged()).not.toContain(silent);
  });

  test('are kept over a restart, and hold from its first line on', async () => {
    await change(admin, { 'log.level': 'error', 'alerts.key_age_days': 9 });
    const before = logged().length;
    await node.restart();
    admin = await node.asAdmin();
    const all = await settings(admin);
    expect(one(all, 'log.level')?.value).toBe('error');
    expect(one(all, 'alerts.key_age_days')?.value).toBe(9);
    await change(admin, { 'log.level': null, 'alerts.key_age_days': null });
    await waitFor('lines of requests are back', async () => {
      const id = await ask();
      return waitFor('the line', async () => logged().includes(id) && id, { withinMs: 500 }).catch(() => undefined);
    });
    expect(logged().slice(before)).not.toContain('node started');
    expect(one(await settings(admin), 'log.level')).toMatchObject({ value: 'info', changedAt: null, changedBy: null });
  });

  test('change thresholds: an alert is raised and resolved by them alone', async () => {
    await change(admin, { 'alerts.disk_free_percent': 100, 'alerts.raise_seconds': 0, 'alerts.resolve_seconds': 0 });
    const { id } = await alertOf(admin, 'disk_free', 'raised');
    await change(admin, { 'alerts.disk_free_percent': 0 });
    expect((await alertOf(admin, 'disk_free', 'resolved')).id).toBe(id);
    await change(admin, { 'alerts.disk_free_percent': null, 'alerts.raise_seconds': null, 'alerts.resolve_seconds': null });
  });

  test.each([
    [{ 'log.level': 'loud' }, 'log.level', 'invalid_format'],
    [{ 'log.level': 1 }, 'log.level', 'wrong_type'],
    [{ 'alerts.sync_lag_seconds': '30' }, 'alerts.sync_lag_seconds', 'wrong_type'],
    [{ 'alerts.sync_lag_seconds': 0 }, 'alerts.sync_lag_seconds', 'out_of_range'],
    [{ 'db1.url': 'sqlite:x' }, 'db1.url', 'unknown_field'],
    [{ 'alerts.webhook_secret': 'x' }, 'alerts.webhook_secret', 'unknown_field'],
    [{ surprise: 1 }, 'surprise', 'unknown_field'],
  ])('refuse %j and name the field', async (changes, field, code) => {
    const before = await settings(admin);
    const request = change(admin, { 'alerts.error_percent': 50, ...changes });
    await expect(request).rejects.toMatchObject({ status: 400, errors: [{ field, code }] });
    expect(await settings(admin)).toEqual(before);
  });

  checkContract();
});

describe.skipIf(!storesToTest().includes('MariaDB'))('what a node sees of its databases', () => {
  let proxy: Proxy;
  let proxy2: Proxy;
  let node: TipflowNode;
  let admin: Client;
  let databases: Awaited<ReturnType<typeof makeDatabases>>;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    const mariadb = inject('mariadb');
    if (mariadb === null) throw new Error('MariaDB was not started');
    proxy = await Proxy.start(mariadb.port);
    proxy2 = await Proxy.start(mariadb.port);
    databases = await makeDatabases(mariadb);
    node = await TipflowNode.start({
      env: {
        TIPFLOW_DB1_URL: databases.TIPFLOW_DB1_URL.replace(`:${mariadb.port}/`, `:${proxy.port}/`),
        TIPFLOW_DB2_URL: databases.TIPFLOW_DB2_URL.replace(`:${mariadb.port}/`, `:${proxy2.port}/`),
        ...quick,
        TIPFLOW_ALERTS_RECONCILE_SECONDS: '1',
      },
    });
    admin = await node.asAdmin();
  });

  afterAll(async () => {
    await node?.dispose();
    await proxy?.close();
    await proxy2?.close();
  });

  test('is an alert while one of them is away', async () => {
    proxy.cut();
    const { id, subject } = await alertOf(admin, 'database_away', 'raised');
    expect(subject).toMatch(/ DB1$/);
    proxy.heal();
    expect((await alertOf(admin, 'database_away', 'resolved')).id).toBe(id);
  });

  test('is an alert afterwards, when it was the one that keeps the alerts', async () => {
    const isDb2 = ({ subject }: { subject: string }): boolean => subject.endsWith(' DB2');
    proxy2.cut();
    const raised = /"msg":"condition raised","rule":"database_away","subject":"[^"]* DB2"/;
    await waitFor('the node has noticed', () => raised.test(linesOf(node)), looks);
    proxy2.heal();
    const alert = await alertOf(admin, 'database_away', 'resolved', isDb2);
    expect(Date.parse(alert.raisedAt)).toBeLessThan(Date.parse(alert.resolvedAt ?? ''));
  });

  test('is an alert when the books do not match, until they do', async () => {
    const mariadb = inject('mariadb');
    if (mariadb === null) throw new Error('MariaDB was not started');
    const host = await anchorWithOpenRoom(node);
    const fan = await guest(node);
    await fan.client.sendTip(newTip(host.roomId, 700));
    await settledBooks(admin);
    const db2 = new URL(databases.TIPFLOW_DB2_URL).pathname.slice(1);
    await query(mariadb, `UPDATE ${db2}.account SET settled_units = settled_units + 10000`);
    const { id, detail } = await alertOf(admin, 'reconciliation_difference', 'raised');
    expect(detail).toContain('broken: I6');
    expect((await metric(node.client(), 'tipflow_reconciliation_broken_invariants')).get('')).toBe(1);
    await query(mariadb, `UPDATE ${db2}.account SET settled_units = settled_units - 10000`);
    expect((await alertOf(admin, 'reconciliation_difference', 'resolved')).id).toBe(id);
    expect((await node.audit()).code).toBe(0);
  });
});

// Nodes with one role each, with a real Consul and Redis between them: what one is told, all of them know.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { alertOf, attentive, change } from './support/alerts.ts';
import type { Client } from './support/client.ts';
import { Consul } from './support/consul.ts';
import { query } from './support/mariadb.ts';
import type { NewTip, Room } from './support/model.ts';
import { TipflowNode, adminPassword } from './support/node.ts';
import { freePort } from './support/processes.ts';
import { randomFor } from './support/random.ts';
import { Redis } from './support/redis.ts';
import {
  type AnchorStory,
  type ViewerStory,
  anchorWithOpenRoom,
  earned,
  guest,
  newAnchor,
  newTip,
  newViewer,
  password,
  settledBooks,
  sumOf,
} from './support/stories.ts';
import { storeSettings } from './support/stores.ts';
import { inParallel, waitFor, waitUntil } from './support/wait.ts';

const random = randomFor('nodes');
const key = (digit: string): string => digit.repeat(64);

describe('nodes with one role each', () => {
  let consul: Consul;
  let redis: Redis;
  let env: Record<string, string>;
  let anchors: TipflowNode;
  let audience: TipflowNode;
  let otherAudience: TipflowNode;
  let finance: TipflowNode;
  let console_: TipflowNode;
  let host: AnchorStory;
  let fan: ViewerStory;
  const given: NewTip[] = [];
  const nodes = (): TipflowNode[] => [anchors, audience, otherAudience, finance, console_];

  const start = (role: string, more: Record<string, string> = {}): Promise<TipflowNode> =>
    TipflowNode.start({ roles: [role], env: { ...env, ...more } });
  /** Gives so many tips at a node, and remembers them. */
  const give = async (node: TipflowNode, count: number): Promise<void> => {
    const fresh = Array.from({ length: count }, () => newTip(host.roomId, random.integer(1, 9_999)));
    const at = node.client().as(fan.client.session!);
    const answers = await inParallel(fresh, 8, (tip) => at.sendTip(tip));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]));
    given.push(...fresh);
  };
  const room = async (): Promise<Room> => {
    const { body } = await anchors.client().as(host.client.session!).call('GET', `/api/v1/rooms/${host.roomId}`);
    return body as Room;
  };
  /** The room shows every tip that was given. */
  const roomShowsAll = (withinMs: number): Promise<Room> =>
    waitUntil('the room shows all that was given', room, ({ revenue }) => revenue === sumOf(given), { withinMs });
  const asAdmin = async (): Promise<Client> => console_.client().as(await console_.client().login('operator', 'admin', adminPassword));
  const booksAgree = async (): Promise<void> => {
    const admin = finance.client().as(await console_.client().login('operator', 'admin', adminPassword));
    const books = await settledBooks(admin);
    expect(books.tips).toEqual({ count: given.length, amount: sumOf(given) });
    expect(books.difference).toEqual({ count: 0, amount: 0 });
  };

  beforeAll(async () => {
    [consul, redis] = await Promise.all([Consul.start(), Redis.start()]);
    env = {
      ...(await storeSettings('MariaDB', inject('mariadb'))),
      TIPFLOW_CONSUL_URL: consul.url,
      TIPFLOW_REDIS_URL: redis.url,
      TIPFLOW_TOKEN_KEY: key('a'),
      TIPFLOW_CLUSTER_KEY: key('b'),
      TIPFLOW_DATA_KEYS: `one:${key('c')}`,
      TIPFLOW_HTTP_TRUSTED_PROXIES: '127.0.0.0/8',
      TIPFLOW_ALERTS_RECONCILE_SECONDS: '1',
      TIPFLOW_ALERTS_GONE_SECONDS: '10',
      ...attentive,
    };
    [anchors, console_] = await Promise.all([start('anchor'), start('console')]);
    [audience, otherAudience, finance] = await Promise.all([start('audience'), start('audience'), start('finance')]);
    host = await anchorWithOpenRoom(anchors);
    fan = await guest(audience);
  });

  afterEach(({ task }) => {
    if (task.result?.state === 'fail') for (const node of nodes()) console.error(node?.output(2_000));
  });

  afterAll(async () => {
    for (const node of nodes()) await node?.dispose();
    await consul?.dispose();
    await redis?.dispose();
  });

  test('all of them are known to Consul once they are ready', async () => {
    await waitFor('every role is passing', async () => {
      const passing = await Promise.all(['anchor', 'audience', 'finance', 'console'].map((role) => consul.passing(role)));
      return passing.map((ports) => ports.length).join() === '1,2,1,1';
    });
    expect(await consul.passing('finance')).toEqual([finance.port]);
  });

  test('an anchor hears its share rate from finance when it registers', () => {
    expect(host.shareBp).toBe(5_000);
  });

  test('a tip given at the node of audience is settled at the node of finance', async () => {
    await give(audience, 50);
    await booksAgree();
    const balance = await finance.client().as(host.client.session!).balance(host.anchor.id);
    expect(balance.settled).toBe(earned(given, host.shareBp));
    const journey = await fan.client.journey((given[0] as NewTip).traceId);
    expect(journey.settlement).toMatchObject({ shareBp: host.shareBp });
  });

  test('a room shows what was given at all nodes, within two seconds and exactly', async () => {
    await Promise.all([give(audience, 100), give(otherAudience, 100)]);
    expect((await roomShowsAll(2_000)).revenue).toBe(sumOf(given));
    await give(otherAudience, 1);
    await roomShowsAll(2_000);
  });

  test('a room that was opened a moment ago at one node can be tipped at another at once', async () => {
    for (let i = 0; i < 10; ++i) {
      const fresh = await anchorWithOpenRoom(anchors);
      const tip = newTip(fresh.roomId, 1);
      const { status } = await otherAudience.client().as(fan.client.session!).sendTip(tip);
      expect(status).toBe(201);
      const answer = await finance.client().as(fresh.client.session!).call('GET', `/api/v1/finance/anchors/${fresh.anchor.id}/balance`);
      expect(answer.status).toBe(200);
      otherRooms.push(tip);
    }
  });
  const otherRooms: NewTip[] = [];

  test('everybody logs in at every node, with the right password alone', async () => {
    const anchor = newAnchor();
    const viewer = newViewer();
    await anchors.client().createAnchor(anchor);
    await audience.client().createViewer(viewer);
    const people = [
      ['anchor', anchor.name, password],
      ['viewer', viewer.name, password],
      ['operator', 'admin', adminPassword],
    ] as const;
    for (const node of nodes()) {
      for (const [kind, name, right] of people) {
        const session = await node.client().login(kind, name, right);
        expect(session).toMatchObject({ kind });
        for (const [who, secret] of [[name, `${right}!`], [`${name}-nobody`, right]] as const) {
          const answer = await node.client().call('POST', '/api/v1/auth/login', { json: { kind, name: who, password: secret } });
          expect(answer.body).toMatchObject({ status: 401, code: 'invalid_credentials' });
        }
      }
    }
  });

  test('a password that crosses to another node stands in no log', () => {
    for (const node of nodes()) {
      const lines = readFileSync(join(node.dataDir, 'log/tipflow.jsonl'), 'utf8');
      expect(lines).not.toContain(adminPassword);
      expect(lines).not.toContain(password);
    }
  });

  test('a network that is blocked at the console is refused by nodes that have no console', async () => {
    const admin = await asAdmin();
    const from = { 'x-forwarded-for': '203.0.113.9' };
    const asked = async (): Promise<number> =>
      (await audience.client().call('GET', '/api/v1/rooms', { headers: from })).status;
    const before = await asked();
    // Changes are refused for a moment after Redis was started (503: nothing was written).
    const { body } = await waitFor('it is blocked at the console', () =>
      admin.ask<{ id: number }>('POST', '/admin/ip-blocks', { json: { network: '203.0.113.0/24', reason: 'test' } }),
    );
    await waitUntil('the network is blocked', asked, (status) => status === 403, { withinMs: 5_000 });
    await admin.ask('DELETE', `/admin/ip-blocks/${body.id}`);
    await waitUntil('the network is free again', asked, (status) => status === before, { withinMs: 5_000 });
  });

  test('a setting that is changed at the console is taken up by nodes without a database of it', async () => {
    const admin = await asAdmin();
    await admin.ask('PUT', '/admin/settings', { json: { 'log.level': 'debug' } });
    await waitFor('the setting is taken up', () => {
      const lines = readFileSync(join(audience.dataDir, 'log/tipflow.jsonl'), 'utf8').split('\n');
      return lines.some((line) => line.includes('a setting was changed at run time') && line.includes('debug'));
    });
    await admin.ask('PUT', '/admin/settings', { json: { 'log.level': null } });
  });

  test('what nodes without the console watch of themselves becomes an alert at the console, and is over', async () => {
    const admin = await asAdmin();
    await change(admin, { 'alerts.disk_free_percent': 100, 'alerts.raise_seconds': 0, 'alerts.resolve_seconds': 0 });
    const watching = [anchors, audience, finance];
    const of = (node: TipflowNode) => ({ subject }: { subject: string }) => subject.includes(String(node.port));
    const raised = await Promise.all(watching.map((node) => alertOf(admin, 'disk_free', 'raised', of(node))));
    await change(admin, { 'alerts.disk_free_percent': 0 });
    const over = await Promise.all(watching.map((node) => alertOf(admin, 'disk_free', 'resolved', of(node))));
    expect(over.map(({ id }) => id)).toEqual(raised.map(({ id }) => id));
    await change(admin, { 'alerts.disk_free_percent': null });
  });

  test('the node of finance compares the books of all nodes, and the console hears what is wrong', async () => {
    const admin = await asAdmin();
    const db2 = new URL(finance.databases.db2).pathname.slice(1);
    await query(inject('mariadb')!, `UPDATE ${db2}.account SET settled_units = settled_units + 10000`);
    const { id, detail, subject } = await alertOf(admin, 'reconciliation_difference', 'raised');
    expect(detail).toContain('broken: I6');
    expect(subject).toContain(String(finance.port));
    await query(inject('mariadb')!, `UPDATE ${db2}.account SET settled_units = settled_units - 10000`);
    expect((await alertOf(admin, 'reconciliation_difference', 'resolved')).id).toBe(id);
    await change(admin, { 'alerts.raise_seconds': null, 'alerts.resolve_seconds': null });
  });

  test('tips go on while finance is dead, and nothing is wrong when it is back', async () => {
    await finance.kill();
    await Promise.all([give(audience, 200), give(otherAudience, 200)]);
    const first = given[given.length - 1] as NewTip;
    expect((await fan.client.journey(first.traceId)).settlement).toBeNull();
    await finance.launch();
    given.push(...otherRooms);
    await booksAgree();
    given.splice(given.length - otherRooms.length);
    const audit = await finance.audit();
    expect(audit, audit.output).toMatchObject({ code: 0 });
  });

  test('tips go on while the anchor role is dead: rooms are as they were known', async () => {
    await anchors.kill();
    await give(audience, 50);
    await anchors.launch();
    await roomShowsAll(5_000);
  });

  test('a node of audience is killed: what it took is counted, once', async () => {
    await give(otherAudience, 300);
    await otherAudience.kill();
    await give(audience, 50);
    await roomShowsAll(20_000);
    await otherAudience.launch();
    await give(otherAudience, 50);
    await roomShowsAll(5_000);
    given.push(...otherRooms);
    await booksAgree();
    given.splice(given.length - otherRooms.length);
  });

  test('Consul is killed and comes back empty: everything goes on, and the nodes are known again', async () => {
    await consul.kill();
    await give(audience, 50);
    await roomShowsAll(5_000);
    expect(await anchors.client().login('operator', 'admin', adminPassword)).toMatchObject({ kind: 'operator' });
    await consul.launch();
    await waitFor('the nodes are known again', async () => (await consul.passing('audience')).length === 2);
  });

  test('what one role asks of another is counted in its metrics', async () => {
    const text = (await audience.client().call('GET', '/metrics')).bytes.toString('utf8');
    const value = (line: string): number => Number(text.split('\n').find((one) => one.startsWith(`${line} `))?.split(' ')[1]);
    expect(value('tipflow_rpc_calls_total{outcome="succeeded",role="finance"}')).toBeGreaterThan(0);
    expect(value('tipflow_rpc_nodes{role="finance"}')).toBe(1);
    expect(value('tipflow_rpc_breaker_open{role="finance"}')).toBe(0);
  });

  test('a node that was not given the keys of the cluster says so at its start', async () => {
    const alone = await TipflowNode.start({ roles: ['console'], env: { TIPFLOW_CONSUL_URL: `http://127.0.0.1:${await freePort()}` } });
    try {
      const log = readFileSync(join(alone.dataDir, 'log/tipflow.jsonl'), 'utf8');
      for (const setting of ['cluster.key', 'security.token_key', 'redis.url']) expect(log).toContain(`${setting} is not set`);
    } finally {
      await alone.dispose();
    }
  });

  test('a node that leaves takes itself out before it stops answering', async () => {
    const gone = otherAudience.port;
    const leaving = otherAudience.stop();
    await waitFor('Consul has forgotten it', async () => !(await consul.passing('audience')).includes(gone), { everyMs: 5 });
    const late = await fetch(`http://127.0.0.1:${gone}/livez`);
    expect(late.status).toBe(200);
    await leaving;
    await otherAudience.launch();
    await waitFor('it is back', async () => (await consul.passing('audience')).includes(gone));
  });

  test('alerts of a node that is gone do not stay open', async () => {
    const admin = await asAdmin();
    await change(admin, { 'alerts.disk_free_percent': 100, 'alerts.raise_seconds': 0 });
    const of = (node: TipflowNode) => ({ subject }: { subject: string }) => subject.includes(String(node.port));
    const { id } = await alertOf(admin, 'disk_free', 'raised', of(otherAudience));
    const { id: stays } = await alertOf(admin, 'disk_free', 'raised', of(audience));
    await otherAudience.kill();
    const over = await alertOf(admin, 'disk_free', 'resolved', (alert) => alert.id === id);
    expect(over.detail).toContain('its node reports no more');
    expect((await alertOf(admin, 'disk_free', 'raised', of(audience))).id).toBe(stays);
    await change(admin, { 'alerts.disk_free_percent': null, 'alerts.raise_seconds': null });
  });
});

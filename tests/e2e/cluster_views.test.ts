// What operators see of the cluster: its figures, its nodes and roles, its databases.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from './support/client.ts';
import { checkContract } from './support/contract.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { anchorWithOpenRoom, guest, newTip, settledBooks } from './support/stories.ts';
import { storesToTest } from './support/stores.ts';
import { waitUntil } from './support/wait.ts';

interface Overview {
  nodes: { all: number; ready: number };
  tipsPerSecond: number | null;
  sync: { tips: number; lagMs: number } | null;
  today: { from: string; tips: number; amount: number } | null;
  alerts: { warning: number; critical: number };
  asOf: string;
}

interface Services {
  items: { node: string; address: string; version: string; roles: string[]; state: string; startedAt: string; checks: { name: string; status: string }[] }[];
  roles: { role: string; nodes: number; ready: number }[];
}

interface Databases {
  items: {
    name: string;
    url: string;
    available: boolean;
    engine: string;
    schema: { version: number; known: number; migrations: { name: string }[] };
    bytes: number;
    tables: { name: string; bytes: number | null }[];
    durability: { setting: string; value: string; fault: string | null }[];
    replicas: object[];
  }[];
}

describe.each(storesToTest())('what operators see of a node on %s', (store) => {
  let node: TipflowNode;
  let admin: Client;
  showOutputOnFailure(() => node);

  const overview = async (): Promise<Overview> => (await admin.ask<Overview>('GET', '/admin/overview')).body;

  beforeAll(async () => {
    node = await TipflowNode.start({ store, env: { TIPFLOW_NODE: 'the-node' } });
    admin = await node.asAdmin();
  });
  afterAll(async () => node?.dispose());

  test('the node with its roles, ready, since when', async () => {
    const { items, roles } = (await admin.ask<Services>('GET', '/admin/services')).body;
    const { body: version } = await node.client().call<{ version: string; roles: string[] }>('GET', '/version');
    expect(items).toMatchObject([{ node: 'the-node', state: 'ready', version: version.version }]);
    expect([...(items[0]?.roles ?? [])].sort()).toEqual([...version.roles].sort());
    expect(items[0]?.checks.map(({ name, status }) => `${name} ${status}`)).toEqual(expect.arrayContaining(['DB1 up', 'DB2 up', 'lanes up']));
    expect(Date.now() - Date.parse(items[0]?.startedAt as string)).toBeLessThan(60_000);
    for (const role of roles) expect(role).toMatchObject({ nodes: 1, ready: 1 });
    expect(roles.map(({ role }) => role).sort()).toEqual([...version.roles].sort());
  });

  test("the day's tips, and how many come in a second", async () => {
    expect(await overview()).toMatchObject({ nodes: { all: 1, ready: 1 }, sync: { tips: 0 }, today: { tips: 0, amount: 0 }, alerts: { critical: 0 } });
    const host = await anchorWithOpenRoom(node);
    const fan = await guest(node);
    for (let i = 1; i <= 20; ++i) await fan.client.sendTip(newTip(host.roomId, i));
    await settledBooks(admin);
    const seen = await waitUntil('the rate is seen', overview, ({ tipsPerSecond }) => (tipsPerSecond ?? 0) > 0, { withinMs: 5_000 });
    expect(seen.today).toMatchObject({ tips: 20, amount: 210 });
    expect(Date.parse(seen.today?.from as string)).toBeLessThanOrEqual(Date.now());
    expect(Date.now() - Date.parse(seen.today?.from as string)).toBeLessThanOrEqual(86_400_000);
    await waitUntil('the rate falls back', overview, ({ tipsPerSecond }) => tipsPerSecond === 0, { withinMs: 20_000, everyMs: 200 });
  });

  test('both databases, up to date, with sizes and without the password', async () => {
    const { items } = (await admin.ask<Databases>('GET', '/admin/database')).body;
    expect(items.map(({ name }) => name)).toEqual(['DB1', 'DB2']);
    for (const database of items) {
      expect(database).toMatchObject({ available: true, replicas: [] });
      expect(database.engine).toMatch(store === 'SQLite' ? /^SQLite 3\./ : /^MariaDB 1\d\./);
      expect(database.schema.version).toBe(database.schema.known);
      expect(database.bytes).toBeGreaterThan(0);
      expect(database.url).not.toMatch(/:[^/@]+@/);
      expect(database.durability.length).toBeGreaterThan(0);
    }
    expect(items[0]?.tables.map(({ name }) => name)).toContain('tip');
    expect(items[1]?.tables.map(({ name }) => name)).toContain('ledger');
    const synced = items[0]?.durability.find(({ setting }) => setting === (store === 'SQLite' ? 'synchronous' : 'innodb_flush_log_at_trx_commit'));
    expect(synced).toMatchObject({ value: store === 'SQLite' ? '2' : '1', fault: null });
  });

  test('nothing of it is for others', async () => {
    const fan = await guest(node);
    for (const path of ['overview', 'services', 'database']) {
      expect((await fan.client.call('GET', `/api/v1/admin/${path}`)).status, path).toBe(403);
      expect((await node.client().call('GET', `/api/v1/admin/${path}`)).status, path).toBe(401);
    }
    expect((await admin.call('GET', '/internal/v1/node')).status).toBe(404);
  });

  checkContract();
});

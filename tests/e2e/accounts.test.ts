// Least rights: every role works with the account that deploy/database/accounts.sql.template gives it, and with no other's.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { newTraceId } from './support/ids.ts';
import { changeJob, jobNamed, listJobs, runJob } from './support/jobs.ts';
import { type DatabaseUrls, type MariaDbAddress, makeDatabases, query } from './support/mariadb.ts';
import { TipflowNode } from './support/node.ts';
import { binary, readText, repository } from './support/paths.ts';
import { makeDirectory, removeDirectory, run } from './support/processes.ts';
import { anchorWithOpenRoom, newTip, registeredAnchor, registeredViewer, settledBooks } from './support/stories.ts';
import { storesToTest } from './support/stores.ts';
import { waitUntil } from './support/wait.ts';

const template = readText(join(repository, 'deploy/database/accounts.sql.template'));
const roles = ['anchor', 'audience', 'finance', 'analysis', 'console'] as const;
type Role = (typeof roles)[number];
const secret = 'secret-of-the-accounts';

const nameOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1);

describe.runIf(storesToTest().includes('MariaDB'))('accounts with least rights', () => {
  const server = inject('mariadb') as MariaDbAddress;
  let owner: DatabaseUrls;
  let directory: string;
  let db1: string;
  let db2: string;

  /** Makes the accounts; `accountOf` says which role gets which. */
  async function makeAccounts(accountOf: (role: string) => string): Promise<void> {
    const filled = template.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
      if (name === 'DB1') return db1;
      if (name === 'DB2') return db2;
      if (name === 'HOST') return '127.0.0.1';
      const role = /^(\w+)_ACCOUNT$/.exec(name)?.[1];
      return role === undefined ? secret : accountOf(role.toLowerCase());
    });
    await query(server, filled);
  }
  const urlOf = (account: string, database: string): string =>
    `mysql://${account}:${secret}@127.0.0.1:${server.port}/${database}`;
  const urls = (account: string): DatabaseUrls => ({
    TIPFLOW_DB1_URL: urlOf(account, db1),
    TIPFLOW_DB2_URL: urlOf(account, db2),
  });
  const accountOf = (role: string): string => `${db1}_${role}`;
  const everything = (): string => `${db1}_all`;
  const asAccount = (account: string, sql: string): Promise<string> =>
    query({ user: account, password: secret, host: '127.0.0.1', port: server.port }, sql);

  async function withNode<T>(nodeRoles: readonly Role[], account: string, work: (node: TipflowNode) => Promise<T>): Promise<T> {
    const node = await TipflowNode.start({ roles: nodeRoles, env: { ...urls(account), TIPFLOW_LOG_LEVEL: 'debug' } });
    try {
      const result = await work(node);
      await node.stop();
      const log = readdirSync(join(node.dataDir, 'log')).map((file) => readFileSync(join(node.dataDir, 'log', file), 'utf8'));
      expect(log.join('').split('\n').filter((line) => line.includes('denied')), `what ${account} was denied`).toEqual([]);
      return result;
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${node.output()}`, { cause: error });
    } finally {
      await node.dispose();
    }
  }

  beforeAll(async () => {
    owner = await makeDatabases(server);
    [db1, db2] = [nameOf(owner.TIPFLOW_DB1_URL), nameOf(owner.TIPFLOW_DB2_URL)];
    directory = makeDirectory('accounts');
    const migrated = await run(binary, ['migrate'], { cwd: directory, env: { ...process.env, ...owner } });
    expect(migrated.code, migrated.stderr).toBe(0);
    await makeAccounts(accountOf);
    await makeAccounts((role) => (role === 'owner' || role === 'auditor' ? accountOf(role) : everything()));
  });
  afterAll(() => removeDirectory(directory));

  test('exist for every table there is', async () => {
    for (const [database, placeholder] of [
      [db1, 'DB1'],
      [db2, 'DB2'],
    ] as const) {
      const tables = await query(server, `SELECT table_name FROM information_schema.tables WHERE table_schema = '${database}'`);
      const named = new Set([...template.matchAll(new RegExp(`\\$\\{${placeholder}\\}\\.(\\w+)`, 'g'))].map((found) => found[1]));
      const missing = tables.trim().split('\n').filter((table) => !named.has(table));
      expect(missing, `tables of ${placeholder} that no role may read`).toEqual([]);
      expect([...named].filter((name) => !tables.split('\n').includes(name as string)), 'tables that are gone').toEqual([]);
    }
  });

  test('let an anchor node work', async () => {
    await withNode(['anchor'], accountOf('anchor'), async (node) => {
      const host = await registeredAnchor(node, { tags: ['jazz'] });
      await host.client.openRoom(host.roomId);
      await host.client.ask('PATCH', `/rooms/${host.roomId}`, { json: { title: 'Evening', tags: ['piano'] } });
      await host.client.closeRoom(host.roomId);
      expect(await host.client.roomSessions(host.roomId)).toMatchObject({ items: [{ roomId: host.roomId }] });
    });
  });

  test('let an audience node work, and count the board of all time', async () => {
    await withNode(['audience'], accountOf('audience'), async (node) => {
      const fan = await registeredViewer(node, { tags: ['jazz'] });
      await fan.client.ask('PATCH', `/viewers/${fan.viewer.id}`, { json: { tags: ['piano', 'late'] } });
      await waitUntil(
        'the board was counted',
        () => asAccount(accountOf('audience'), `SELECT outcome FROM ${db1}.job_run WHERE name = 'top_viewers'`),
        (outcomes) => outcomes.includes('1'),
      );
    });
  });

  test.each(['finance', 'analysis'] as const)('let a node with the role %s start', async (role) => {
    await withNode([role], accountOf(role), async (node) => {
      expect((await node.client().call('GET', '/readyz')).status).toBe(200);
    });
  });

  test("let a console node look after every role's jobs and databases", async () => {
    await withNode(['console'], accountOf('console'), async (node) => {
      const admin = await node.asAdmin();
      const jobs = await listJobs(admin);
      expect(jobs.complete).toBe(true);
      expect(jobs.items.map(({ database }) => database)).toContain('DB1');
      await changeJob(admin, 'top_viewers', { everySeconds: 30 });
      expect(await jobNamed(admin, 'top_viewers')).toMatchObject({ everySeconds: 30 });
      const { items } = (await admin.ask<{ items: { name: string; available: boolean; tables: { name: string; bytes: number }[] }[] }>('GET', '/admin/database')).body;
      expect(items.map(({ available }) => available)).toEqual([true, true]);
      expect(items[0]?.tables.find(({ name }) => name === 'tip')?.bytes).toBeGreaterThan(0);
      await admin.ask('GET', '/admin/overview');
      await admin.ask('GET', '/admin/audit-log');
      await admin.ask('PUT', '/admin/settings', { json: { 'log.level': 'debug' } });
      const block = (await admin.ask<{ id: number }>('POST', '/admin/ip-blocks', { json: { network: '203.0.113.0/24', reason: 'test' } })).body;
      await admin.ask('DELETE', `/admin/ip-blocks/${block.id}`);
    });
  });

  test('add up where a node runs all roles: the story of a tip, and the books after it', async () => {
    await withNode(roles, everything(), async (node) => {
      const admin = await node.asAdmin();
      const host = await anchorWithOpenRoom(node);
      const fan = await registeredViewer(node);
      const tip = newTip(host.roomId, 5_000);
      await fan.client.sendTip(tip);
      await admin.setShareRate(host.anchor.id, { shareBp: 6_000 });
      await settledBooks(admin);
      await host.client.ask('PUT', `/finance/anchors/${host.anchor.id}/payout-account`, {
        json: { realName: '林溪', bankAccount: '6222020200112230', phone: '13800138000' },
      });
      await host.client.withdraw(host.anchor.id, { traceId: newTraceId(), amount: 100 });
      await host.client.statement(host.anchor.id, { from: '2026-01-01T00:00:00.000Z', to: '2027-01-01T00:00:00.000Z' });
      await admin.ask('POST', `/rooms/${host.roomId}/kicks`, { json: { viewerId: fan.viewer.id, seconds: 60 } });
      await admin.ask('DELETE', `/rooms/${host.roomId}/kicks/${fan.viewer.id}`);
      await admin.ask('POST', `/rooms/${host.roomId}/mutes`, { json: { viewerId: fan.viewer.id, seconds: 60 } });
      await admin.ask('DELETE', `/rooms/${host.roomId}/mutes/${fan.viewer.id}`);
      for (const job of (await listJobs(admin)).items) await runJob(admin, job.name);
      const board = (await admin.ask<{ items: object[] }>('GET', '/tips/top-viewers', { query: { anchorId: host.anchor.id } })).body;
      expect(board.items).toMatchObject([{ rank: 1, viewerId: fan.viewer.id, amount: 5_000 }]);
      await host.client.closeRoom(host.roomId);
    });
    const audit = await run(binary, ['audit'], { cwd: directory, env: { ...process.env, ...urls(accountOf('auditor')) } });
    expect(audit.code, audit.stdout + audit.stderr).toBe(0);
  });

  test.each([
    ['audience', 'reads the accounts of anchors', () => `SELECT * FROM ${db2}.account`],
    ['audience', 'reads the ledger', () => `SELECT * FROM ${db2}.ledger`],
    ['audience', 'changes a tip', () => `UPDATE ${db1}.tip SET amount = amount + 1`],
    ['audience', 'deletes a tip', () => `DELETE FROM ${db1}.tip`],
    ['audience', 'reads the passwords of anchors', () => `SELECT password_hash FROM ${db1}.anchor`],
    ['audience', 'changes the schema', () => `CREATE TABLE ${db1}.mine (id INT)`],
    ['anchor', 'reads tips', () => `SELECT * FROM ${db1}.tip`],
    ['anchor', 'reads viewers', () => `SELECT * FROM ${db1}.viewer`],
    ['finance', 'reads tips', () => `SELECT * FROM ${db1}.tip`],
    ['finance', 'changes the ledger', () => `UPDATE ${db2}.ledger SET share_bp = 0`],
    ['finance', 'changes a share rate', () => `UPDATE ${db2}.share_rate SET share_bp = 0`],
    ['finance', 'reads the passwords of operators', () => `SELECT * FROM ${db2}.operator_user`],
    ['analysis', 'changes the ledger', () => `DELETE FROM ${db2}.ledger`],
    ['analysis', 'reads accounts', () => `SELECT * FROM ${db2}.account`],
    ['console', 'reads tips', () => `SELECT * FROM ${db1}.tip`],
    ['console', 'reads the ledger', () => `SELECT * FROM ${db2}.ledger`],
    ['console', 'changes its own record', () => `UPDATE ${db2}.operator_action SET outcome = 'done'`],
    ['auditor', 'changes the books', () => `UPDATE ${db2}.account SET reserved_fen = 0`],
  ])('keep it so that no %s account %s', async (role, _what, sql) => {
    await expect(asAccount(accountOf(role), sql())).rejects.toThrow(/denied/);
  });

  test('do not let a node start on a schema that is behind, and say what is missing', async () => {
    const behind = await makeDatabases(server);
    const name = nameOf(behind.TIPFLOW_DB1_URL);
    await query(server, `GRANT SELECT ON ${name}.* TO '${accountOf('audience')}'@'127.0.0.1'`);
    const started = await run(binary, ['serve', '--roles', 'audience'], {
      cwd: directory,
      env: { ...process.env, TIPFLOW_DB1_URL: urlOf(accountOf('audience'), name), TIPFLOW_HTTP_PORT: '1' },
      withinMs: 15_000,
    });
    expect(started.code).not.toBe(0);
    expect(started.stdout + started.stderr).toMatch(/tipflow migrate/);
  });
});

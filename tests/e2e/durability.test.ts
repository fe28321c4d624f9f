// A database whose commits can be lost is noticed at start and while the node runs; production refuses it.
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { MariaDb, makeDatabases, query } from './support/mariadb.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { storesToTest } from './support/stores.ts';
import { waitFor, waitUntil } from './support/wait.ts';

const production = { TIPFLOW_PRODUCTION: 'true' };

/** What a node that must not start says; exit code 2. */
async function refusal(env: Record<string, string>): Promise<string> {
  const node = await TipflowNode.start({ env }).catch((error: Error) => error.message);
  if (typeof node === 'string') {
    expect(node).toContain('(exit 2)');
    return node;
  }
  await node.dispose();
  throw new Error('the node started');
}

describe.skipIf(!storesToTest().includes('MariaDB'))('a MariaDB that may lose commits', () => {
  let weak: MariaDb;
  let node: TipflowNode;
  let urls: Record<string, string>;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    weak = await MariaDb.start({
      settings: ['--innodb-flush-log-at-trx-commit=2', '--innodb-doublewrite=OFF', '--log-bin=bin', '--server-id=1'],
    });
    urls = { ...(await makeDatabases(weak.address)) };
    node = await TipflowNode.start({ env: urls });
  });

  afterAll(async () => {
    await node?.dispose();
    await weak?.dispose();
  });

  const faults = async (): Promise<string[]> => {
    const { bytes } = await node.client().call('GET', '/metrics');
    return (bytes.toString().match(/^tipflow_database_durability_faults\{.*$/gm) ?? []).sort();
  };
  const each = (count: number): string[] => [
    `tipflow_database_durability_faults{database="DB1"} ${count}`,
    `tipflow_database_durability_faults{database="DB2"} ${count}`,
  ];

  test('is said at start, with every setting, its value, what it must be and how to set it', async () => {
    const said = node.output();
    for (const words of [
      'innodb_flush_log_at_trx_commit is 2, must be 1',
      'SET GLOBAL innodb_flush_log_at_trx_commit = 1',
      // MariaDB's default, which is not enough once there is a binary log.
      'sync_binlog is 0, must be 1',
      'innodb_doublewrite is off, must be on',
    ]) {
      expect(said).toContain(words);
    }
    expect(await faults()).toEqual(each(3));
  });

  test('is not started with in production', async () => {
    const said = await refusal({ ...urls, ...production });
    expect(said).toContain('error: production:');
    for (const setting of ['innodb_flush_log_at_trx_commit', 'sync_binlog', 'innodb_doublewrite']) {
      expect(said).toContain(`${setting} is `);
    }
  });

  test('is noticed to change under the running node', async () => {
    const counted = (count: number): Promise<string[]> =>
      waitUntil(`${count} faults are counted`, faults, (seen) => String(seen) === String(each(count)), {
        withinMs: 25_000,
        everyMs: 200,
      });
    await query(weak.address, 'SET GLOBAL innodb_flush_log_at_trx_commit = 1; SET GLOBAL sync_binlog = 1');
    await counted(1);
    await query(weak.address, 'SET GLOBAL innodb_flush_log_at_trx_commit = 0');
    await counted(2);
    await waitFor('its log says so', () => node.output().includes('"setting":"innodb_flush_log_at_trx_commit","value":"0"'));
  });

  test('is no matter where the server is sound: production starts', async () => {
    const sound = inject('mariadb');
    if (sound === null) throw new Error('MariaDB was not started');
    const strict = await TipflowNode.start({ env: { ...(await makeDatabases(sound)), ...production } });
    expect(strict.output()).not.toContain('can be lost');
    await strict.dispose();
  });
});

describe('production', () => {
  test('refuses a SQLite database in memory', async () => {
    const said = await refusal({ TIPFLOW_DB1_URL: 'sqlite::memory:', ...production });
    expect(said).toContain('DB1 (sqlite::memory:): journal_mode is memory, must be wal');
  });

  test('refuses unsigned requests', async () => {
    const said = await refusal({ TIPFLOW_REQUIRE_SIGNATURE: 'false', ...production });
    expect(said).toContain('security.require_signature: must be true when production is');
  });
});

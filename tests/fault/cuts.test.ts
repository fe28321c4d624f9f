// The connection to DB1 or DB2 breaks around a commit: before the statement arrives, in the middle of it, after it
// arrived and before its answer came, or when the answer was on its way. Clients try again.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectBooksToMatch } from '../e2e/support/books.ts';
import { Crowd } from '../e2e/support/crowd.ts';
import { MariaDb, makeDatabases } from '../e2e/support/mariadb.ts';
import { TipflowNode, showOutputOnFailure } from '../e2e/support/node.ts';
import { type Cut, Proxy, cutMoments } from '../e2e/support/proxy.ts';
import { randomFor } from '../e2e/support/random.ts';
import { storesToTest } from '../e2e/support/stores.ts';
import { waitFor } from '../e2e/support/wait.ts';
import { cuts } from './support/sizes.ts';

const random = randomFor('cuts');

/** The names of MySQL's commands, behind four bytes of length and number: a query, and rows for a prepared statement. */
const query = '^[^]{4}\\x03';
const rows = '^[^]{4}\\xfa';

/** Where a broken connection leaves the outcome open: a lane's statement, and finance's transaction. */
const commits = {
  TIPFLOW_DB1_URL: new RegExp(`${query}INSERT INTO tip |${rows}`),
  TIPFLOW_DB2_URL: new RegExp(`${query}INSERT INTO ledger |${rows}|${query}COMMIT`),
} as const;

describe.skipIf(!storesToTest().includes('MariaDB'))('a connection that breaks around a commit', () => {
  let mariadb: MariaDb;
  let node: TipflowNode;
  let crowd: Crowd;
  const proxies: Proxy[] = [];
  const made = new Map<Cut, number>(cutMoments.map((moment) => [moment, 0]));
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    mariadb = await MariaDb.start();
    const urls = await makeDatabases(mariadb.address);
    for (const [name, statement] of Object.entries(commits) as [keyof typeof commits, RegExp][]) {
      const proxy = await Proxy.start(mariadb.port);
      proxies.push(proxy);
      urls[name] = urls[name].replace(`:${mariadb.port}/`, `:${proxy.port}/`);
      proxy.cutAround(statement, () => {
        if (!cutting || !random.chance(0.04)) return undefined;
        const moment = random.pick(cutMoments);
        made.set(moment, (made.get(moment) ?? 0) + 1);
        return moment;
      });
    }
    node = await TipflowNode.start({ env: { ...urls } });
    crowd = await Crowd.gather(node, random);
  });

  let cutting = false;

  afterAll(async () => {
    await crowd?.stop();
    await node?.dispose();
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await mariadb?.dispose();
  });

  test(`leaves the books right, ${cuts} times at each of its moments`, async () => {
    crowd.start();
    cutting = true;
    await waitFor('enough connections were cut', () => [...made.values()].every((count) => count >= cuts), {
      withinMs: 15 * 60_000,
      everyMs: 100,
    });
    cutting = false;
    await crowd.untilAcknowledged(200);
    await crowd.stop();
    console.log(`cuts: ${JSON.stringify(Object.fromEntries(made))}; ${crowd.summary()}`);
    expect(crowd.requests.filter(({ outcome }) => outcome === 'unknown' || outcome === 'unavailable').length).toBeGreaterThan(0);
    await expectBooksToMatch(node, crowd);
  });
});

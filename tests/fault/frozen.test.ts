// The database stops answering without breaking a connection (SIGSTOP), as on a machine that swaps or a hung disk.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectBooksToMatch } from '../e2e/support/books.ts';
import { Crowd } from '../e2e/support/crowd.ts';
import { MariaDb, makeDatabases } from '../e2e/support/mariadb.ts';
import { TipflowNode, showOutputOnFailure } from '../e2e/support/node.ts';
import { randomFor } from '../e2e/support/random.ts';
import { storesToTest } from '../e2e/support/stores.ts';

const random = randomFor('frozen');
const stretchesMs = [30_000, 3_000, 500, 5_500];
/** A tip waits 5 s for its database, an attempt to connect may take 2 s more, and the machine is busy. */
const deadlineMs = 8_000;

describe.skipIf(!storesToTest().includes('MariaDB'))('a node whose MariaDB is frozen', () => {
  let mariadb: MariaDb;
  let node: TipflowNode;
  let crowd: Crowd;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    mariadb = await MariaDb.start();
    node = await TipflowNode.start({ env: { ...(await makeDatabases(mariadb.address)) } });
    crowd = await Crowd.gather(node, random);
    crowd.start();
    await crowd.untilAcknowledged(200);
  });

  afterAll(async () => {
    mariadb?.thaw();
    await crowd?.stop();
    await node?.dispose();
    await mariadb?.dispose();
  });

  test.each(stretchesMs)('answers in time for %d ms, and goes on when it wakes', async (stretchMs) => {
    await crowd.untilAcknowledged(random.integer(1, 100));
    mariadb.freeze();
    const from = Date.now();
    // The length of the stretch is the fault itself.
    await pause(stretchMs);
    mariadb.thaw();
    await crowd.untilAcknowledged(200, 20_000);
    const late = crowd.requests.filter(({ startedAt, endedAt }) => startedAt >= from && endedAt - startedAt > deadlineMs);
    expect(late.slice(0, 3), `${late.length} answers came late`).toEqual([]);
  });

  test('has lost nothing and doubled nothing', async () => {
    await crowd.stop();
    console.log(`a frozen MariaDB: ${crowd.summary()}`);
    await expectBooksToMatch(node, crowd);
  });
});

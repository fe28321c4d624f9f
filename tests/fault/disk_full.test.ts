// The disk is full: tips are refused with certainty, what was acknowledged stays, and once there is space tips flow
// again without anybody's help.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectBooksToMatch } from '../e2e/support/books.ts';
import { Crowd } from '../e2e/support/crowd.ts';
import { SmallDisk } from '../e2e/support/disk.ts';
import { MariaDb, makeDatabases } from '../e2e/support/mariadb.ts';
import { TipflowNode, showOutputOnFailure } from '../e2e/support/node.ts';
import { randomFor } from '../e2e/support/random.ts';
import { storesToTest } from '../e2e/support/stores.ts';
import { waitFor } from '../e2e/support/wait.ts';
import { rounds } from './support/sizes.ts';

const random = randomFor('disk_full');
const stores = storesToTest();
const sureOf = 200;

/** Waits until the last answers were all "certainly not written". A filled file is used to its end before. */
async function untilRefused(crowd: Crowd): Promise<void> {
  await waitFor(
    'tips are refused with certainty',
    () => {
      const last = crowd.records
        .slice(-2 * sureOf)
        .flatMap(({ requests }) => requests)
        .sort((a, b) => a.endedAt - b.endedAt)
        .slice(-sureOf);
      return last.length === sureOf && last.every(({ outcome }) => outcome === 'unavailable');
    },
    { withinMs: 120_000, everyMs: 200 },
  );
}

describe.skipIf(!stores.includes('SQLite'))('a node on SQLite whose disk is full', () => {
  let disk: SmallDisk;
  let node: TipflowNode;
  let crowd: Crowd;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    disk = await SmallDisk.make(160);
    node = await TipflowNode.start({ store: 'SQLite', dataDir: disk.directory });
    crowd = await Crowd.gather(node, random, { pace: 60 });
    crowd.start();
    await crowd.untilAcknowledged(200);
  });

  afterAll(async () => {
    await crowd?.stop();
    await node?.dispose();
    await disk?.dispose();
  });

  test('refuses tips with certainty, and takes them again when there is space', async () => {
    for (let round = 0; round < rounds; ++round) {
      await disk.fill([node.pid]);
      await untilRefused(crowd);
      const full = await node.client().call('GET', '/livez');
      expect(full.status, 'the process stays').toBe(200);
      // Every other time it is killed while the disk is full.
      const killed = round % 2 === 1;
      if (killed) await node.kill();
      await disk.free();
      if (killed) await node.launch();
      await crowd.untilAcknowledged(200);
    }
    console.log(`${rounds} times a full disk on SQLite: ${crowd.summary()}`);
  });

  test('has lost nothing and doubled nothing', async () => {
    await crowd.stop();
    await expectBooksToMatch(node, crowd);
  });
});

describe.skipIf(!stores.includes('MariaDB'))('a node whose MariaDB has a full disk', () => {
  let disk: SmallDisk;
  let mariadb: MariaDb;
  let node: TipflowNode;
  let crowd: Crowd;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    disk = await SmallDisk.make(512);
    mariadb = await MariaDb.start({ dataDir: disk.directory });
    node = await TipflowNode.start({ env: { ...(await makeDatabases(mariadb.address)) } });
    crowd = await Crowd.gather(node, random, { pace: 60 });
    crowd.start();
    await crowd.untilAcknowledged(200);
  });

  afterAll(async () => {
    await crowd?.stop();
    await node?.dispose();
    await mariadb?.dispose();
    await disk?.dispose();
  });

  test('refuses tips with certainty, and takes them again when there is space', async () => {
    let restarts = 0;
    for (let round = 0; round < rounds; ++round) {
      await disk.fill([mariadb.pid]);
      await untilRefused(crowd);
      await disk.free();
      // A server may end itself over a full disk; then it has to be started, as a supervisor does.
      if (mariadb.ended) {
        ++restarts;
        await mariadb.launch();
      }
      await crowd.untilAcknowledged(200, 60_000);
    }
    console.log(`${rounds} times a full disk on MariaDB (${restarts} restarts of the server): ${crowd.summary()}`);
  });

  test('has lost nothing and doubled nothing', async () => {
    await crowd.stop();
    await expectBooksToMatch(node, crowd);
  });
});

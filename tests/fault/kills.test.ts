// kill -9 at random instants under load, hundreds of times: of the node, of its database server, of both at once.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectBooksToMatch } from '../e2e/support/books.ts';
import { Crowd } from '../e2e/support/crowd.ts';
import { MariaDb, makeDatabases } from '../e2e/support/mariadb.ts';
import { TipflowNode, showOutputOnFailure } from '../e2e/support/node.ts';
import { randomFor } from '../e2e/support/random.ts';
import { storesToTest } from '../e2e/support/stores.ts';
import { nodeKills, serverKills } from './support/sizes.ts';

const random = randomFor('kills');

/** The instant of a kill is the point: it falls anywhere in the middle of the work. */
const someWork = async (crowd: Crowd): Promise<void> => {
  await crowd.untilAcknowledged(random.integer(1, 150));
  await pause(random.integer(0, 250));
};

describe.each(storesToTest())('a node on %s', (store) => {
  let node: TipflowNode;
  let crowd: Crowd;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start({ store });
    crowd = await Crowd.gather(node, random);
  });

  afterAll(async () => node?.dispose());

  test(`is killed ${nodeKills} times under load`, async () => {
    const began = Date.now();
    crowd.start();
    try {
      for (let kill = 0; kill < nodeKills; ++kill) {
        await someWork(crowd);
        await node.kill();
        // Now and then again while it starts: in the middle of adopting what the last one left.
        if (random.chance(0.15)) {
          node.spawn();
          await pause(random.integer(0, 250));
          await node.kill();
        }
        await node.launch();
      }
      await crowd.untilAcknowledged(200);
    } finally {
      await crowd.stop();
    }
    console.log(`${nodeKills} kills of a node on ${store} in ${Date.now() - began} ms: ${crowd.summary()}`);
    expect(crowd.requests.filter(({ outcome }) => outcome === 'unknown').length, 'the kills were felt').toBeGreaterThan(0);
  });

  test('has lost nothing and doubled nothing', async () => expectBooksToMatch(node, crowd));
});

describe.skipIf(!storesToTest().includes('MariaDB'))('a node whose MariaDB', () => {
  let mariadb: MariaDb;
  let node: TipflowNode;
  let crowd: Crowd;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    mariadb = await MariaDb.start();
    node = await TipflowNode.start({ env: { ...(await makeDatabases(mariadb.address)) } });
    crowd = await Crowd.gather(node, random);
  });

  afterAll(async () => {
    await node?.dispose();
    await mariadb?.dispose();
  });

  test(`is killed ${serverKills} times under load, every fourth time together with the node`, async () => {
    const began = Date.now();
    crowd.start();
    try {
      for (let kill = 1; kill <= serverKills; ++kill) {
        await someWork(crowd);
        const both = kill % 4 === 0;
        await Promise.all([mariadb.kill(), ...(both ? [node.kill()] : [])]);
        await mariadb.launch();
        if (both) await node.launch();
      }
      await crowd.untilAcknowledged(200);
    } finally {
      await crowd.stop();
    }
    console.log(`${serverKills} kills of MariaDB in ${Date.now() - began} ms: ${crowd.summary()}`);
    const unsure = crowd.requests.filter(({ outcome }) => outcome === 'unknown' || outcome === 'unavailable');
    expect(unsure.length, 'the kills were felt').toBeGreaterThan(0);
  });

  test('has lost nothing and doubled nothing', async () => expectBooksToMatch(node, crowd));
});

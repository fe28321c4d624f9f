// The disk refuses to make data durable (fsync and fdatasync answer EIO): nothing may be acknowledged meanwhile.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectBooksToMatch } from '../e2e/support/books.ts';
import { Crowd } from '../e2e/support/crowd.ts';
import { MariaDb, makeDatabases } from '../e2e/support/mariadb.ts';
import { TipflowNode, showOutputOnFailure } from '../e2e/support/node.ts';
import { randomFor } from '../e2e/support/random.ts';
import { storesToTest } from '../e2e/support/stores.ts';
import { Fault, syncCalls } from '../e2e/support/strace.ts';
import { waitFor, waitUntil } from '../e2e/support/wait.ts';
import { rounds } from './support/sizes.ts';

const random = randomFor('syncs');
const stores = storesToTest();

/** Made in this stretch of time, from the first byte of the request to the last of the answer. */
const madeWithin = (crowd: Crowd, from: number, to: number): unknown[] =>
  crowd.requests.filter(({ outcome, startedAt, endedAt }) => outcome === 'created' && startedAt >= from && endedAt <= to);

const answeredSince = (crowd: Crowd, from: number): number =>
  crowd.requests.filter(({ startedAt }) => startedAt >= from).length;

describe.skipIf(!stores.includes('SQLite'))('a node on SQLite whose disk cannot sync', () => {
  let node: TipflowNode;
  let crowd: Crowd;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start({ store: 'SQLite' });
    crowd = await Crowd.gather(node, random);
    crowd.start();
    await crowd.untilAcknowledged(200);
  });

  afterAll(async () => {
    await crowd?.stop();
    await node?.dispose();
  });

  test('acknowledges nothing meanwhile, says so, and goes on by itself', async () => {
    for (let round = 0; round < rounds; ++round) {
      const fault = await Fault.inject(node.pid, syncCalls, 'EIO');
      const from = Date.now();
      await waitFor('many requests are answered', () => answeredSince(crowd, from) > 150);
      await waitUntil(
        'the node says that it is not ready',
        () => node.client().call('GET', '/readyz'),
        (answer) => answer.status === 503,
      );
      const to = Date.now();
      expect(fault.injected, 'syncs that failed').toBeGreaterThan(0);
      // Every other time it is killed in the middle of it, and another process finds what it left.
      const killed = round % 2 === 1;
      if (killed) await node.kill();
      await fault.end();
      if (killed) await node.launch();
      expect(madeWithin(crowd, from, to).slice(0, 3), 'made while nothing could be synced').toEqual([]);
      await crowd.untilAcknowledged(200);
    }
    console.log(`${rounds} stretches without syncs on SQLite: ${crowd.summary()}`);
  });

  test('has lost nothing and doubled nothing', async () => {
    await crowd.stop();
    await expectBooksToMatch(node, crowd);
  });
});

describe.skipIf(!stores.includes('MariaDB'))('a node whose MariaDB cannot sync', () => {
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
    await crowd?.stop();
    await node?.dispose();
    await mariadb?.dispose();
  });

  test('acknowledges nothing until the server, which ends itself, is started again', async () => {
    for (let round = 0; round < rounds; ++round) {
      const fault = await Fault.inject(mariadb.pid, syncCalls, 'EIO');
      const from = Date.now();
      await waitFor('MariaDB ends itself', () => mariadb.ended, { withinMs: 60_000 });
      await waitFor('many requests are answered', () => answeredSince(crowd, from) > 150);
      const to = Date.now();
      await fault.end();
      expect(madeWithin(crowd, from, to).slice(0, 3), 'made while nothing could be synced').toEqual([]);
      await mariadb.launch();
      await crowd.untilAcknowledged(200);
    }
    console.log(`${rounds} stretches without syncs on MariaDB: ${crowd.summary()}`);
  });

  test('has lost nothing and doubled nothing', async () => {
    await crowd.stop();
    await expectBooksToMatch(node, crowd);
  });
});

// The audience database goes away under a node: a tip is refused honestly, or its outcome is found out.
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { ApiError } from './support/client.ts';
import { checkContract } from './support/contract.ts';
import { makeDatabases } from './support/mariadb.ts';
import type { NewTip } from './support/model.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { Proxy } from './support/proxy.ts';
import { type AnchorStory, type ViewerStory, anchorWithOpenRoom, guest, newTip, settledBooks } from './support/stories.ts';
import { storesToTest } from './support/stores.ts';
import { waitFor, waitUntil } from './support/wait.ts';

describe.skipIf(!storesToTest().includes('MariaDB'))('while the audience database is away', () => {
  let proxy: Proxy;
  let node: TipflowNode;
  let host: AnchorStory;
  let fan: ViewerStory;
  let tips = 0;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    const mariadb = inject('mariadb');
    if (mariadb === null) throw new Error('MariaDB was not started');
    proxy = await Proxy.start(mariadb.port);
    const direct = await makeDatabases(mariadb);
    const throughProxy = direct.TIPFLOW_DB1_URL.replace(`:${mariadb.port}/`, `:${proxy.port}/`);
    node = await TipflowNode.start({ env: { ...direct, TIPFLOW_DB1_URL: throughProxy } });
    host = await anchorWithOpenRoom(node);
    fan = await guest(node);
  });

  beforeEach(async () => {
    proxy.heal();
    await waitUntil(
      'the node is ready',
      () => node.client().call('GET', '/readyz'),
      (answer) => answer.status === 200,
    );
    await untilWritten(newTip(host.roomId, 100));
  });

  afterAll(async () => {
    await node?.dispose();
    await proxy?.close();
  });

  /** Repeats a tip until it is there; counts it. */
  async function untilWritten(tip: NewTip): Promise<number> {
    const { status } = await waitFor('the tip is written', () => fan.client.sendTip(tip), { withinMs: 30_000 });
    ++tips;
    return status;
  }

  test('a tip is answered 503 unavailable, and was certainly not written', async () => {
    proxy.cut();
    const tip = newTip(host.roomId, 500);
    // The first tip of each lane may meet a connection that has just broken; once all lanes have noticed,
    // the answer is certain.
    const probes = 12;
    const problem = await waitFor(
      'every lane notices',
      async () => {
        const answers = await Promise.all(
          Array.from({ length: probes }, () => fan.client.sendTip(newTip(host.roomId, 1)).catch((caught: unknown) => caught)),
        );
        const certain = answers.filter((answer) => answer instanceof ApiError && answer.code === 'unavailable');
        return certain.length === probes && certain[0] instanceof ApiError && certain[0];
      },
      { withinMs: 40_000 },
    );
    expect(problem.status).toBe(503);
    expect(Number(problem.answer.headers['retry-after'])).toBeGreaterThan(0);
    await expect(fan.client.sendTip(tip)).rejects.toMatchObject({ status: 503, code: 'unavailable' });
    await waitUntil(
      'the node says that it is not ready',
      () => node.client().call('GET', '/readyz'),
      (answer) => answer.status === 503,
    );
    expect((await node.client().call('GET', '/livez')).status).toBe(200);

    proxy.heal();
    await waitFor('tips are written again', () => fan.client.sendTip(newTip(host.roomId, 1)), { withinMs: 30_000 });
    await expect(fan.client.tip(tip.traceId)).rejects.toMatchObject({ code: 'tip_not_found' });
    expect(await untilWritten(tip)).toBe(201);
  });

  test('a tip whose commit was never confirmed is answered 504 outcome_unknown, and found by its traceId', async () => {
    proxy.holdAnswers();
    const tip = newTip(host.roomId, 700);
    await expect(fan.client.sendTip(tip, { timeoutMs: 40_000 })).rejects.toMatchObject({
      status: 504,
      code: 'outcome_unknown',
    });

    proxy.heal();
    const status = await untilWritten(tip);
    expect(status, 'the database had it').toBe(200);
    expect((await fan.client.allTips()).filter((each) => each.traceId === tip.traceId)).toHaveLength(1);
  });

  test('the books agree once it is back', async () => {
    const books = await settledBooks(await node.asAdmin(), { withinMs: 40_000 });
    expect(books.tips.count).toBeGreaterThanOrEqual(tips);
    expect(books.difference).toEqual({ count: 0, amount: 0 });
    const audit = await node.audit();
    expect(audit.code, audit.output).toBe(0);
  });

  checkContract();
});

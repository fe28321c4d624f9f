// Who gave an anchor most: every place equals what the clients themselves added up, whatever is killed meanwhile.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, NoAnswer, type Session } from './support/client.ts';
import { checkContract } from './support/contract.ts';
import { newTraceId } from './support/ids.ts';
import { changeJob, runJob, runsOf } from './support/jobs.ts';
import type { BatchTip, Problem } from './support/model.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { randomFor } from './support/random.ts';
import { type AnchorStory, type ViewerStory, anchorWithOpenRoom, guest, newTip, registeredViewer, untilAnswered } from './support/stories.ts';
import { storesToTest } from './support/stores.ts';
import { waitFor } from './support/wait.ts';

const random = randomFor('top viewers');
const viewers = 12;
const batchTips = 400;
const batchesToCount = 25;

interface Board {
  items: { rank: number; viewerId: number | null; name: string; amount: number }[];
  asOf: string | null;
}

const board = async (client: Client, anchorId: number, limit?: number): Promise<Board> =>
  (await client.ask<Board>('GET', '/tips/top-viewers', { query: { anchorId, limit } })).body;

/** What each viewer gave, added up by the test. */
class Sums {
  private readonly amounts = new Map<number, bigint>();

  add(viewerId: number, amount: number): void {
    this.amounts.set(viewerId, (this.amounts.get(viewerId) ?? 0n) + BigInt(amount));
  }

  /** Rank is 1 + the number of viewers who gave more; equal ones stand by viewer. */
  places(limit: number): { rank: number; viewerId: number; amount: number }[] {
    const all = [...this.amounts].sort(([a, x], [b, y]) => (x === y ? a - b : x > y ? -1 : 1));
    return all.slice(0, limit).map(([viewerId, amount]) => ({
      rank: 1 + all.filter(([, other]) => other > amount).length,
      viewerId,
      amount: Number(amount),
    }));
  }
}

const placesOf = ({ items }: Board): object[] => items.map(({ rank, viewerId, amount }) => ({ rank, viewerId, amount }));

describe.each(storesToTest())('the board of all time on %s', (store) => {
  let node: TipflowNode;
  let admin: Client;
  let hosts: AnchorStory[];
  let fans: ViewerStory[];
  const sums = new Map<number, Sums>();
  showOutputOnFailure(() => node);

  const sumsOf = (anchorId: number): Sums => {
    const found = sums.get(anchorId) ?? new Sums();
    sums.set(anchorId, found);
    return found;
  };
  const count = async (): Promise<void> => void (await runJob(admin, 'top_viewers', { withinMs: 30_000 }));
  const expectBoards = async (limit: number): Promise<void> => {
    for (const host of hosts) {
      const places = sumsOf(host.anchor.id).places(limit);
      expect(placesOf(await board(admin, host.anchor.id, limit)), host.anchor.name).toEqual(places);
    }
  };

  beforeAll(async () => {
    node = await TipflowNode.start({ store });
    admin = await node.asAdmin();
    hosts = await Promise.all(Array.from({ length: 3 }, () => anchorWithOpenRoom(node)));
    fans = await Promise.all(Array.from({ length: viewers }, (_, i) => (i % 2 === 0 ? guest(node) : registeredViewer(node))));
  });
  afterAll(async () => node?.dispose());

  test('is empty before anybody gave anything, and says up to when', async () => {
    await count();
    const empty = await board(admin, hosts[0]?.anchor.id as number);
    expect(empty.items).toEqual([]);
    expect(Date.parse(empty.asOf as string)).toBeLessThanOrEqual(Date.now());
  });

  test('holds a tip that was given before the instant it names', async () => {
    const [host, fan] = [hosts[0] as AnchorStory, fans[1] as ViewerStory];
    const { body } = await fan.client.sendTip(newTip(host.roomId, 700));
    sumsOf(host.anchor.id).add(fan.viewer.id, 700);
    await count();
    const seen = await board(fan.client, host.anchor.id);
    expect(Date.parse(seen.asOf as string)).toBeGreaterThanOrEqual(Date.parse(body.acceptedAt));
    expect(seen.items).toEqual([{ rank: 1, viewerId: fan.viewer.id, name: fan.viewer.name, amount: 700 }]);
  });

  test('gives those who gave the same one rank, and leaves out as many behind them', async () => {
    const host = hosts[1] as AnchorStory;
    for (const [fan, amount] of [[3, 50], [1, 50], [2, 90], [4, 50], [5, 10]] as const) {
      const { client, viewer } = fans[fan] as ViewerStory;
      await client.sendTip(newTip(host.roomId, amount));
      sumsOf(host.anchor.id).add(viewer.id, amount);
    }
    await count();
    expect((await board(admin, host.anchor.id)).items.map(({ rank }) => rank)).toEqual([1, 2, 2, 2, 5]);
    await expectBoards(10);
    expect(placesOf(await board(admin, host.anchor.id, 2))).toEqual(sumsOf(host.anchor.id).places(2));
  });

  test('is exact after the node was killed again and again while it counted', { timeout: 120_000 }, async () => {
    await changeJob(admin, 'top_viewers', { everySeconds: 3_600 });
    let running = true;
    let batches = 0;
    let kills = 0;
    let cutShort = 0;
    const tipping = (async () => {
      while (running) {
        const tips = Array.from({ length: batchTips }, (): BatchTip & { host: AnchorStory } => {
          const host = random.pick(hosts);
          return { traceId: newTraceId(), host, roomId: host.roomId, viewerId: random.pick(fans).viewer.id, amount: random.integer(1, 3) };
        });
        const wire = tips.map(({ host: _host, ...tip }) => tip);
        // The same batch is sent until it is answered whole: each of its tips is then there once.
        await untilAnswered(
          async () => {
            const results = await admin.sendBatch(wire).catch((error: Error) => {
              throw error instanceof NoAnswer ? error : new NoAnswer(error.message);
            });
            if (results.some(({ status }) => status === 'rejected')) throw new NoAnswer('not all were taken');
          },
          { withinMs: 30_000 },
        );
        for (const { host, viewerId, amount } of tips) sumsOf(host.anchor.id).add(viewerId, amount);
        ++batches;
      }
    })();
    try {
      while (cutShort < 2 && kills < 20) {
        const enough = batches + batchesToCount;
        await waitFor('there is something to count', () => batches >= enough, { withinMs: 30_000 });
        const newest = async (): Promise<number> => (await runsOf(admin, 'top_viewers', 1))[0]?.id ?? 0;
        const before = await newest();
        await admin.ask('POST', '/admin/jobs/top_viewers/runs');
        // The lease of the process that was killed before must run out first. A run may be over before it is looked at.
        const counting = async (): Promise<boolean> => (await newest()) > before;
        await waitFor('it is being counted', counting, { withinMs: 20_000, everyMs: 1 });
        // The instant is the point: it must fall anywhere in the middle of the work.
        await pause(random.integer(0, 30));
        await node.kill();
        ++kills;
        await node.launch();
        if ((await runsOf(admin, 'top_viewers', 1))[0]?.endedAt === null) ++cutShort;
      }
    } finally {
      running = false;
      await tipping;
    }
    await count();
    console.log(`top viewers on ${store}: ${batches * batchTips} tips, ${kills} kills, ${cutShort} runs cut short`);
    expect(cutShort, 'the kills were felt').toBeGreaterThan(0);
    await expectBoards(10);
    await expectBoards(100);
  });

  test('asks for an anchor, and names the bounds of what it is asked', async () => {
    for (const [query, field, code, detail] of [
      [{}, 'anchorId', 'required', ''],
      [{ anchorId: 'x' }, 'anchorId', 'wrong_type', ''],
      [{ anchorId: 1, limit: 0 }, 'limit', 'out_of_range', '1 to 100'],
      [{ anchorId: 1, limit: 101 }, 'limit', 'out_of_range', '1 to 100'],
    ] as const) {
      const answer = await admin.call<Problem>('GET', '/api/v1/tips/top-viewers', { query });
      expect(answer.status, JSON.stringify(query)).toBe(400);
      expect(answer.body.errors?.[0], JSON.stringify(query)).toMatchObject({ field, code });
      expect(answer.body.errors?.[0]?.detail).toContain(detail);
    }
    const unknown = await admin.call<Problem>('GET', '/api/v1/tips/top-viewers', { query: { anchorId: 999_999 } });
    expect([unknown.status, unknown.body.code]).toEqual([404, 'anchor_not_found']);
  });

  test('masks names and ids, or is hidden, where the policy says so', async () => {
    const host = hosts[1] as AnchorStory;
    const fan = fans[1] as ViewerStory;
    const dataDir = node.dataDir;
    const { db1, db2 } = node.databases;
    await node.stop();
    const restarted = async (policy: string): Promise<TipflowNode> =>
      TipflowNode.start({ dataDir, env: { TIPFLOW_AUDIENCE_LEADERBOARD: policy, TIPFLOW_DB1_URL: db1, TIPFLOW_DB2_URL: db2 } });
    const masked = await restarted('masked');
    const asFan = masked.client().as(fan.client.session as Session);
    const seen = await board(asFan, host.anchor.id);
    const full = await board(await masked.asAdmin(), host.anchor.id);
    await masked.stop();
    await masked.dispose();
    expect(seen.items.map(({ rank, amount }) => [rank, amount])).toEqual(full.items.map(({ rank, amount }) => [rank, amount]));
    expect(seen.items.every(({ viewerId, name }) => viewerId === null && /^.\*\*\*$/u.test(name))).toBe(true);
    expect(full.items[0]?.name).not.toContain('*');

    const hidden = await restarted('operators');
    const refused = await hidden.client().as(fan.client.session as Session).call<Problem>('GET', '/api/v1/tips/top-viewers', { query: { anchorId: host.anchor.id } });
    const shown = await board(await hidden.asAdmin(), host.anchor.id);
    await hidden.stop();
    await hidden.dispose();
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden']);
    expect(shown.items).toEqual(full.items);
    await node.launch();
  });

  checkContract();
});

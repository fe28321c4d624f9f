// Live rooms on several nodes, with a real Consul and Redis between them: a room is one room wherever its viewers are.
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { Client } from './support/client.ts';
import { Consul } from './support/consul.ts';
import { TipflowNode, adminPassword, showOutputOnFailure } from './support/node.ts';
import { Redis } from './support/redis.ts';
import { amounts, answerTo, enter, farewell, pathOf, refused, tipIds, tokenOf, untilTips, untilTold } from './support/rooms.ts';
import { storeSettings, storesToTest } from './support/stores.ts';
import { type AnchorStory, type ViewerStory, anchorWithOpenRoom, newTip, newViewer, password, sumOf } from './support/stories.ts';
import { waitFor, waitUntil } from './support/wait.ts';
import { WebSocketClient } from './support/web_socket.ts';

const key = (digit: string): string => digit.repeat(64);
/** An action must act on every node within this time. */
const soonMs = 1_000;
/** A node that says nothing for 15 s has no viewers any more. */
const silenceMs = 25_000;

describe.runIf(storesToTest().includes('MariaDB'))('a room on two nodes', () => {
  let consul: Consul;
  let redis: Redis;
  let others: TipflowNode;
  let audiences: TipflowNode[];
  let rooms: TipflowNode[];
  let host: AnchorStory;
  let fans: ViewerStory[];
  const all = (): TipflowNode[] => [others, ...(audiences ?? []), ...(rooms ?? [])];
  for (let i = 0; i < 5; ++i) showOutputOnFailure(() => all()[i]);

  const at = (node: TipflowNode, { client }: { client: Client }): Client => node.client().as(client.session!);
  const redisOf = async (node: TipflowNode): Promise<string | undefined> => {
    const { body } = await node.client().call<{ checks: { name: string; status: string }[] }>('GET', '/readyz');
    return body.checks.find(({ name }) => name === 'redis')?.status;
  };
  /** One viewer at each room node. */
  const watchers = (): Promise<WebSocketClient[]> =>
    Promise.all(rooms.map((node, i) => enter(node, fans[i] as ViewerStory, host.roomId)));

  async function newFan(): Promise<ViewerStory> {
    const anyone = (audiences[0] as TipflowNode).client();
    const request = newViewer();
    const viewer = await anyone.createViewer(request);
    return { viewer, client: anyone.as(await anyone.login('viewer', request.name, password)) };
  }

  beforeAll(async () => {
    [consul, redis] = await Promise.all([Consul.start(), Redis.start()]);
    const env = {
      ...(await storeSettings('MariaDB', inject('mariadb'))),
      TIPFLOW_CONSUL_URL: consul.url,
      TIPFLOW_REDIS_URL: redis.url,
      TIPFLOW_TOKEN_KEY: key('a'),
      TIPFLOW_CLUSTER_KEY: key('b'),
      TIPFLOW_DATA_KEYS: `one:${key('c')}`,
    };
    others = await TipflowNode.start({ roles: ['anchor', 'finance', 'console'], env });
    audiences = await Promise.all([1, 2].map(() => TipflowNode.start({ roles: ['audience'], env })));
    rooms = await Promise.all([1, 2].map(() => TipflowNode.start({ roles: ['room'], env })));
    fans = await Promise.all([1, 2].map(newFan));
  });

  // Each node hears of the room a moment after the anchor opened it.
  beforeEach(async () => {
    host = await anchorWithOpenRoom(others);
    for (const node of rooms) {
      await waitFor('the room is known', async () => {
        const opened = await WebSocketClient.open(node.port, { path: pathOf(host.roomId, tokenOf(fans[0] as ViewerStory)) });
        if (opened instanceof WebSocketClient) opened.drop();
        return opened instanceof WebSocketClient;
      });
    }
  });

  afterAll(async () => {
    for (const node of all()) await node.dispose();
    await redis?.dispose();
    await consul?.dispose();
  });

  /** Tips at both audience nodes; answers what they were told. */
  async function give(count: number): Promise<{ ids: number[]; sum: number }> {
    const tips = Array.from({ length: count }, (_, i) => newTip(host.roomId, 100 + i));
    const answers = await Promise.all(
      tips.map((tip, i) => at(audiences[i % 2] as TipflowNode, fans[(i >> 1) % 2] as ViewerStory).sendTip(tip)),
    );
    return { ids: answers.map(({ body }) => body.tipId).toSorted((a, b) => a - b), sum: sumOf(tips) };
  }

  test('shows a tip to viewers of both, once each, and the revenue that was acknowledged', async () => {
    const viewers = await watchers();
    const { ids, sum } = await give(80);
    for (const viewer of viewers) {
      await untilTips(viewer, ids.length);
      await untilTold(viewer, 'revenue', sum);
      expect(tipIds(viewer).toSorted((a, b) => a - b)).toEqual(ids);
      expect(sumOf(amounts(viewer))).toBe(sum);
      viewer.drop();
    }
  });

  test('carries what is said from one to the other', async () => {
    const [here, there] = (await watchers()) as [WebSocketClient, WebSocketClient];
    here.send({ type: 'chat', id: '1', text: '你好' });
    expect(await answerTo(here, '1')).toMatchObject({ type: 'ack' });
    for (const viewer of [here, there]) {
      const said = await waitFor('it is heard', () => viewer.eventsOf('chat')[0]);
      expect(said).toMatchObject({ viewer: { name: fans[0]?.viewer.name }, text: '你好' });
    }
    await untilTold(here, 'viewers', 2);
    expect(here.eventsOf('chat')).toHaveLength(1);
    here.drop();
    there.drop();
  });

  test('has the viewers of both, and loses those of a node that dies', async () => {
    const [here, there] = (await watchers()) as [WebSocketClient, WebSocketClient];
    const shown = async (): Promise<number> => (await at(others, host).room(host.roomId)).viewers;
    await waitUntil('both are counted', shown, (viewers) => viewers === 2);
    await untilTold(here, 'viewers', 2);
    await rooms[1]?.kill();
    await waitFor('the connection is lost', () => there.closed);
    await untilTold(here, 'viewers', 1, silenceMs);
    await waitUntil('the other is not counted', shown, (viewers) => viewers === 1, { withinMs: silenceMs });
    await rooms[1]?.launch();
    here.drop();
  });

  test('lets whom the anchor kicks out of both, and back into neither', async () => {
    const [here, there] = (await watchers()) as [WebSocketClient, WebSocketClient];
    const alsoThere = await enter(rooms[1] as TipflowNode, fans[0] as ViewerStory, host.roomId);
    const viewerId = fans[0]?.viewer.id;
    await host.client.ask('POST', `/rooms/${host.roomId}/kicks`, { json: { viewerId, seconds: 60 } });
    const byes = await Promise.all([here, alsoThere].map((viewer) => farewell(viewer, soonMs)));
    expect(byes.map((bye) => bye['code'])).toEqual(['kicked', 'kicked']);
    for (const node of rooms) {
      const answer = await refused(node, pathOf(host.roomId, tokenOf(fans[0] as ViewerStory)));
      expect(answer).toMatchObject({ status: 403, body: { code: 'viewer_kicked' } });
    }
    expect(there.closed).toBe(false);
    there.drop();
  });

  test('closes on both, and so does a ban', async () => {
    const admin = others.client().as(await others.client().login('operator', 'admin', adminPassword));
    let viewers = await watchers();
    await host.client.closeRoom(host.roomId);
    let byes = await Promise.all(viewers.map((viewer) => farewell(viewer, soonMs)));
    expect(byes.map((bye) => bye['code'])).toEqual(['closed', 'closed']);
    host = await anchorWithOpenRoom(others);
    await waitFor('both let viewers in', async () => {
      viewers = await watchers();
      return true;
    });
    await admin.ask('POST', `/rooms/${host.roomId}/ban`, { json: { reason: 'test' } });
    byes = await Promise.all(viewers.map((viewer) => farewell(viewer, soonMs)));
    expect(byes.map((bye) => bye['code'])).toEqual(['banned', 'banned']);
  });

  test('with Redis emptied, killed and back shows the same amounts, and goes on', async () => {
    const viewers = await watchers();
    const before = await give(20);
    for (const viewer of viewers) {
      await untilTips(viewer, 20);
      await untilTold(viewer, 'revenue', before.sum);
    }
    await redis.ask('FLUSHALL');
    await redis.kill();
    await redis.launch();
    // Everybody starts anew, with what was acknowledged.
    for (const viewer of viewers) {
      const again = await waitFor('a new beginning', () => viewer.of('hello')[1]);
      expect(again).toMatchObject({ revenue: before.sum, epoch: expect.not.stringMatching(String(viewer.of('hello')[0]?.['epoch'])) });
    }
    // Tips that a node took while it was without Redis are told as revenue alone.
    for (const node of all()) {
      await waitUntil('Redis is there', async () => redisOf(node), (state) => state === 'up');
    }
    let between = 0;
    await waitFor('news flows again', async () => {
      const { ids, sum } = await give(2);
      between += sum;
      const seen = (): boolean => viewers.every((viewer) => ids.every((id) => tipIds(viewer).includes(id)));
      return waitFor('it is seen', seen, { withinMs: 2_000 }).catch(() => false);
    });
    const after = await give(20);
    const seenOf = (viewer: WebSocketClient): number[] => tipIds(viewer).filter((id) => after.ids.includes(id));
    for (const viewer of viewers) {
      await waitFor('the tips arrive', () => seenOf(viewer).length === 20);
      expect(seenOf(viewer).toSorted((a, b) => a - b)).toEqual(after.ids.toSorted((a, b) => a - b));
      await untilTold(viewer, 'revenue', before.sum + between + after.sum);
      await untilTold(viewer, 'viewers', 2);
      viewer.drop();
    }
  });
});

// Bans, kicks, mutes, and the numbers of a session: what anchors and operators do to rooms, and what viewers notice.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, Client, Method } from './support/client.ts';
import type { Chat, Page, Problem, Restraint, Room, RoomStats } from './support/model.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { answerTo, enter } from './support/rooms.ts';
import {
  type AnchorStory,
  type ViewerStory,
  anchorWithOpenRoom,
  guest,
  newTip,
  registeredAnchor,
  registeredViewer,
  sumOf,
} from './support/stories.ts';
import { waitUntil } from './support/wait.ts';

interface Action {
  action: string;
  object: string;
  before: unknown;
  after: unknown;
  outcome: string;
}

const nobody = 999_999_999;
const v1 = '/api/v1';
const reason = 'sells what may not be sold';

let node: TipflowNode;
let admin: Client;
showOutputOnFailure(() => node);

beforeAll(async () => {
  node = await TipflowNode.start();
  admin = await node.asAdmin();
});

afterAll(async () => node?.dispose());

const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();
const ban = async (roomId: number, json: object = { reason }): Promise<Room> =>
  (await admin.ask<Room>('POST', `/rooms/${roomId}/ban`, { json })).body;
const restrain = async (by: Client, what: 'kicks' | 'mutes', roomId: number, json: object): Promise<Restraint> => {
  const answer = await by.ask<Restraint>('POST', `/rooms/${roomId}/${what}`, { json });
  expect(answer.status).toBe(201);
  return answer.body;
};
const free = async (by: Client, what: 'kicks' | 'mutes', roomId: number, viewerId: number): Promise<void> => {
  expect((await by.ask('DELETE', `/rooms/${roomId}/${what}/${viewerId}`)).status).toBe(204);
};
const listed = (by: Client, what: 'kicks' | 'mutes', roomId: number, pageSize = 100): Promise<Restraint[]> =>
  by.allPages<Restraint>(`/rooms/${roomId}/${what}`, { pageSize });
const stats = async (client: Client, roomId: number): Promise<RoomStats> =>
  (await client.ask<RoomStats>('GET', `/rooms/${roomId}/stats`)).body;
const tip = (fan: ViewerStory, roomId: number, changes: object = {}): Promise<Answer<Problem>> =>
  fan.client.call<Problem>('POST', `${v1}/tips`, { json: { ...newTip(roomId, 100), ...changes } });
/** The newest line the operators' log has of an object. */
const recorded = async (object: string): Promise<Action | undefined> =>
  (await admin.ask<Page<Action>>('GET', '/admin/audit-log', { query: { pageSize: 100 } })).body.items.find(
    (each) => each.object === object,
  );

describe('a ban', () => {
  test('ends the session, and keeps the room shut to its anchor and to tips', async () => {
    const host = await anchorWithOpenRoom(node);
    const fan = await guest(node);
    const before = newTip(host.roomId, 100);
    await fan.client.sendTip(before);
    const room = await ban(host.roomId);
    expect(room).toMatchObject({ state: 'banned', sessionId: null, ban: { reason, until: null } });
    expect(await host.client.room(host.roomId)).toMatchObject({ state: 'banned' });

    const [session] = (await host.client.roomSessions(host.roomId)).items;
    expect(session).toMatchObject({ closedAt: expect.any(String), tips: 1, revenue: 100, peakViewers: 0, joins: 0, chats: 0 });
    const shut = { status: 409, body: { code: 'room_banned' } };
    expect(await host.client.call('POST', `${v1}/rooms/${host.roomId}/open`)).toMatchObject(shut);
    expect(await tip(fan, host.roomId)).toMatchObject(shut);
    expect((await fan.client.sendTip(before)).body.status, 'what was taken before stays taken').toBe('exists');
    expect(await host.client.closeRoom(host.roomId)).toMatchObject({ state: 'banned' });
  });

  test('without an end lasts until it is lifted; then the anchor may open', async () => {
    const host = await registeredAnchor(node);
    await ban(host.roomId);
    for (let i = 0; i < 2; ++i) {
      expect((await admin.ask('DELETE', `/rooms/${host.roomId}/ban`)).status).toBe(204);
      expect(await host.client.room(host.roomId)).toMatchObject({ state: 'off', ban: null });
    }
    expect(await host.client.openRoom(host.roomId)).toMatchObject({ state: 'live', ban: null });
    expect((await admin.ask('DELETE', `/rooms/${host.roomId}/ban`)).status).toBe(204);
    expect((await host.client.room(host.roomId)).state, 'lifting what is no ban changes nothing').toBe('live');
  });

  test('with an end is over by itself, in lists too, and over a restart', async () => {
    const host = await registeredAnchor(node);
    const until = inMs(2_500);
    expect((await ban(host.roomId, { reason, until })).ban).toEqual({ reason, until });
    const inState = async (state: string): Promise<boolean> =>
      (await admin.allPages<Room>('/rooms', { state, anchorId: host.anchor.id })).length === 1;
    expect([await inState('banned'), await inState('off')]).toEqual([true, false]);
    await node.restart();
    expect([await inState('banned'), await inState('off')]).toEqual([true, false]);
    await waitUntil('the ban is over', () => host.client.room(host.roomId), ({ state }) => state === 'off');
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(until));
    expect([await inState('banned'), await inState('off')]).toEqual([false, true]);
    expect(await host.client.openRoom(host.roomId)).toMatchObject({ state: 'live', ban: null });
  });

  test('of a banned room gives it the new reason and end', async () => {
    const host = await registeredAnchor(node);
    await ban(host.roomId);
    const until = inMs(3_600_000);
    expect((await ban(host.roomId, { reason: 'noise', until })).ban).toEqual({ reason: 'noise', until });
  });

  test('is for operators, signed, and recorded with before and after', async () => {
    const host = await anchorWithOpenRoom(node);
    const fan = await guest(node);
    for (const { client } of [host, fan]) {
      for (const method of ['POST', 'DELETE'] as const) {
        const answer = await client.call(method, `${v1}/rooms/${host.roomId}/ban`, { json: { reason } });
        expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      }
    }
    const unsigned = await admin.call('POST', `${v1}/rooms/${host.roomId}/ban`, { json: { reason }, sign: false });
    expect(unsigned).toMatchObject({ status: 401, body: { code: 'invalid_signature' } });
    expect((await host.client.room(host.roomId)).state).toBe('live');

    await ban(host.roomId);
    expect(await recorded(`room ${host.roomId}`)).toMatchObject({
      action: 'POST /api/v1/rooms/{id}/ban',
      before: { state: 'live', ban: null },
      after: { state: 'banned', ban: { reason } },
      outcome: 'done',
    });
    await admin.ask('DELETE', `/rooms/${host.roomId}/ban`);
    expect(await recorded(`room ${host.roomId}`)).toMatchObject({
      action: 'DELETE /api/v1/rooms/{id}/ban',
      before: { state: 'banned' },
      after: { state: 'off', ban: null },
    });
  });

  test.each<[string, object, string]>([
    ['no reason', {}, 'reason'],
    ['a blank reason', { reason: ' ' }, 'reason'],
    ['an end that is past', { reason, until: '2026-01-01T00:00:00.000Z' }, 'until'],
    ['an end that is no time', { reason, until: 'tomorrow' }, 'until'],
    ['more than a ban has', { reason, forever: true }, 'forever'],
  ])('with %s is refused by the field', async (_, json, field) => {
    const host = await registeredAnchor(node);
    const answer = await admin.call<Problem>('POST', `${v1}/rooms/${host.roomId}/ban`, { json });
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.map((each) => each.field)).toEqual([field]);
    expect((await host.client.room(host.roomId)).state).toBe('off');
  });

  test('wins over whoever opens and closes the room at the same time', async () => {
    const host = await registeredAnchor(node);
    const many = host.client.withConnections(16);
    await many.warmUp(16);
    const asked = Array.from({ length: 30 }, (_, i) =>
      many.call('POST', `${v1}/rooms/${host.roomId}/${i % 2 === 0 ? 'open' : 'close'}`),
    );
    await ban(host.roomId);
    for (const { status } of await Promise.all(asked)) expect([200, 409]).toContain(status);
    many.close();
    expect(await host.client.room(host.roomId)).toMatchObject({ state: 'banned', sessionId: null });
    const sessions = await host.client.allPages<{ closedAt: string | null }>(`/rooms/${host.roomId}/sessions`);
    expect(sessions.filter(({ closedAt }) => closedAt === null)).toEqual([]);
  });
});

describe('a kick', () => {
  let host: AnchorStory;
  beforeAll(async () => {
    host = await anchorWithOpenRoom(node);
  });

  test('keeps a viewer from tipping in that room, and nobody else', async () => {
    const fan = await registeredViewer(node);
    const before = newTip(host.roomId, 700);
    const first = await fan.client.sendTip(before);
    const kick = await restrain(host.client, 'kicks', host.roomId, { viewerId: fan.viewer.id, reason: 'shouts' });
    expect(kick).toMatchObject({
      roomId: host.roomId, viewerId: fan.viewer.id, viewerName: fan.viewer.name, reason: 'shouts', by: 'anchor', byId: host.anchor.id,
    });
    expect(Date.parse(kick.until) - Date.parse(kick.createdAt), 'an hour, where nobody says how long').toBe(3_600_000);

    expect(await tip(fan, host.roomId)).toMatchObject({ status: 403, body: { code: 'viewer_kicked' } });
    const again = await fan.client.sendTip(before);
    expect(again.body, 'a tip that was taken before is answered as before').toEqual({ ...first.body, status: 'exists' });
    expect((await tip(fan, host.roomId, { traceId: before.traceId, amount: 701 })).status).toBe(403);
    expect((await tip(await guest(node), host.roomId)).status).toBe(201);
    expect((await tip(fan, (await anchorWithOpenRoom(node)).roomId)).status).toBe(201);
  });

  test('counts in batches too, and answers what was taken before', async () => {
    const fan = await registeredViewer(node);
    const taken = { ...newTip(host.roomId, 5), viewerId: fan.viewer.id };
    expect(await admin.sendBatch([taken])).toMatchObject([{ status: 'created' }]);
    await restrain(host.client, 'kicks', host.roomId, { viewerId: fan.viewer.id });
    const fresh = { ...newTip(host.roomId, 5), viewerId: fan.viewer.id };
    expect(await admin.sendBatch([taken, fresh, { ...taken, amount: 6 }])).toMatchObject([
      { status: 'exists', tipId: expect.any(Number) },
      { status: 'rejected', code: 'viewer_kicked' },
      { status: 'rejected', code: 'viewer_kicked' },
    ]);
  });

  test('is over when it is ended, or its time is', async () => {
    const fan = await guest(node);
    await restrain(host.client, 'kicks', host.roomId, { viewerId: fan.viewer.id });
    for (let i = 0; i < 2; ++i) await free(host.client, 'kicks', host.roomId, fan.viewer.id);
    expect((await tip(fan, host.roomId)).status).toBe(201);

    const { until } = await restrain(host.client, 'kicks', host.roomId, { viewerId: fan.viewer.id, seconds: 1 });
    expect((await tip(fan, host.roomId)).status).toBe(403);
    await waitUntil('the kick is over', () => tip(fan, host.roomId), ({ status }) => status === 201);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(until));
    expect((await listed(host.client, 'kicks', host.roomId)).map(({ viewerId }) => viewerId)).not.toContain(fan.viewer.id);
  });

  test('gives way to the next one of the same viewer', async () => {
    const fan = await guest(node);
    await restrain(host.client, 'kicks', host.roomId, { viewerId: fan.viewer.id, seconds: 31_536_000 });
    const last = await restrain(admin, 'kicks', host.roomId, { viewerId: fan.viewer.id, seconds: 60, reason: 'less' });
    const mine = (await listed(admin, 'kicks', host.roomId)).filter(({ viewerId }) => viewerId === fan.viewer.id);
    expect(mine).toEqual([last]);
    expect(last.by).toBe('operator');
  });

  test('of a viewer who is not there holds when they come', async () => {
    const other = await registeredAnchor(node);
    const fan = await guest(node);
    await restrain(other.client, 'kicks', other.roomId, { viewerId: fan.viewer.id });
    await other.client.openRoom(other.roomId);
    expect((await tip(fan, other.roomId)).body.code).toBe('viewer_kicked');
  });

  test.each<[string, (fan: ViewerStory) => object, number, string]>([
    ['nobody', () => ({ viewerId: nobody }), 404, 'viewer_not_found'],
    ['a time of none', ({ viewer }) => ({ viewerId: viewer.id, seconds: 0 }), 400, 'seconds'],
    ['a time of more than a year', ({ viewer }) => ({ viewerId: viewer.id, seconds: 31_536_001 }), 400, 'seconds'],
    ['half a second', ({ viewer }) => ({ viewerId: viewer.id, seconds: 0.5 }), 400, 'seconds'],
    ['no viewer', () => ({ seconds: 1 }), 400, 'viewerId'],
  ])('of %s is refused', async (_, json, status, what) => {
    const fan = await guest(node);
    const answer = await host.client.call<Problem>('POST', `${v1}/rooms/${host.roomId}/kicks`, { json: json(fan) });
    expect(answer.status).toBe(status);
    const [error] = answer.body.errors ?? [];
    expect([answer.body.code, error?.field]).toContain(what);
    if (what === 'seconds' && error?.code === 'out_of_range') {
      expect(error.detail).toBe('must be from 1 to 31536000; without it 3600');
    }
  });
});

describe('a mute', () => {
  test('leaves a viewer free to tip, and says how long it may last', async () => {
    const host = await anchorWithOpenRoom(node);
    const fan = await guest(node);
    const mute = await restrain(host.client, 'mutes', host.roomId, { viewerId: fan.viewer.id, seconds: 600 });
    expect(mute).toMatchObject({ viewerId: fan.viewer.id, reason: null, by: 'anchor' });
    expect((await tip(fan, host.roomId)).status).toBe(201);
    expect(await listed(host.client, 'kicks', host.roomId)).toEqual([]);
    expect(await listed(host.client, 'mutes', host.roomId)).toEqual([mute]);
    await free(host.client, 'mutes', host.roomId, fan.viewer.id);
    expect(await listed(host.client, 'mutes', host.roomId)).toEqual([]);

    for (const seconds of [undefined, 0, 31_536_001]) {
      const answer = await host.client.call<Problem>('POST', `${v1}/rooms/${host.roomId}/mutes`, {
        json: { viewerId: fan.viewer.id, seconds },
      });
      expect(answer.status).toBe(400);
      expect(answer.body.errors?.[0]).toMatchObject({
        field: 'seconds',
        detail: seconds === undefined ? 'is required' : 'must be from 1 to 31536000',
      });
    }
  });
});

describe('kicks and mutes', () => {
  test('are listed page by page, newest first, and hold after a restart', async () => {
    const host = await anchorWithOpenRoom(node);
    const fans = await Promise.all(Array.from({ length: 5 }, () => guest(node)));
    for (const { viewer } of fans) {
      await restrain(host.client, 'kicks', host.roomId, { viewerId: viewer.id });
      await restrain(host.client, 'mutes', host.roomId, { viewerId: viewer.id, seconds: 600 });
    }
    const newestFirst = fans.map(({ viewer }) => viewer.id).toReversed();
    for (const what of ['kicks', 'mutes'] as const) {
      expect((await listed(host.client, what, host.roomId, 2)).map(({ viewerId }) => viewerId)).toEqual(newestFirst);
    }
    await node.restart();
    expect((await tip(fans[0] as ViewerStory, host.roomId)).body.code).toBe('viewer_kicked');
    expect((await listed(host.client, 'mutes', host.roomId)).length).toBe(5);
  });

  test('are for the room’s own anchor and for operators, whose changes are recorded', async () => {
    const host = await anchorWithOpenRoom(node);
    const other = await registeredAnchor(node);
    const fan = await registeredViewer(node);
    const asked: [Method, string, object?][] = [
      ['GET', 'kicks'],
      ['POST', 'kicks', { viewerId: fan.viewer.id }],
      ['DELETE', `kicks/${fan.viewer.id}`],
      ['GET', 'mutes'],
      ['POST', 'mutes', { viewerId: fan.viewer.id, seconds: 1 }],
      ['DELETE', `mutes/${fan.viewer.id}`],
    ];
    for (const [method, path, json] of asked) {
      for (const [client, roomId] of [[other.client, host.roomId], [fan.client, host.roomId], [host.client, nobody]] as const) {
        const answer = await client.call(method, `${v1}/rooms/${roomId}/${path}`, json === undefined ? {} : { json });
        expect(answer, `${method} ${path}`).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      }
      const answer = await admin.call(method, `${v1}/rooms/${nobody}/${path}`, json === undefined ? {} : { json });
      expect(answer).toMatchObject({ status: 404, body: { code: 'room_not_found' } });
    }

    const object = `kick of viewer ${fan.viewer.id} in room ${host.roomId}`;
    await restrain(host.client, 'kicks', host.roomId, { viewerId: fan.viewer.id, reason: 'shouts' });
    expect(await recorded(object), 'what an anchor does is no operator’s').toBeUndefined();
    await restrain(admin, 'kicks', host.roomId, { viewerId: fan.viewer.id, reason: 'swears' });
    expect(await recorded(object)).toMatchObject({ before: { reason: 'shouts', by: 'anchor' }, after: { reason: 'swears', by: 'operator' } });
    await free(admin, 'kicks', host.roomId, fan.viewer.id);
    expect(await recorded(object)).toMatchObject({ before: { reason: 'swears' }, after: null });
  });
});

describe('the numbers of a session', () => {
  test('are exact, with the best first and equal amounts at one rank', async () => {
    const host = await anchorWithOpenRoom(node);
    const fans = await Promise.all(Array.from({ length: 12 }, () => registeredViewer(node)));
    const given: { amount: number; name: string }[] = [];
    for (const [i, fan] of fans.entries()) {
      const amount = i < 2 ? 9_000 : 100 * (i + 1);
      for (const part of [amount - 10, 10]) await fan.client.sendTip(newTip(host.roomId, part));
      given.push({ amount, name: fan.viewer.name });
    }
    const wanted = { tips: 24, revenue: sumOf(given) };
    const seen = await waitUntil('the board has every tip', () => stats(host.client, host.roomId), ({ tips }) => tips === 24);
    expect(seen).toMatchObject({ ...wanted, sessionId: (await host.client.room(host.roomId)).sessionId, viewers: 0, joins: 0 });
    expect(seen.top?.map(({ rank, amount }) => [rank, amount])).toEqual([
      [1, 9_000], [1, 9_000], [3, 1_200], [4, 1_100], [5, 1_000], [6, 900], [7, 800], [8, 700], [9, 600], [10, 500],
    ]);
    for (const place of seen.top ?? []) expect(given).toContainEqual({ amount: place.amount, name: place.name });

    const openedAt = (await host.client.roomSessions(host.roomId)).items[0]?.openedAt;
    expect(seen.since).toBe(openedAt);
    await node.restart();
    expect(await stats(fans[0]?.client as Client, host.roomId), 'after a restart they are read again').toEqual(seen);
  });

  test('begin anew with the next session, and the last one is kept', async () => {
    const host = await anchorWithOpenRoom(node);
    const fan = await guest(node);
    await fan.client.sendTip(newTip(host.roomId, 300));
    await host.client.closeRoom(host.roomId);
    expect(await stats(fan.client, host.roomId)).toEqual({
      sessionId: null, since: null, viewers: 0, peakViewers: 0, joins: 0, chats: 0, tips: 0, revenue: 0, top: [],
    });
    await host.client.openRoom(host.roomId);
    expect(await stats(fan.client, host.roomId)).toMatchObject({ tips: 0, revenue: 0, top: [] });
    const [now, last] = (await fan.client.roomSessions(host.roomId)).items;
    expect(now).toMatchObject({ closedAt: null, tips: 0, peakViewers: 0 });
    expect(last).toMatchObject({ closedAt: expect.any(String), tips: 1, revenue: 300, peakViewers: 0, joins: 0, chats: 0 });
  });

  test('of a room that is not there are not there', async () => {
    for (const path of ['stats', 'stream', 'sessions']) {
      const answer = await admin.call('GET', `${v1}/rooms/${nobody}/${path}`);
      expect(answer).toMatchObject({ status: 404, body: { code: 'room_not_found' } });
    }
  });

  test('say honestly that there is no picture', async () => {
    const host = await registeredAnchor(node);
    expect((await host.client.ask('GET', `/rooms/${host.roomId}/stream`)).body).toEqual({ available: false });
  });
});

describe('the board', () => {
  test.each<[string, (name: string, id: number) => unknown]>([
    ['masked', (name) => [{ rank: 1, viewerId: null, name: `${name.slice(0, 1)}***`, amount: 100 }]],
    ['operators', () => null],
  ])('is shown as `%s` says; operators see it whole', async (policy, shown) => {
    const strict = await TipflowNode.start({ env: { TIPFLOW_AUDIENCE_LEADERBOARD: policy } });
    try {
      const host = await anchorWithOpenRoom(strict);
      const fan = await registeredViewer(strict);
      await fan.client.sendTip(newTip(host.roomId, 100));
      const { name, id } = fan.viewer;
      for (const { client } of [host, fan]) {
        expect(await stats(client, host.roomId)).toMatchObject({ tips: 1, revenue: 100, top: shown(name, id) });
      }
      expect((await stats(await strict.asAdmin(), host.roomId)).top).toEqual([{ rank: 1, viewerId: id, name, amount: 100 }]);
    } finally {
      await strict.dispose();
    }
  });
});

describe('what was said in a room', () => {
  test('is found by word, viewer and time, page by page; who came and spoke is counted and kept', async () => {
    const host = await anchorWithOpenRoom(node);
    const fans = [await registeredViewer(node), await registeredViewer(node)] as const;
    const seats = [await enter(node, fans[0], host.roomId), await enter(node, fans[1], host.roomId)] as const;
    const said = [[0, 'Hello 上海'], [1, 'hello'], [0, '好听！ 100%']] as const;
    for (const [who, text] of said) {
      seats[who].send({ type: 'chat', id: text, text });
      expect(await answerTo(seats[who], text)).toMatchObject({ type: 'ack' });
    }
    const found = (query: Record<string, string | number> = {}): Promise<Chat[]> =>
      admin.allPages<Chat>(`/rooms/${host.roomId}/chats`, { pageSize: 2, ...query });
    const all = await waitUntil('every line is kept', () => found(), ({ length }) => length === said.length);
    const { sessionId } = await host.client.room(host.roomId);
    expect(all).toEqual(
      said.toReversed().map(([who, text]) => {
        const { id, name } = fans[who].viewer;
        return { id: expect.any(Number), sessionId, viewerId: id, viewerName: name, text, at: expect.any(String) };
      }),
    );
    const texts = async (query: Record<string, string | number>): Promise<string[]> => (await found(query)).map(({ text }) => text);
    expect(await texts({ q: 'HELLO' })).toEqual(['hello', 'Hello 上海']);
    expect(await texts({ q: '0%' })).toEqual(['好听！ 100%']);
    expect(await texts({ viewerId: fans[1].viewer.id })).toEqual(['hello']);
    const second = all[1]?.at as string;
    expect(await texts({ to: second })).toEqual(['Hello 上海']);
    expect(await texts({ from: second, viewerId: fans[1].viewer.id, q: 'l' })).toEqual(['hello']);

    const counted = { peakViewers: 2, joins: 2, chats: 3 };
    await waitUntil('the numbers are told', () => stats(host.client, host.roomId), (seen) => seen.viewers === 2 && seen.chats === 3);
    expect(await stats(host.client, host.roomId)).toMatchObject(counted);
    expect((await host.client.room(host.roomId)).viewers).toBe(2);
    await host.client.closeRoom(host.roomId);
    expect((await host.client.roomSessions(host.roomId)).items[0]).toMatchObject({ closedAt: expect.any(String), ...counted });
    await waitUntil('everybody is out', () => Promise.resolve(seats.every(({ closed }) => closed)), (out) => out);

    // Nobody comes to the next one: it has nothing of the one before.
    const nothing = { peakViewers: 0, joins: 0, chats: 0 };
    await host.client.openRoom(host.roomId);
    expect(await stats(host.client, host.roomId)).toMatchObject({ viewers: 0, ...nothing });
    await host.client.closeRoom(host.roomId);
    const { items } = await host.client.roomSessions(host.roomId);
    expect(items.slice(0, 2)).toEqual([expect.objectContaining(nothing), expect.objectContaining(counted)]);
  });

  test('is for operators to search, and nothing where nobody spoke', async () => {
    const host = await anchorWithOpenRoom(node);
    const path = `${v1}/rooms/${host.roomId}/chats`;
    for (const client of [host.client, (await guest(node)).client]) {
      expect(await client.call('GET', path)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
    const answer = await admin.call('GET', path, { query: { q: 'hello', viewerId: 1, from: inMs(-1_000), to: inMs(0) } });
    expect(answer).toMatchObject({ status: 200, body: { items: [], nextPageToken: null } });
    expect(await admin.call('GET', `${v1}/rooms/${nobody}/chats`)).toMatchObject({ status: 404, body: { code: 'room_not_found' } });
    for (const query of [{ viewerId: 'x' }, { from: 'yesterday' }, { pageToken: 'x' }, { pageSize: 101 }] as const) {
      expect((await admin.call<Problem>('GET', path, { query })).body.errors?.[0]?.field).toBe(Object.keys(query)[0]);
    }
  });
});

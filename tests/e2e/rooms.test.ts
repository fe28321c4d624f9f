// Live rooms over WebSocket: who comes in, what they see, and what ends it.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from './support/client.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { everythingTold, parseAnswer } from './support/raw.ts';
import { amounts, answerTo, enter, farewell, pathOf, refused, tipIds, tokenOf, untilTips, untilTold } from './support/rooms.ts';
import {
  type AnchorStory,
  type ViewerStory,
  anchorWithOpenRoom,
  guest,
  newTip,
  password,
  registeredAnchor,
  registeredViewer,
  sumOf,
} from './support/stories.ts';
import { waitFor, waitUntil } from './support/wait.ts';
import { type Refusal, WebSocketClient, frameOf, textFrame } from './support/web_socket.ts';

const nobody = 999_999_999;
/** An action on open connections must act within this time. */
const soonMs = 1_000;
/** So soon is whoever logged out sent away. */
const loggedOutMs = 2_000;

let node: TipflowNode;
let admin: Client;
showOutputOnFailure(() => node);

beforeAll(async () => {
  node = await TipflowNode.start({ env: { TIPFLOW_ROOM_CHAT_BURST: '3' } });
  admin = await node.asAdmin();
});

afterAll(async () => node?.dispose());

const moderate = (host: AnchorStory, what: string, json: object): Promise<unknown> =>
  host.client.ask('POST', `/rooms/${host.roomId}/${what}`, { json });

describe('coming in', () => {
  let host: AnchorStory;
  let fan: ViewerStory;

  beforeAll(async () => {
    host = await anchorWithOpenRoom(node);
    fan = await registeredViewer(node);
  });

  test('is greeted with where the room stands', async () => {
    await fan.client.sendTip(newTip(host.roomId, 700));
    const viewer = await enter(node, fan, host.roomId);
    expect(await viewer.next('hello')).toEqual({
      type: 'hello',
      roomId: host.roomId,
      epoch: expect.any(String),
      offset: expect.any(Number),
      viewers: 1,
      revenue: 700,
      state: 'live',
      you: { muted: false },
    });
    viewer.drop();
  });

  test('takes a token from the query, a header, or out of sight as a subprotocol', async () => {
    const token = tokenOf(fan);
    const bare = { path: `/ws/rooms/${host.roomId}` };
    const byHeader = await WebSocketClient.enter(node.port, { ...bare, headers: { Authorization: `Bearer ${token}` } });
    const byProtocol = await WebSocketClient.enter(node.port, {
      ...bare,
      headers: { 'Sec-WebSocket-Protocol': `tipflow, ${token}` },
    });
    expect(byProtocol.protocol).toBe('tipflow');
    for (const client of [byHeader, byProtocol]) {
      await client.next('hello');
      client.drop();
    }
  });

  test('is refused with a problem document that says why', async () => {
    const token = tokenOf(fan);
    const closed = await registeredAnchor(node);
    const expected: [string, number, string][] = [
      [`/ws/rooms/${host.roomId}`, 401, 'unauthenticated'],
      [pathOf(host.roomId, `${token}x`), 401, 'unauthenticated'],
      [pathOf(nobody, token), 404, 'room_not_found'],
      [`/ws/rooms/x?token=${token}`, 404, 'room_not_found'],
      [pathOf(closed.roomId, token), 409, 'room_not_live'],
      [pathOf(host.roomId, token, '&since=-1&epoch=e'), 400, 'invalid_request'],
      [pathOf(host.roomId, token, '&since=1'), 400, 'invalid_request'],
    ];
    for (const [path, status, code] of expected) {
      const answer = await refused(node, path);
      expect({ path, status: answer.status, code: answer.body['code'] }).toEqual({ path, status, code });
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.headers['x-trace-id']).toMatch(/^[0-9a-f]{32}$/);
    }
  });

  test('refused, is answered in HTTP and told nothing behind that', async () => {
    const told = await everythingTold(node.port, [
      `GET /ws/rooms/${host.roomId} HTTP/1.1`,
      'Host: x',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ]);
    const answer = parseAnswer(told.toString());
    expect(answer).toMatchObject({ status: 401 });
    expect(told.subarray(told.indexOf('\r\n\r\n') + 4).toString()).toBe(answer?.body);
  });

  test('needs a WebSocket', async () => {
    const plain = await fan.client.call('GET', `/ws/rooms/${host.roomId}`);
    expect(plain).toMatchObject({ status: 426, body: { code: 'upgrade_required' } });
    const old = await refused(node, pathOf(host.roomId, tokenOf(fan)), { 'Sec-WebSocket-Version': '8' });
    expect(old).toMatchObject({ status: 426, headers: { 'sec-websocket-version': '13' } });
    expect((await fan.client.call('DELETE', `/ws/rooms/${host.roomId}`)).status).toBe(426);
  });

  test('in a storm is spread over time', async () => {
    const slow = await TipflowNode.start({ env: { TIPFLOW_ROOM_ADMIT_PER_SECOND: '1' } });
    try {
      const room = await anchorWithOpenRoom(slow);
      const token = tokenOf(await guest(slow));
      const answers = await Promise.all(
        Array.from({ length: 12 }, async () => WebSocketClient.open(slow.port, { path: pathOf(room.roomId, token) })),
      );
      const turnedAway = answers.filter((answer) => !(answer instanceof WebSocketClient)) as Refusal[];
      expect(turnedAway.length).toBeGreaterThanOrEqual(8);
      for (const { status, body } of turnedAway) {
        expect({ status, code: body['code'] }).toEqual({ status: 503, code: 'overloaded' });
      }
      const waits = new Set(turnedAway.map(({ headers }) => Number(headers['retry-after'])));
      expect(waits.size).toBeGreaterThanOrEqual(turnedAway.length - 2);
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(1);
    } finally {
      await slow.dispose();
    }
  });
});

describe('a tip', () => {
  test('is seen once by everybody in the room, and what they saw is what was acknowledged', async () => {
    const host = await anchorWithOpenRoom(node);
    const elsewhere = await anchorWithOpenRoom(node);
    const fans = [await registeredViewer(node), await guest(node)];
    const watching = await Promise.all(fans.map((fan) => enter(node, fan, host.roomId)));
    const neighbour = await enter(node, fans[0] as ViewerStory, elsewhere.roomId);
    const given = Array.from({ length: 60 }, (_, i) => newTip(host.roomId, 10 + i, { giftId: i % 3, count: 1 + (i % 5) }));
    const answers = await Promise.all(given.map((tip, i) => (fans[i % 2] as ViewerStory).client.sendTip(tip)));
    expect(answers.every(({ status }) => status === 201)).toBe(true);
    // Repeats are answered as before and shown to nobody again.
    await Promise.all(given.slice(0, 10).map((tip, i) => (fans[i % 2] as ViewerStory).client.sendTip(tip)));
    const last = await (fans[0] as ViewerStory).client.sendTip(newTip(host.roomId, 1_000, { message: '好听 "!"' }));
    const acknowledged = [...answers, last].map(({ body }) => body.tipId).toSorted((a, b) => a - b);
    for (const viewer of watching) {
      await untilTips(viewer, 61);
      expect(tipIds(viewer).toSorted((a, b) => a - b)).toEqual(acknowledged);
      expect(sumOf(amounts(viewer))).toBe(sumOf(given) + 1_000);
      expect(viewer.eventsOf('tip').at(-1)).toMatchObject({
        viewer: { id: fans[0]?.viewer.id, name: fans[0]?.viewer.name },
        giftId: 0,
        count: 1,
        amount: 1_000,
        message: '好听 "!"',
        combo: null,
      });
      await untilTold(viewer, 'revenue', sumOf(amounts(viewer)));
      viewer.drop();
    }
    expect(neighbour.eventsOf('tip')).toEqual([]);
    neighbour.drop();
  });

  test('with the same gift soon after another is shown as a combo', async () => {
    const host = await anchorWithOpenRoom(node);
    const fan = await guest(node);
    const viewer = await enter(node, fan, host.roomId);
    for (const count of [10, 20]) await fan.client.sendTip(newTip(host.roomId, 100, { giftId: 3, count }));
    await untilTips(viewer, 2);
    const [first, second] = viewer.eventsOf('tip');
    expect(first?.['combo']).toBeNull();
    expect(second?.['combo']).toEqual({ id: String(first?.['tipId']), count: 30 });
    viewer.drop();
  });

  test('puts its giver on the board', async () => {
    const host = await anchorWithOpenRoom(node);
    const fan = await registeredViewer(node);
    const viewer = await enter(node, fan, host.roomId);
    await fan.client.sendTip(newTip(host.roomId, 300));
    const top = await waitFor('the board is told', () => viewer.eventsOf('top').at(-1), { withinMs: 15_000 });
    expect(top['items']).toEqual([{ rank: 1, viewer: { id: fan.viewer.id, name: fan.viewer.name }, amount: 300 }]);
    viewer.drop();
  });
});

describe('the crowd', () => {
  test('is told in counts', async () => {
    const host = await anchorWithOpenRoom(node);
    const fans = await Promise.all(Array.from({ length: 5 }, async () => guest(node)));
    const first = await enter(node, fans[0] as ViewerStory, host.roomId);
    const others = await Promise.all(fans.slice(1).map((fan) => enter(node, fan, host.roomId)));
    const counted = (kind: string): number => first.eventsOf(kind).reduce((sum, each) => sum + Number(each['count']), 0);
    await waitFor('all joins are told', () => counted('join') === 5);
    for (const other of others) other.drop();
    await waitFor('all leaves are told', () => counted('leave') === 4);
    await untilTold(first, 'viewers', 1);
    first.drop();
  });
});

describe('chat', () => {
  let host: AnchorStory;
  let fan: ViewerStory;
  let speaker: WebSocketClient;
  let listener: WebSocketClient;

  beforeAll(async () => {
    host = await anchorWithOpenRoom(node);
    fan = await registeredViewer(node);
    speaker = await enter(node, fan, host.roomId);
    listener = await enter(node, await guest(node), host.roomId);
  });

  test('is acknowledged and seen by everybody', async () => {
    speaker.send({ type: 'chat', id: 'a', text: ' 你好 "all" ' });
    expect(await answerTo(speaker, 'a')).toEqual({ type: 'ack', id: 'a' });
    for (const viewer of [speaker, listener]) {
      const said = await waitFor('the chat arrives', () => viewer.eventsOf('chat')[0]);
      expect(said).toEqual({ kind: 'chat', viewer: { id: fan.viewer.id, name: fan.viewer.name }, text: '你好 "all"' });
    }
  });

  test('that cannot be shown is answered with what is wrong', async () => {
    const other = await enter(node, await guest(node), host.roomId);
    const wrong: [object, string][] = [
      [{ type: 'chat', id: 'b1', text: 'x'.repeat(201) }, 'invalid_request'],
      [{ type: 'chat', id: 'b2', text: '  ' }, 'invalid_request'],
      [{ type: 'chat', id: 'b3' }, 'invalid_request'],
      [{ type: 'sing', id: 'b4' }, 'invalid_request'],
    ];
    for (const [frame, code] of wrong) {
      other.send(frame);
      const { id } = frame as { id: string };
      expect(await answerTo(other, id)).toMatchObject({ type: 'error', id, code });
    }
    other.sendRaw(textFrame('not JSON'));
    expect(await other.next('error')).toBeDefined();
    await waitFor('the answer', () => other.of('error').some((each) => each['code'] === 'malformed_json'));
    other.send({ type: 'ping' });
    await other.next('pong');
    other.drop();
  });

  test('that comes too fast is held back', async () => {
    const other = await enter(node, await guest(node), host.roomId);
    for (let i = 0; i < 6; ++i) other.send({ type: 'chat', id: `c${i}`, text: `${i}` });
    const answers = await Promise.all(Array.from({ length: 6 }, async (_, i) => answerTo(other, `c${i}`)));
    expect(answers.slice(0, 3).map((each) => each['type'])).toEqual(['ack', 'ack', 'ack']);
    expect(answers.at(-1)).toMatchObject({ type: 'error', code: 'too_many_requests', retryAfter: expect.any(Number) });
    other.drop();
  });

  test('is for viewers', async () => {
    const anchor = await enter(node, host, host.roomId);
    anchor.send({ type: 'chat', id: 'd', text: 'hello' });
    expect(await answerTo(anchor, 'd')).toMatchObject({ type: 'error', code: 'forbidden' });
    anchor.drop();
  });

  test('ends for a viewer who is disabled, who may go on watching', async () => {
    const troll = await registeredViewer(node);
    const seat = await enter(node, troll, host.roomId);
    await admin.ask('POST', `/viewers/${troll.viewer.id}/disable`);
    seat.send({ type: 'chat', id: 'off', text: 'x' });
    expect(await answerTo(seat, 'off')).toMatchObject({ type: 'error', code: 'viewer_disabled' });
    expect(listener.eventsOf('chat').some((event) => event['text'] === 'x')).toBe(false);
    await admin.ask('POST', `/viewers/${troll.viewer.id}/enable`);
    seat.send({ type: 'chat', id: 'on', text: 'sorry' });
    expect(await answerTo(seat, 'on')).toMatchObject({ type: 'ack' });
    seat.drop();
  });

  test('ends for whom the anchor mutes, who may go on watching and tipping', async () => {
    await moderate(host, 'mutes', { viewerId: fan.viewer.id, seconds: 60 });
    const since = Date.now();
    await waitFor('the mute holds', async () => {
      const id = `m${Date.now()}`;
      speaker.send({ type: 'chat', id, text: 'x' });
      return (await answerTo(speaker, id))['code'] === 'viewer_muted';
    });
    expect(Date.now() - since).toBeLessThan(soonMs);
    const before = tipIds(speaker).length;
    await fan.client.sendTip(newTip(host.roomId, 10));
    await untilTips(speaker, before + 1);
    const again = await enter(node, fan, host.roomId);
    expect(again.of('hello')[0]).toMatchObject({ you: { muted: true } });
    again.drop();
    await host.client.ask('DELETE', `/rooms/${host.roomId}/mutes/${fan.viewer.id}`);
    await waitFor('the viewer may chat again', async () => {
      const id = `u${Date.now()}`;
      speaker.send({ type: 'chat', id, text: 'back' });
      return (await answerTo(speaker, id))['type'] === 'ack';
    }, { everyMs: 300 });
  });
});

describe('the end', () => {
  test('comes for whoever logs out, on every connection of that login and on no other', async () => {
    const host = await anchorWithOpenRoom(node);
    const fan = await registeredViewer(node);
    const elsewhere = fan.client.as(await fan.client.login('viewer', fan.viewer.name, password));
    const tabs = [await enter(node, fan, host.roomId), await enter(node, fan, host.roomId)];
    const other = await enter(node, { client: elsewhere }, host.roomId);
    await fan.client.logout();
    for (const tab of tabs) {
      expect(await farewell(tab, loggedOutMs)).toEqual({ type: 'bye', code: 'logged_out', retryAfter: null });
      expect(tab.closeCode).toBe(1008);
    }
    other.send({ type: 'ping' });
    await other.next('pong');
    other.drop();
  });

  test('comes at once for whom the anchor kicks, who cannot return before the time is over', async () => {
    const host = await anchorWithOpenRoom(node);
    const fan = await registeredViewer(node);
    const [tabs, other] = [
      [await enter(node, fan, host.roomId), await enter(node, fan, host.roomId)],
      await enter(node, await guest(node), host.roomId),
    ];
    await moderate(host, 'kicks', { viewerId: fan.viewer.id, seconds: 2 });
    for (const tab of tabs) {
      expect(await farewell(tab, soonMs)).toMatchObject({ code: 'kicked', retryAfter: expect.any(Number) });
      expect(tab.closeCode).toBe(1008);
    }
    const answer = await refused(node, pathOf(host.roomId, tokenOf(fan)));
    expect(answer).toMatchObject({ status: 403, body: { code: 'viewer_kicked' } });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(2);
    expect(other.closed).toBe(false);
    const back = await waitFor('the time is over', async () => {
      const opened = await WebSocketClient.open(node.port, { path: pathOf(host.roomId, tokenOf(fan)) });
      return opened instanceof WebSocketClient && opened;
    });
    await back.next('hello');
    back.drop();
    other.drop();
  });

  test('comes at once for all when the room closes', async () => {
    const host = await anchorWithOpenRoom(node);
    const viewer = await enter(node, await guest(node), host.roomId);
    await host.client.closeRoom(host.roomId);
    expect(await farewell(viewer, soonMs)).toEqual({ type: 'bye', code: 'closed', retryAfter: null });
    expect(viewer.eventsOf('state')).toEqual([{ kind: 'state', state: 'off' }]);
    expect(viewer.closeCode).toBe(1000);
  });

  test('comes at once for all when the room is banned', async () => {
    const host = await anchorWithOpenRoom(node);
    const fan = await guest(node);
    const viewer = await enter(node, fan, host.roomId);
    await admin.ask('POST', `/rooms/${host.roomId}/ban`, { json: { reason: 'test' } });
    expect(await farewell(viewer, soonMs)).toMatchObject({ code: 'banned' });
    const answer = await refused(node, pathOf(host.roomId, tokenOf(fan)));
    expect(answer.body['code']).toBe('room_banned');
  });

  test('of the node sends viewers elsewhere, spread over time', async () => {
    const leaving = await TipflowNode.start({ env: { TIPFLOW_ROOM_ADMIT_PER_SECOND: '10' } });
    const host = await anchorWithOpenRoom(leaving);
    const fan = await guest(leaving);
    const viewers: WebSocketClient[] = [];
    for (let i = 0; i < 20; ++i) viewers.push(await enter(leaving, fan, host.roomId));
    const stopped = leaving.stop();
    const byes = await Promise.all(viewers.map(async (viewer) => farewell(viewer, 5_000)));
    await stopped;
    expect(new Set(byes.map((bye) => bye['code']))).toEqual(new Set(['drain']));
    expect(new Set(byes.map((bye) => bye['retryAfter'])).size).toBeGreaterThan(1);
    expect(viewers.every((viewer) => viewer.closeCode === 1001)).toBe(true);
    await leaving.dispose();
  });
});

describe('who loses the connection', () => {
  /** Tips at a steady pace until it is told to stop; answers the ids of all that were acknowledged. */
  function traffic(fan: ViewerStory, roomId: number): { stop: () => Promise<number[]> } {
    let going = true;
    const ids: number[] = [];
    const run = (async () => {
      while (going) {
        const answers = await Promise.all(
          Array.from({ length: 5 }, () => fan.client.sendTip(newTip(roomId, 10, { message: 'x'.repeat(50) }))),
        );
        ids.push(...answers.map(({ body }) => body.tipId));
        await pause(20);
      }
    })();
    return {
      stop: async () => {
        going = false;
        await run;
        return ids;
      },
    };
  }

  /** Where a client stands: the offset of its last frame. */
  const place = (viewer: WebSocketClient): { since: number; epoch: string } => ({
    since: Number((viewer.of('events').at(-1) ?? viewer.of('hello')[0])?.['offset']),
    epoch: String(viewer.of('hello')[0]?.['epoch']),
  });

  test('for 10 s under traffic goes on without a gap or a repeat', async () => {
    const host = await anchorWithOpenRoom(node);
    const fan = await guest(node);
    const before = await enter(node, fan, host.roomId);
    const tips = traffic(fan, host.roomId);
    await untilTips(before, 20);
    before.drop();
    const { since, epoch } = place(before);
    await pause(10_000);
    const after = await enter(node, fan, host.roomId, `&since=${since}&epoch=${epoch}`);
    const first = await after.next('events');
    expect(after.of('hello')).toEqual([]);
    expect(Number(first['offset'])).toBe(since + (first['events'] as unknown[]).length);
    const acknowledged = await tips.stop();
    await waitUntil(
      'every tip was seen',
      async () => tipIds(before).length + tipIds(after).length,
      (seen) => seen >= acknowledged.length,
    );
    const seen = [...tipIds(before), ...tipIds(after)];
    expect(seen.toSorted((a, b) => a - b)).toEqual(acknowledged.toSorted((a, b) => a - b));
    after.drop();
  });

  test('for longer than is kept, or comes from elsewhere, starts afresh', async () => {
    const small = await TipflowNode.start({ env: { TIPFLOW_ROOM_RING_KIB: '4' } });
    try {
      const host = await anchorWithOpenRoom(small);
      const fan = await guest(small);
      const before = await enter(small, fan, host.roomId);
      const tips = traffic(fan, host.roomId);
      await untilTips(before, 5);
      const { since, epoch } = place(before);
      await untilTips(before, 200);
      await tips.stop();
      for (const query of [`&since=${since}&epoch=${epoch}`, '&since=0&epoch=other', `&since=999999&epoch=${epoch}`]) {
        const after = await enter(small, fan, host.roomId, query);
        expect(await after.next('hello')).toMatchObject({ epoch });
        expect(after.messages[0]?.['type']).toBe('hello');
        after.drop();
      }
    } finally {
      await small.dispose();
    }
  });
});

describe('who misbehaves', () => {
  test('by not reading is dropped, and others see everything', async () => {
    const busy = await TipflowNode.start({ env: { TIPFLOW_ROOM_SEND_BUFFER_KIB: '64' } });
    try {
      const host = await anchorWithOpenRoom(busy);
      const operator = await busy.asAdmin();
      const fan = await guest(busy);
      const reader = await enter(busy, fan, host.roomId);
      const sleeper = await enter(busy, await guest(busy), host.roomId);
      sleeper.socket.pause();
      const metric = async (name: string): Promise<number> => {
        const { bytes } = await busy.client().call('GET', '/metrics');
        return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(bytes.toString('utf8'))?.[1]);
      };
      let given = 0;
      await waitUntil(
        'the sleeper is dropped',
        async () => {
          await operator.sendBatch(
            Array.from({ length: 500 }, () => ({
              ...newTip(host.roomId, 1, { message: '好'.repeat(140) }),
              viewerId: fan.viewer.id,
            })),
          );
          given += 500;
          return metric('tipflow_room_slow_total');
        },
        (dropped) => dropped === 1,
        { withinMs: 45_000 },
      );
      await untilTips(reader, given);
      expect(new Set(tipIds(reader)).size).toBe(given);
      await waitUntil('only the reader is left', async () => metric('tipflow_room_connections'), (open) => open === 1);
      reader.drop();
      sleeper.drop();
    } finally {
      await busy.dispose();
    }
  });

  test('by breaking the protocol is closed with the code that says how, and nobody else notices', async () => {
    const host = await anchorWithOpenRoom(node);
    const fan = await guest(node);
    const bystander = await enter(node, fan, host.roomId);
    const rubbish: Record<string, [Buffer, number]> = {
      'a frame that is not masked': [frameOf(0x81, 'x', false), 1002],
      'a reserved bit': [frameOf(0xc1, 'x'), 1002],
      'an opcode that does not exist': [frameOf(0x83, 'x'), 1002],
      'a continuation of nothing': [frameOf(0x80, 'x'), 1002],
      'a ping in parts': [frameOf(0x09, 'x'), 1002],
      'a ping that is too long': [frameOf(0x89, 'x'.repeat(126)), 1002],
      'a close with half a code': [frameOf(0x88, 'x'), 1002],
      'a binary message': [frameOf(0x82, 'x'), 1003],
      'text that is not UTF-8': [frameOf(0x81, Buffer.from([0xc0, 0xaf])), 1007],
      'a message that is too long': [frameOf(0x81, 'x'.repeat(4_097)), 1009],
      'fragments that are too long together': [
        Buffer.concat([frameOf(0x01, 'x'.repeat(4_096)), frameOf(0x00, 'x')]),
        1009,
      ],
      'a length beyond all bounds': [Buffer.concat([Buffer.from([0x81, 0xff]), Buffer.alloc(8, 0x7f)]), 1009],
      'a flood of pings': [Buffer.concat(Array.from({ length: 200 }, () => frameOf(0x89, ''))), 1008],
      'a flood of empty fragments': [
        Buffer.concat([frameOf(0x01, ''), ...Array.from({ length: 200 }, () => frameOf(0x00, ''))]),
        1008,
      ],
    };
    for (const [what, [bytes, code]] of Object.entries(rubbish)) {
      const viewer = await enter(node, fan, host.roomId);
      viewer.sendRaw(bytes);
      await waitFor(`${what} is answered`, () => viewer.closed);
      expect({ what, code: viewer.closeCode }).toEqual({ what, code });
    }
    const polite = await enter(node, fan, host.roomId);
    polite.sendRaw(frameOf(0x88, Buffer.from([0x03, 0xe9])));
    await waitFor('the close is answered', () => polite.closed);
    expect(polite.closeCode).toBe(1001);
    await fan.client.sendTip(newTip(host.roomId, 5));
    await untilTips(bystander, 1);
    expect(bystander.closed).toBe(false);
    bystander.drop();
  });

  test('by cutting a frame anywhere does no harm', async () => {
    const host = await anchorWithOpenRoom(node);
    const viewer = await enter(node, await guest(node), host.roomId);
    const frame = textFrame('{"type":"ping"}');
    for (const byte of frame) {
      viewer.sendRaw(Buffer.from([byte]));
      await pause(2);
    }
    await viewer.next('pong');
    viewer.drop();
  });
});

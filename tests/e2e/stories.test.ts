// The main stories, as viewers, anchors and operators live them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkContract } from './support/contract.ts';
import { asHex, newTraceId, uuidv7 } from './support/ids.ts';
import type { Page, Room, Tip, Viewer } from './support/model.ts';
import { TipflowNode, adminPassword, showOutputOnFailure } from './support/node.ts';
import {
  anchorWithBalance,
  anchorWithOpenRoom,
  earned,
  guest,
  newAnchor,
  newTip,
  newViewer,
  password,
  registeredAnchor,
  registeredViewer,
  settledBooks,
  sumOf,
} from './support/stories.ts';
import { storesToTest } from './support/stores.ts';
import { waitUntil } from './support/wait.ts';

const nobody = 999_999_999;
const hourMs = 3_600_000;

describe.each(storesToTest())('on %s', (store) => {
  let node: TipflowNode;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start({ store });
  });

  afterAll(async () => node?.dispose());

  describe('a tip', () => {
    test("goes from register and login through the room to the anchor's payout", async () => {
      const anyone = node.client();
      const host = newAnchor({ region: '浙江 杭州', category: 'music', tags: ['音乐', '吉他'] });
      const anchor = await anyone.createAnchor(host);
      expect(anchor).toMatchObject({
        name: host.name,
        gender: 'female',
        age: 25,
        region: '浙江 杭州',
        tags: ['音乐', '吉他'],
      });
      expect(anchor.shareBp).toBeGreaterThan(0);
      expect(anchor.roomId).not.toBe(anchor.id);
      const anchorSession = await anyone.login('anchor', host.name, password);
      expect(anchorSession).toMatchObject({ kind: 'anchor', id: anchor.id, role: 'anchor' });
      expect(Date.parse(anchorSession.expiresAt)).toBeGreaterThan(Date.now() + 11 * hourMs);
      const asAnchor = anyone.as(anchorSession);
      expect((await asAnchor.openRoom(anchor.roomId)).state).toBe('live');

      const fan = newViewer({ tags: ['音乐'] });
      const viewer = await anyone.createViewer(fan);
      expect(viewer).toMatchObject({ kind: 'registered', name: fan.name, tier: 'none', state: 'active' });
      const asViewer = anyone.as(await anyone.login('viewer', fan.name, password));

      const traceId = uuidv7();
      const request = { traceId, roomId: anchor.roomId, amount: 5_200, giftId: 3, count: 10, message: '好听！' };
      const before = Date.now();
      const first = await asViewer.sendTip(request);
      expect(first.status).toBe(201);
      expect(first.body).toMatchObject({ traceId: asHex(traceId), status: 'created' });
      expect(Date.parse(first.body.acceptedAt)).toBeGreaterThanOrEqual(before - 1_000);
      expect(Date.parse(first.body.acceptedAt)).toBeLessThanOrEqual(Date.now() + 1_000);

      const again = await asViewer.sendTip(request);
      expect(again.status).toBe(200);
      expect(again.body).toEqual({ ...first.body, status: 'exists' });

      const tip: Tip = {
        ...request,
        traceId: asHex(traceId),
        tipId: first.body.tipId,
        acceptedAt: first.body.acceptedAt,
        anchorId: anchor.id,
        anchorName: host.name,
        viewerId: viewer.id,
        viewerName: fan.name,
      };
      for (const reader of [asViewer, asAnchor, await node.asAdmin()]) {
        expect(await reader.tip(traceId)).toEqual(tip);
        expect(await reader.tip(asHex(traceId))).toEqual(tip);
      }

      const journey = await waitUntil(
        'the tip is settled',
        () => asViewer.journey(traceId),
        (seen) => seen.settlement !== null,
      );
      expect(journey).toMatchObject({ traceId: asHex(traceId), tipId: first.body.tipId });
      expect(journey.steps.map((step) => step.step)).toEqual(['accepted', 'committed', 'pushed', 'settled', 'counted']);
      expect(journey.steps.slice(0, 4).map((step) => step.done)).toEqual([true, true, true, true]);
      expect(journey.steps[0]?.at).toBe(first.body.acceptedAt);
      const whole = await waitUntil(
        'the tip is counted',
        () => asViewer.journey(traceId),
        ({ steps }) => steps.every(({ done }) => done),
      );
      const instants = whole.steps.map(({ at }) => Date.parse(at ?? ''));
      expect(instants).toEqual(instants.toSorted((a, b) => a - b));
      expect(whole.hour).toBe(`${first.body.acceptedAt.slice(0, 13)}:00:00.000Z`);

      const settled = earned([request], anchor.shareBp ?? Number.NaN);
      const balance = { anchorId: anchor.id, settled, withdrawn: 0, reserved: 0, available: settled };
      expect(await asAnchor.balance(anchor.id)).toMatchObject(balance);

      const withdrawal = { traceId: uuidv7(), amount: 1_000 };
      const paid = await asAnchor.withdraw(anchor.id, withdrawal);
      expect(paid.status).toBe(201);
      expect(paid.body).toMatchObject({ traceId: asHex(withdrawal.traceId), amount: 1_000, state: 'paid' });
      expect(await asAnchor.withdrawal(withdrawal.traceId)).toEqual(paid.body);
      expect(await asAnchor.withdrawals(anchor.id)).toEqual([paid.body]);
      expect(await asAnchor.balance(anchor.id)).toMatchObject({
        ...balance,
        withdrawn: 1_000,
        available: settled - 1_000,
      });
    });

    test('without gift, count and message has none, one and none', async () => {
      const host = await anchorWithOpenRoom(node);
      const { client } = await guest(node);
      const tip = newTip(host.roomId, 1);
      await client.sendTip(tip);
      expect(await client.tip(tip.traceId)).toMatchObject({ amount: 1, giftId: 0, count: 1, message: null });
    });

    test('may be as large as the contract says', async () => {
      const host = await anchorWithOpenRoom(node);
      const { client } = await guest(node);
      const tip = newTip(host.roomId, 100_000_000, { giftId: 1_000_000, count: 9_999, message: '谢'.repeat(200) });
      await client.sendTip(tip);
      expect(await client.tip(tip.traceId)).toMatchObject(tip);
    });

    test('keeps a message as it was written, quotes, emoji and markup included', async () => {
      const host = await anchorWithOpenRoom(node);
      const { client } = await guest(node);
      const message = `'; DROP TABLE tip; -- "\\ %s <b>&amp;</b> 🎁 e\u0301`;
      const tip = newTip(host.roomId, 10, { message });
      await client.sendTip(tip);
      expect((await client.tip(tip.traceId)).message).toBe(message);
    });

    test('is accepted from a guest', async () => {
      const host = await anchorWithOpenRoom(node);
      const { viewer, client } = await guest(node);
      expect(viewer).toMatchObject({ kind: 'guest', name: `游客-${viewer.id}`, gender: 'unknown', age: null });
      expect((await client.sendTip(newTip(host.roomId, 660))).status).toBe(201);
    });

    test('can be given by viewers only', async () => {
      const host = await anchorWithOpenRoom(node);
      const forbidden = { status: 403, code: 'forbidden' };
      await expect(host.client.sendTip(newTip(host.roomId, 10))).rejects.toMatchObject(forbidden);
      await expect((await node.asAdmin()).sendTip(newTip(host.roomId, 10))).rejects.toMatchObject(forbidden);
    });
  });

  describe('lists of tips', () => {
    let host: Awaited<ReturnType<typeof anchorWithOpenRoom>>;
    let other: Awaited<ReturnType<typeof anchorWithOpenRoom>>;
    let fan: Awaited<ReturnType<typeof registeredViewer>>;
    let stranger: Awaited<ReturnType<typeof guest>>;
    const given: string[] = [];

    beforeAll(async () => {
      [host, other, fan, stranger] = await Promise.all([
        anchorWithOpenRoom(node),
        anchorWithOpenRoom(node),
        registeredViewer(node),
        guest(node),
      ]);
      for (let index = 0; index < 7; ++index) {
        const tip = newTip(index % 2 === 0 ? host.roomId : other.roomId, 100 + index);
        await fan.client.sendTip(tip);
        given.push(tip.traceId);
      }
      await stranger.client.sendTip(newTip(host.roomId, 50));
    });

    const ids = (tips: readonly Tip[]): string[] => tips.map((tip) => tip.traceId);

    test('come newest first and in pages that neither skip nor repeat', async () => {
      const pages: Tip[][] = [];
      let pageToken: string | undefined;
      do {
        const page: Page<Tip> = await fan.client.tips({ pageSize: 3, pageToken });
        pages.push(page.items);
        pageToken = page.nextPageToken ?? undefined;
      } while (pageToken !== undefined);

      expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
      expect(ids(pages.flat())).toEqual(given.toReversed());
    });

    test('keep their pages while new tips arrive', async () => {
      const first = await stranger.client.tips({ pageSize: 1 });
      await stranger.client.sendTip(newTip(other.roomId, 51));
      await stranger.client.sendTip(newTip(other.roomId, 52));
      const seen = new Set(ids(first.items));
      let pageToken = first.nextPageToken;
      while (pageToken !== null) {
        const page: Page<Tip> = await stranger.client.tips({ pageSize: 1, pageToken });
        for (const traceId of ids(page.items)) {
          expect(seen.has(traceId)).toBe(false);
          seen.add(traceId);
        }
        pageToken = page.nextPageToken;
      }
    });

    test('refuse page sizes and tokens that make no sense', async () => {
      for (const query of [{ pageSize: 0 }, { pageSize: 101 }, { pageSize: 'many' }, { pageToken: '!!not-a-token!!' }]) {
        await expect(fan.client.tips(query)).rejects.toMatchObject({
          status: 400,
          code: 'invalid_request',
          errors: [{ field: Object.keys(query)[0] }],
        });
      }
    });

    test('can be narrowed by room, anchor and time', async () => {
      expect(ids(await fan.client.allTips({ roomId: host.roomId }))).toHaveLength(4);
      expect(ids(await fan.client.allTips({ anchorId: other.anchor.id }))).toHaveLength(3);
      expect(ids(await fan.client.allTips({ roomId: host.roomId, anchorId: other.anchor.id }))).toEqual([]);

      const all = await fan.client.allTips();
      const from = all[4]?.acceptedAt ?? '';
      const to = all[1]?.acceptedAt ?? '';
      const within = all.filter((tip) => tip.acceptedAt >= from && tip.acceptedAt < to);
      expect(ids(await fan.client.allTips({ from, to }))).toEqual(ids(within));
    });

    test('show a viewer own tips, an anchor those of the own room, an operator all', async () => {
      const admin = await node.asAdmin();
      expect(ids(await fan.client.allTips()).sort()).toEqual(given.toSorted());
      expect(ids(await fan.client.allTips({ viewerId: fan.viewer.id })).sort()).toEqual(given.toSorted());
      const own = await host.client.allTips();
      expect(own).toHaveLength(5);
      expect(new Set(own.map((tip) => tip.anchorId))).toEqual(new Set([host.anchor.id]));
      expect(ids(await admin.allTips({ viewerId: fan.viewer.id })).sort()).toEqual(given.toSorted());
      expect(await admin.allTips({ roomId: host.roomId })).toEqual(own);
      expect(await fan.client.allPages<Tip>(`/viewers/${fan.viewer.id}/tips`)).toEqual(await fan.client.allTips());
    });

    test("do not show what is someone else's", async () => {
      const forbidden = { status: 403, code: 'forbidden' };
      await expect(stranger.client.tips({ viewerId: fan.viewer.id })).rejects.toMatchObject(forbidden);
      await expect(host.client.tips({ anchorId: other.anchor.id })).rejects.toMatchObject(forbidden);
      await expect(host.client.tips({ roomId: other.roomId })).rejects.toMatchObject(forbidden);
      await expect(stranger.client.allPages(`/viewers/${fan.viewer.id}/tips`)).rejects.toMatchObject(forbidden);

      const hidden = { status: 404, code: 'tip_not_found' };
      const traceId = given[0] as string;
      for (const reader of [stranger.client, other.client]) {
        await expect(reader.tip(traceId)).rejects.toMatchObject(hidden);
        await expect(reader.journey(traceId)).rejects.toMatchObject(hidden);
        await expect(reader.tip(newTraceId())).rejects.toMatchObject(hidden);
      }
    });
  });

  describe('a room', () => {
    test('opens and closes, and keeps a summary of each session', async () => {
      const host = await registeredAnchor(node);
      const fan = await guest(node);
      expect(await fan.client.room(host.roomId)).toMatchObject({
        anchorId: host.anchor.id,
        anchorName: host.anchor.name,
        state: 'off',
        sessionId: null,
      });

      const opened = await host.client.openRoom(host.roomId);
      expect(opened.state).toBe('live');
      expect(opened.sessionId).not.toBeNull();
      expect((await host.client.openRoom(host.roomId)).sessionId).toBe(opened.sessionId);

      const tips = [newTip(host.roomId, 300), newTip(host.roomId, 700)];
      for (const tip of tips) await fan.client.sendTip(tip);
      await waitUntil(
        'the room shows its revenue',
        () => fan.client.room(host.roomId),
        (room) => room.revenue === sumOf(tips),
      );
      const current = await host.client.roomSessions(host.roomId);
      expect(current.items).toHaveLength(1);
      expect(current.items[0]).toMatchObject({ id: opened.sessionId, roomId: host.roomId, closedAt: null });

      expect(await host.client.closeRoom(host.roomId)).toMatchObject({ state: 'off', sessionId: null, revenue: 0 });
      expect((await host.client.closeRoom(host.roomId)).state).toBe('off');
      const late = newTip(host.roomId, 10);
      await expect(fan.client.sendTip(late)).rejects.toMatchObject({ status: 409, code: 'room_not_live' });
      await expect(fan.client.tip(late.traceId)).rejects.toMatchObject({ code: 'tip_not_found' });

      const reopened = await host.client.openRoom(host.roomId);
      expect(reopened.sessionId).not.toBe(opened.sessionId);
      expect(reopened.revenue).toBe(0);
      const { items } = await waitUntil(
        'the first session has its summary',
        () => host.client.roomSessions(host.roomId),
        (page) => page.items[1]?.tips === tips.length,
      );
      expect(items.map((session) => session.id)).toEqual([reopened.sessionId, opened.sessionId]);
      expect(items[1]).toMatchObject({ tips: 2, revenue: 1_000 });
      expect(Date.parse(items[1]?.closedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(items[1]?.openedAt ?? ''));
    });

    test('is opened, closed and changed by its anchor and by no other', async () => {
      const host = await registeredAnchor(node);
      const other = await registeredAnchor(node);
      const fan = await guest(node);
      const forbidden = { status: 403, code: 'forbidden' };
      for (const client of [other.client, fan.client]) {
        await expect(client.openRoom(host.roomId)).rejects.toMatchObject(forbidden);
        await expect(client.closeRoom(host.roomId)).rejects.toMatchObject(forbidden);
        await expect(
          client.ask('PATCH', `/rooms/${host.roomId}`, { json: { title: 'mine now' } }),
        ).rejects.toMatchObject(forbidden);
      }

      const change = { title: '今晚点歌', category: 'music', tags: ['guitar'] };
      const { body } = await host.client.ask<Room>('PATCH', `/rooms/${host.roomId}`, { json: change });
      expect(body).toMatchObject(change);
      expect(await fan.client.room(host.roomId)).toMatchObject(change);
      expect((await (await node.asAdmin()).openRoom(host.roomId)).state).toBe('live');
    });

    test('is found by its state, category, tag and anchor', async () => {
      const category = asHex(uuidv7()).slice(0, 24);
      const live = await anchorWithOpenRoom(node, { category, tags: [`${category}-a`] });
      const off = await registeredAnchor(node, { category, tags: [`${category}-b`] });
      const { client } = await guest(node);
      const found = async (query: Record<string, string | number>): Promise<number[]> =>
        (await client.allPages<Room>('/rooms', query)).map((room) => room.id).sort((a, b) => a - b);

      expect(await found({ category })).toEqual([live.roomId, off.roomId].sort((a, b) => a - b));
      expect(await found({ category, state: 'live' })).toEqual([live.roomId]);
      expect(await found({ category, state: 'off' })).toEqual([off.roomId]);
      expect(await found({ tag: `${category}-b` })).toEqual([off.roomId]);
      expect(await found({ anchorId: live.anchor.id })).toEqual([live.roomId]);
    });
  });

  describe('an anchor', () => {
    test('is read and listed by anyone with a token, and changed by itself', async () => {
      const host = await registeredAnchor(node);
      const { client } = await guest(node);
      expect(await client.anchor(host.anchor.id)).toEqual(host.anchor);
      const listed = await client.allPages('/anchors', { q: host.anchor.name });
      expect(listed).toEqual([host.anchor]);

      const change = { region: '上海', tags: ['民谣'] };
      await host.client.ask('PATCH', `/anchors/${host.anchor.id}`, { json: change });
      expect(await client.anchor(host.anchor.id)).toEqual({ ...host.anchor, ...change });
      await expect(
        client.ask('PATCH', `/anchors/${host.anchor.id}`, { json: change }),
      ).rejects.toMatchObject({ status: 403, code: 'forbidden' });
    });

    test('is 18 or older and has a name of its own', async () => {
      const anyone = node.client();
      const taken = newAnchor();
      await anyone.createAnchor(taken);
      await expect(anyone.createAnchor(taken)).rejects.toMatchObject({ status: 409, code: 'name_taken' });
      await expect(anyone.createAnchor(newAnchor({ age: 17 }))).rejects.toMatchObject({
        status: 400,
        errors: [{ field: 'age', code: 'out_of_range' }],
      });
      // Names are unique among anchors and among viewers, not across both.
      await anyone.createViewer(newViewer({ name: taken.name }));
    });

    test('logs in with the new password after changing it, and not with the old one', async () => {
      const host = await registeredAnchor(node);
      await host.client.ask('PATCH', `/anchors/${host.anchor.id}`, { json: { password: 'another password' } });
      const anyone = node.client();
      expect((await anyone.login('anchor', host.anchor.name, 'another password')).id).toBe(host.anchor.id);
      await expect(anyone.login('anchor', host.anchor.name, password)).rejects.toMatchObject({
        status: 401,
        code: 'invalid_credentials',
      });
    });

    test('reads a statement by day and rate whose sums are the tips', async () => {
      const host = await anchorWithOpenRoom(node);
      const { client } = await guest(node);
      const tips = [newTip(host.roomId, 333), newTip(host.roomId, 667), newTip(host.roomId, 1)];
      for (const tip of tips) await client.sendTip(tip);
      await settledBooks(await node.asAdmin());

      const from = new Date(Date.now() - 24 * hourMs).toISOString();
      const to = new Date(Date.now() + hourMs).toISOString();
      const statement = await host.client.statement(host.anchor.id, { from, to });
      const sums = { tips: 3, amount: 1_001, anchorUnits: 1_001 * host.shareBp };
      expect(statement.total).toEqual(sums);
      expect(statement.anchorId).toBe(host.anchor.id);
      expect(new Set(statement.items.map((item) => item.shareBp))).toEqual(new Set([host.shareBp]));
      expect(statement.items.reduce((sum, item) => sum + item.amount, 0)).toBe(1_001);
      expect(Date.parse(statement.from)).toBeLessThanOrEqual(Date.parse(from));
      expect(Date.parse(statement.to)).toBeGreaterThanOrEqual(Date.parse(to));
      expect([Date.parse(statement.from) % hourMs, Date.parse(statement.to) % hourMs]).toEqual([0, 0]);

      const earlier = await host.client.statement(host.anchor.id, {
        from: new Date(Date.now() - 72 * hourMs).toISOString(),
        to: new Date(Date.now() - 48 * hourMs).toISOString(),
      });
      expect(earlier).toMatchObject({ items: [], total: { tips: 0, amount: 0, anchorUnits: 0 } });

      const long = { from: '2024-01-01T00:00:00.000Z', to: '2025-02-01T00:00:00.000Z' };
      await expect(host.client.statement(host.anchor.id, long)).rejects.toMatchObject({
        status: 422,
        code: 'range_too_long',
      });
    });

    test('sees the share rates of the past and the one announced, and which one is in force', async () => {
      const host = await registeredAnchor(node);
      const admin = await node.asAdmin();
      const later = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + hourMs).toISOString();
      const soon = await admin.setShareRate(host.anchor.id, { shareBp: 5_500 });
      await admin.setShareRate(host.anchor.id, { shareBp: 6_600, effectiveFrom: later });

      const history = await host.client.shareRates(host.anchor.id);
      expect(history[0]).toMatchObject({ shareBp: 6_600, effectiveFrom: later, inForce: false });
      expect(history[1]).toMatchObject({ shareBp: 5_500, effectiveFrom: soon.effectiveFrom });
      await waitUntil(
        'the new rate is in force',
        () => host.client.shareRates(host.anchor.id),
        (rates) => rates.find((rate) => rate.inForce)?.shareBp === 5_500,
      );
      expect((await host.client.anchor(host.anchor.id)).shareBp).toBe(5_500);
      await expect((await guest(node)).client.shareRates(host.anchor.id)).rejects.toMatchObject({
        status: 403,
        code: 'forbidden',
      });
    });
  });

  describe('a viewer', () => {
    test('is disabled and enabled by an operator, and may tip only while enabled', async () => {
      const host = await anchorWithOpenRoom(node);
      const fan = await registeredViewer(node);
      const admin = await node.asAdmin();
      const path = `/viewers/${fan.viewer.id}`;
      await expect(fan.client.ask('POST', `${path}/disable`)).rejects.toMatchObject({ status: 403, code: 'forbidden' });

      const disabled = await admin.ask<Viewer>('POST', `${path}/disable`);
      expect(disabled.body).toEqual({ ...fan.viewer, state: 'disabled' });
      const refused = newTip(host.roomId, 100);
      await expect(fan.client.sendTip(refused)).rejects.toMatchObject({ status: 409, code: 'viewer_disabled' });
      expect((await fan.client.viewer(fan.viewer.id)).state).toBe('disabled');
      expect((await node.client().login('viewer', fan.viewer.name, password)).id).toBe(fan.viewer.id);

      const enabled = await admin.ask<Viewer>('POST', `${path}/enable`);
      expect(enabled.body).toEqual(fan.viewer);
      expect((await fan.client.sendTip(refused)).status).toBe(201);
    });

    test('who came as a guest registers and keeps id, token and history', async () => {
      const host = await anchorWithOpenRoom(node);
      const visitor = await guest(node);
      const tip = newTip(host.roomId, 880);
      await visitor.client.sendTip(tip);

      const registration = newViewer({ gender: 'female', age: 31 });
      const { body } = await visitor.client.ask<Viewer>('POST', `/viewers/${visitor.viewer.id}/upgrade`, {
        json: registration,
      });
      expect(body).toMatchObject({
        id: visitor.viewer.id,
        kind: 'registered',
        name: registration.name,
        gender: 'female',
        age: 31,
        createdAt: visitor.viewer.createdAt,
      });
      const anyone = node.client();
      const session = await anyone.login('viewer', registration.name, password);
      expect(session.id).toBe(visitor.viewer.id);
      for (const client of [visitor.client, anyone.as(session)]) {
        expect((await client.allTips()).map((each) => each.traceId)).toEqual([tip.traceId]);
      }
      await expect(
        visitor.client.ask('POST', `/viewers/${visitor.viewer.id}/upgrade`, { json: newViewer() }),
      ).rejects.toMatchObject({ status: 409, code: 'not_a_guest' });
    });

    test('upgraded to an age under 18 may not tip', async () => {
      const host = await anchorWithOpenRoom(node);
      const visitor = await guest(node);
      await visitor.client.ask('POST', `/viewers/${visitor.viewer.id}/upgrade`, { json: newViewer({ age: 16 }) });
      await expect(visitor.client.sendTip(newTip(host.roomId, 10))).rejects.toMatchObject({
        status: 422,
        code: 'viewer_underage',
      });
    });

    test("changes own particulars and no one else's", async () => {
      const fan = await registeredViewer(node);
      const other = await registeredViewer(node);
      const change = { region: '北京', tags: ['音乐', '游戏'], age: 41 };
      const { body } = await fan.client.ask<Viewer>('PATCH', `/viewers/${fan.viewer.id}`, { json: change });
      expect(body).toEqual({ ...fan.viewer, ...change });
      expect(await fan.client.viewer(fan.viewer.id)).toEqual(body);

      const forbidden = { status: 403, code: 'forbidden' };
      await expect(other.client.viewer(fan.viewer.id)).rejects.toMatchObject(forbidden);
      await expect(other.client.viewer(nobody), 'unknown and forbidden look alike').rejects.toMatchObject(forbidden);
      await expect(
        other.client.ask('PATCH', `/viewers/${fan.viewer.id}`, { json: change }),
      ).rejects.toMatchObject(forbidden);
      await expect((await node.asAdmin()).viewer(nobody)).rejects.toMatchObject({
        status: 404,
        code: 'viewer_not_found',
      });
    });

    test('is found by operators, by a part of the name and by kind', async () => {
      const fan = await registeredViewer(node);
      const visitor = await guest(node);
      const admin = await node.asAdmin();
      expect(await admin.allPages('/viewers', { q: fan.viewer.name })).toEqual([fan.viewer]);
      expect(await admin.allPages('/viewers', { q: fan.viewer.name, kind: 'guest' })).toEqual([]);
      const guests = await admin.ask<Page<Viewer>>('GET', '/viewers', { query: { kind: 'guest', pageSize: 1 } });
      expect(guests.body.items).toEqual([visitor.viewer]);
      await expect(fan.client.ask('GET', '/viewers')).rejects.toMatchObject({ status: 403, code: 'forbidden' });
    });
  });

  describe('a session', () => {
    test('gives the same answer for an unknown name and a wrong password', async () => {
      const fan = await registeredViewer(node);
      const anyone = node.client();
      const answers = [];
      for (const [name, secret] of [
        [fan.viewer.name, 'not the password'],
        ['nobody by this name', password],
      ] as const) {
        const { status, body } = await anyone.call<Record<string, unknown>>('POST', '/api/v1/auth/login', {
          json: { kind: 'viewer', name, password: secret },
        });
        answers.push({ status, ...body, traceId: '' });
      }
      expect(answers[0]).toMatchObject({ status: 401, code: 'invalid_credentials' });
      expect(answers[1]).toEqual(answers[0]);
    });

    test('of an admin has the role admin and ends within the hour', async () => {
      const session = await node.client().login('operator', 'admin', adminPassword);
      expect(session).toMatchObject({ kind: 'operator', role: 'admin' });
      expect(Date.parse(session.expiresAt)).toBeLessThanOrEqual(Date.now() + hourMs + 5_000);
    });

    test('is over at logout; other sessions of the same person go on', async () => {
      const host = await anchorWithOpenRoom(node);
      const fan = await registeredViewer(node);
      const anyone = node.client();
      const second = anyone.as(await anyone.login('viewer', fan.viewer.name, password));
      await fan.client.logout();

      const dead = { status: 401, code: 'unauthenticated' };
      await expect(fan.client.viewer(fan.viewer.id)).rejects.toMatchObject(dead);
      await expect(fan.client.sendTip(newTip(host.roomId, 10))).rejects.toMatchObject(dead);
      await expect(fan.client.logout()).rejects.toMatchObject(dead);
      expect((await second.viewer(fan.viewer.id)).id).toBe(fan.viewer.id);
    });

    test('lives through a restart of the node, and a dead one stays dead', async () => {
      const fan = await registeredViewer(node);
      const gone = await registeredViewer(node);
      await gone.client.logout();
      await node.restart();

      expect((await fan.client.viewer(fan.viewer.id)).id).toBe(fan.viewer.id);
      await expect(gone.client.viewer(gone.viewer.id)).rejects.toMatchObject({ status: 401, code: 'unauthenticated' });
    });
  });

  describe('the books', () => {
    test('agree to the fen: tips, ledger, lanes and every invariant', async () => {
      const before = await settledBooks(await node.asAdmin());
      const host = await anchorWithBalance(node, 50_000);
      const fan = await guest(node);
      const tips = Array.from({ length: 25 }, (_, index) => newTip(host.roomId, 17 * (index + 1)));
      for (const tip of tips) await fan.client.sendTip(tip);

      const admin = await node.asAdmin();
      const books = await settledBooks(admin);
      expect(books.difference).toEqual({ count: 0, amount: 0 });
      expect(books.tips.count).toBe(before.tips.count + tips.length + 1);
      expect(books.lanes.reduce((sum, lane) => sum + lane.tips, 0)).toBe(books.tips.count);
      for (const lane of books.lanes) expect(lane.ledger).toBe(lane.tips);
      expect(books.invariants.length).toBeGreaterThan(0);
      for (const invariant of books.invariants) expect(invariant).toMatchObject({ holds: true, figure: 0 });

      const all = await admin.allTips();
      expect(books.tips).toEqual({ count: all.length, amount: sumOf(all) });
    });

    test('hold in the audit, which prints each invariant with its figures', async () => {
      const audit = await node.audit();
      expect(audit.code, audit.output).toBe(0);
      for (const invariant of ['I4', 'I5', 'I6', 'I7', 'I9']) expect(audit.output).toMatch(new RegExp(`\\b${invariant}\\b`));
    });

    test('are open to operators only', async () => {
      const host = await registeredAnchor(node);
      await expect(host.client.reconciliation()).rejects.toMatchObject({ status: 403, code: 'forbidden' });
    });

    test('and the sessions survive an orderly stop, which ends with 0', async () => {
      const admin = await node.asAdmin();
      const { asOf: _then, lanes: _lanesThen, ...before } = await settledBooks(admin);
      await node.restart();
      const { asOf: _now, lanes: _lanesNow, ...after } = await settledBooks(admin);
      expect(after).toEqual(before);
    });
  });

  checkContract();
});

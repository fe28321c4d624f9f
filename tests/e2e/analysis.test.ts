// Who tips, when, whom: every cell, total, rank and tier equals what the test counts itself; a round that is killed
// leaves the old one, and nobody ever sees parts of two.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from './support/client.ts';
import type { BatchTip, Tip, Viewer } from './support/model.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { randomFor } from './support/random.ts';
import {
  type AnchorStory,
  type ViewerStory,
  anchorWithOpenRoom,
  guest,
  newTip,
  registeredViewer,
  settledBooks,
} from './support/stories.ts';
import { storesToTest } from './support/stores.ts';
import { inParallel, waitFor, waitUntil } from './support/wait.ts';

const random = randomFor('analysis');
const kills = Number(process.env['TIPFLOW_E2E_KILLS'] ?? 6);
/** So many that a round takes long enough to be killed in its middle. */
const crowd = 2_000;
const hourMs = 3_600_000;
const shanghaiMs = 8 * hourMs;

interface Sum {
  amount: number;
  tips: number;
}
interface Item extends Sum {
  hour?: string;
  anchorId?: number;
  anchorName?: string | null;
  anchorGender?: string;
  viewerGender?: string;
}
interface Hourly {
  items: Item[];
  total: Sum;
  asOf: string | null;
}
interface Portrait {
  viewerId: number;
  name: string;
  total: number;
  tips: number;
  rank: number | null;
  topFraction: number | null;
  tier: string;
  tags: string[];
  round: number | null;
  updatedAt: string | null;
  stale?: boolean;
}
interface Round {
  round: number;
  startedAt: string;
  tips: number | null;
  viewers: number | null;
  publishedAt: string | null;
}
/** A tip with what was known of both sides when it was given. */
interface Given {
  tip: Tip;
  anchorGender: string;
  viewerGender: string;
}

const analysis = '/analysis';
const allGroups = ['hour', 'anchor', 'anchorGender', 'viewerGender'] as const;
type Group = (typeof allGroups)[number];

const subsets = <T>(all: readonly T[]): T[][] =>
  all.reduce<T[][]>((sets, each) => [...sets, ...sets.map((set) => [...set, each])], [[]]);

const hourOf = (tip: Tip): string =>
  new Date(Math.floor(Date.parse(tip.acceptedAt) / hourMs) * hourMs).toISOString();

/** The rule, written down a second time, in whole numbers: ties share a rank; 20 and 80 of a hundred are the borders. */
function ranking(totals: ReadonlyMap<number, bigint>): Map<number, { rank: number; tier: string }> {
  const viewers = BigInt(totals.size);
  return new Map(
    [...totals].map(([viewer, total]) => {
      const above = BigInt([...totals.values()].filter((other) => other > total).length);
      const tier = above * 100n < viewers * 20n ? 'high' : above * 100n < viewers * 80n ? 'middle' : 'low';
      return [viewer, { rank: Number(above) + 1, tier }];
    }),
  );
}

describe.each(storesToTest())('analysis on %s', (store) => {
  let node: TipflowNode;
  let admin: Client;
  let hosts: AnchorStory[];
  let fans: ViewerStory[];
  const others: ViewerStory[] = [];
  let given: Given[] = [];
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start({
      store,
      env: { TIPFLOW_JOBS_HOURLY_SECONDS: '1', TIPFLOW_JOBS_ROUND_SECONDS: '86400' },
    });
    admin = await node.asAdmin();
    hosts = await Promise.all(
      ['female', 'male', 'unknown', 'female'].map((gender) => anchorWithOpenRoom(node, { gender })),
    );
    fans = await Promise.all([
      ...['male', 'female', 'unknown', 'male'].map((gender) => registeredViewer(node, { gender, tags: ['音乐', gender] })),
      ...Array.from({ length: 8 }, () => guest(node)),
    ]);
  });

  afterAll(async () => node?.dispose());

  /** Tips of some viewers, through the batch route; back when they are settled. `given` then holds all there are. */
  async function tip(count: number, makers: readonly ViewerStory[] = fans): Promise<void> {
    const tips = Array.from(
      { length: count },
      (): BatchTip => ({
        ...newTip(random.pick(hosts).roomId, random.integer(1, 99_999)),
        viewerId: random.pick(makers).viewer.id,
      }),
    );
    for (const result of await admin.sendBatch(tips)) expect(result.status).toBe('created');
    await settledBooks(admin);
    const genders = new Map([...fans, ...others].map(({ viewer }) => [viewer.id, viewer.gender]));
    given = (await admin.allTips()).map((each) => ({
      tip: each,
      anchorGender: hosts.find(({ anchor }) => anchor.id === each.anchorId)?.anchor.gender ?? '?',
      viewerGender: genders.get(each.viewerId) ?? '?',
    }));
  }

  const ask = async <T>(path: string, query: Record<string, string | number | undefined> = {}): Promise<T> =>
    (await admin.ask<T>('GET', analysis + path, { query })).body;

  /** The range that holds every tip, widely. */
  const range = (): { from: string; to: string } => ({
    from: new Date(Date.now() - 40 * hourMs).toISOString(),
    to: new Date(Date.now() + 2 * hourMs).toISOString(),
  });

  async function counted(): Promise<Hourly> {
    return waitUntil(
      'every tip is counted',
      () => ask<Hourly>('/hourly', { ...range(), groupBy: '' }),
      (hourly) => hourly.total.tips >= given.length,
    );
  }

  const totals = (tips: readonly Given[] = given): Map<number, bigint> => {
    const sums = new Map<number, bigint>();
    for (const { tip: each } of tips) sums.set(each.viewerId, (sums.get(each.viewerId) ?? 0n) + BigInt(each.amount));
    return sums;
  };

  /** Asks for a round and waits until it, or one that began later, is published. */
  async function round(): Promise<Round> {
    const { body: asked, status } = await admin.ask<{ requestedAt: string }>('POST', `${analysis}/rounds`);
    expect(status).toBe(202);
    return publishedSince(asked.requestedAt);
  }
  async function publishedSince(instant: string): Promise<Round> {
    return waitFor(
      'the round is published',
      async () => {
        const { items } = await ask<{ items: Round[] }>('/rounds');
        return items.find(({ startedAt, publishedAt }) => publishedAt !== null && startedAt >= instant);
      },
      { withinMs: 30_000 },
    );
  }

  const newest = async (): Promise<Round> => (await ask<{ items: Round[] }>('/rounds', { pageSize: 1 })).items[0] as Round;
  const portrait = (viewer: number): Promise<Portrait> => ask<Portrait>(`/viewers/${viewer}/portrait`);

  /** Every portrait equals the test's own ranking of what was given. */
  async function expectPortraits(current: Round): Promise<void> {
    const sums = totals();
    const ranks = ranking(sums);
    for (const { viewer } of fans) {
      const { total, tips, rank, tier, round: number, topFraction } = await portrait(viewer.id);
      const own = ranks.get(viewer.id);
      expect({ total: BigInt(total), rank, tier, number }, `viewer ${viewer.id}`).toEqual({
        total: sums.get(viewer.id) ?? 0n,
        rank: own?.rank ?? null,
        tier: own?.tier ?? 'none',
        number: current.round,
      });
      expect(tips).toBe(given.filter(({ tip: each }) => each.viewerId === viewer.id).length);
      if (own !== undefined) expect(topFraction).toBeCloseTo((own.rank - 1) / sums.size, 12);
    }
  }

  test('knows of no tips before the first one, and says so', async () => {
    const fan = fans[0] as ViewerStory;
    const first = await round();
    expect(first).toMatchObject({ viewers: 0, tips: 0 });
    expect(await portrait(fan.viewer.id)).toMatchObject({ tier: 'none', rank: null, round: first.round, total: 0 });
    expect(await ask('/hourly')).toMatchObject({ items: [], total: { amount: 0, tips: 0 } });
    expect(await ask('/hourly', { groupBy: '' })).toMatchObject({ items: [{ amount: 0, tips: 0 }] });
    expect(await ask('/metrics')).toMatchObject({ payingViewers: 0, averagePerViewer: null, repeatRate: null });
  });

  test('every cell of the cube, by any groups and filters, is the sum of its tips', async () => {
    await tip(300, fans.slice(0, -1));
    await counted();
    const filters: { query: Record<string, string | number>; holds: (each: Given) => boolean }[] = [
      { query: {}, holds: () => true },
      { query: { anchorId: hosts[1]?.anchor.id ?? 0 }, holds: (each) => each.tip.anchorId === hosts[1]?.anchor.id },
      { query: { anchorGender: 'female' }, holds: (each) => each.anchorGender === 'female' },
      {
        query: { viewerGender: 'unknown', anchorGender: 'male' },
        holds: (each) => each.viewerGender === 'unknown' && each.anchorGender === 'male',
      },
    ];
    const valueOf: Record<Group, (each: Given) => string> = {
      hour: ({ tip: each }) => hourOf(each),
      anchor: ({ tip: each }) => String(each.anchorId),
      anchorGender: (each) => each.anchorGender,
      viewerGender: (each) => each.viewerGender,
    };
    const shownAs: Record<Group, (item: Item) => string | undefined> = {
      hour: (item) => item.hour,
      anchor: (item) => item.anchorId?.toString(),
      anchorGender: (item) => item.anchorGender,
      viewerGender: (item) => item.viewerGender,
    };
    for (const groups of subsets(allGroups)) {
      for (const { query, holds } of filters) {
        const expected = new Map<string, { amount: bigint; tips: number }>();
        if (groups.length === 0) expected.set('', { amount: 0n, tips: 0 });
        for (const each of given.filter(holds)) {
          const key = groups.map((group) => valueOf[group](each)).join(' ');
          const sum = expected.get(key) ?? { amount: 0n, tips: 0 };
          expected.set(key, { amount: sum.amount + BigInt(each.tip.amount), tips: sum.tips + 1 });
        }
        const { items, total } = await ask<Hourly>('/hourly', { ...range(), ...query, groupBy: groups.join(',') });
        const shown = new Map(
          items.map((item) => [
            groups.map((group) => shownAs[group](item)).join(' '),
            { amount: BigInt(item.amount), tips: item.tips },
          ]),
        );
        expect(shown, `by ${groups.join(',')} of ${JSON.stringify(query)}`).toEqual(expected);
        expect(items.length).toBe(expected.size);
        for (const item of items) {
          for (const group of allGroups) if (!groups.includes(group)) expect(item).not.toHaveProperty(group === 'anchor' ? 'anchorId' : group);
          const host = hosts.find(({ anchor }) => anchor.id === item.anchorId);
          expect(item.anchorName).toBe(host?.anchor.name);
        }
        const sum = [...expected.values()].reduce((all, each) => all + each.amount, 0n);
        expect(BigInt(total.amount)).toBe(sum);
      }
    }
  });

  test('figures, ranking, summary, trend, heatmap and retention are sums of the same tips', async () => {
    const all = await counted();
    const amount = given.reduce((sum, { tip: each }) => sum + BigInt(each.amount), 0n);
    const units = given.reduce((sum, { tip: each }) => {
      const host = hosts.find(({ anchor }) => anchor.id === each.anchorId) as AnchorStory;
      return sum + BigInt(each.amount) * BigInt(host.shareBp);
    }, 0n);
    const localDay = (at: string): string => new Date(Date.parse(at) + shanghaiMs).toISOString().slice(0, 10);
    const days = new Map<string, Set<number>>();
    for (const { tip: each } of given) {
      const day = localDay(hourOf(each));
      days.set(day, (days.get(day) ?? new Set()).add(each.viewerId));
    }
    const viewers = totals().size;
    const repeat = [...totals().keys()].filter((id) => [...days.values()].filter((set) => set.has(id)).length > 1).length;
    expect(await ask('/metrics', range())).toMatchObject({
      tips: given.length,
      revenue: Number(amount),
      anchorUnits: Number(units),
      platformUnits: Number(amount * 10_000n - units),
      payingViewers: viewers,
      averagePerViewer: Number(amount / BigInt(viewers)),
      repeatViewers: repeat,
      repeatRate: repeat / viewers,
    });

    const ofHost = (id: number): Given[] => given.filter(({ tip: each }) => each.anchorId === id);
    const sumOf = (tips: Given[]): number => tips.reduce((sum, { tip: each }) => sum + each.amount, 0);
    const ranked = hosts.map(({ anchor }) => ({ id: anchor.id, amount: sumOf(ofHost(anchor.id)) }));
    ranked.sort((a, b) => b.amount - a.amount);
    const ranks = await ask<{ items: { anchorId: number; amount: number; rank: number }[]; anchors: number; total: Sum }>(
      '/anchors/ranking',
      { ...range(), limit: 3 },
    );
    expect(ranks.items.map(({ anchorId, amount: sum }) => ({ id: anchorId, amount: sum }))).toEqual(ranked.slice(0, 3));
    expect(ranks.items.map((each) => each.rank)).toEqual([1, 2, 3]);
    expect(ranks).toMatchObject({ anchors: ranked.length, total: all.total });

    const best = hosts.find(({ anchor }) => anchor.id === ranked[0]?.id) as AnchorStory;
    const { body: summary } = await best.client.ask<Record<string, unknown>>(
      'GET',
      `${analysis}/anchors/${best.anchor.id}/summary`,
      { query: range() },
    );
    expect(summary).toMatchObject({
      anchorName: best.anchor.name,
      amount: ranked[0]?.amount,
      tips: ofHost(best.anchor.id).length,
      rank: 1,
      anchors: ranked.length,
      before: { amount: 0, tips: 0 },
    });

    for (const step of ['hour', 'day']) {
      const trend = await ask<{ items: ({ at: string; day: string | null; payingViewers: number | null } & Sum)[] }>(
        '/trend',
        { ...range(), step },
      );
      expect(trend.items.length).toBeGreaterThan(step === 'hour' ? 40 : 1);
      for (const [index, item] of trend.items.entries()) {
        const end = trend.items[index + 1]?.at ?? '9999';
        const inside = given.filter(({ tip: each }) => each.acceptedAt >= item.at && each.acceptedAt < end);
        expect({ amount: item.amount, tips: item.tips }, item.at).toEqual({ amount: sumOf(inside), tips: inside.length });
        if (step === 'day') expect(item.payingViewers).toBe(new Set(inside.map(({ tip: each }) => each.viewerId)).size);
      }
    }

    const heat = await ask<{ items: ({ weekday: number; hour: number } & Sum)[]; timeZone: string }>('/heatmap', range());
    expect(heat.timeZone).toBe('Asia/Shanghai');
    expect(heat.items.length).toBe(168);
    const expected = new Map<string, number>();
    for (const { tip: each } of given) {
      const local = new Date(Date.parse(each.acceptedAt) + shanghaiMs);
      const key = `${local.getUTCDay() === 0 ? 7 : local.getUTCDay()} ${local.getUTCHours()}`;
      expected.set(key, (expected.get(key) ?? 0) + each.amount);
    }
    for (const item of heat.items) expect(item.amount).toBe(expected.get(`${item.weekday} ${item.hour}`) ?? 0);

    const retention = await ask<{ items: { day: string; viewers: number; returned: number[] }[]; stepDays: number }>(
      '/retention',
      range(),
    );
    expect(retention.stepDays).toBe(1);
    for (const [index, item] of retention.items.entries()) {
      const own = days.get(item.day) ?? new Set();
      expect(item.viewers).toBe(own.size);
      const later = retention.items.slice(index + 1).map(({ day }) => days.get(day) ?? new Set<number>());
      expect(item.returned).toEqual(later.map((set) => [...set].filter((id) => own.has(id)).length));
    }
  });

  test('a round ranks everyone by the rule, and both roles show the same portrait', async () => {
    const current = await round();
    expect(current).toMatchObject({ tips: given.length, viewers: totals().size });
    await expectPortraits(current);

    const ranks = ranking(totals());
    const tiers = await ask<{ items: { tier: string; viewers: number; total: number; least: number; most: number }[] }>(
      '/tiers',
    );
    expect(tiers.items.map((each) => each.tier)).toEqual(['high', 'middle', 'low']);
    for (const { tier, viewers, total, least, most } of tiers.items) {
      const own = [...totals()].filter(([id]) => ranks.get(id)?.tier === tier).map(([, sum]) => sum);
      expect(viewers, tier).toBe(own.length);
      expect(BigInt(total)).toBe(own.reduce((sum, each) => sum + each, 0n));
      expect(own.every((sum) => sum >= BigInt(least) && sum <= BigInt(most))).toBe(true);
    }

    const fan = fans[0] as ViewerStory;
    const path = `/viewers/${fan.viewer.id}`;
    const { body: here } = await fan.client.ask<Portrait>('GET', `${path}/portrait`);
    const { body: there } = await fan.client.ask<Portrait>('GET', `${analysis}${path}/portrait`);
    expect(here).toEqual({ ...there, stale: false });
    expect(here).toMatchObject({ name: fan.viewer.name, tags: fan.viewer.tags });
    const { body: viewer } = await fan.client.ask<Viewer>('GET', path);
    expect(viewer.tier).toBe(here.tier);
    const listed = await admin.allPages<Viewer>('/viewers', {});
    for (const { id, tier } of listed) expect(tier).toBe(ranks.get(id)?.tier ?? 'none');
    const chinese = await fan.client.call<{ description: string }>('GET', `/api/v1${path}/portrait`, {
      headers: { 'accept-language': 'zh' },
    });
    expect(chinese.body.description).toMatch(/观众|打赏/);
  });

  test('nobody sees parts of two rounds while rounds come and go', async () => {
    const seen: Portrait[] = [];
    const wanted = new Map<number, Map<number, bigint>>();
    let running = true;
    let last = 0;
    const readers = fans.slice(0, 6).map(async ({ viewer }) => {
      while (running) {
        const now = await portrait(viewer.id);
        expect(now.round ?? 0, 'rounds do not go back').toBeGreaterThanOrEqual(Math.min(last, now.round ?? 0));
        last = Math.max(last, now.round ?? 0);
        seen.push(now);
      }
    });
    const before = await ask<{ items: Round[] }>('/rounds');
    wanted.set(before.items[0]?.round ?? 0, totals());
    try {
      for (let i = 0; i < 6; ++i) {
        await tip(40);
        wanted.set((await round()).round, totals());
      }
    } finally {
      running = false;
      await Promise.all(readers);
    }
    expect(new Set(seen.map((each) => each.round)).size, 'several rounds were seen').toBeGreaterThan(2);
    const rankings = new Map([...wanted].map(([number, sums]) => [number, ranking(sums)]));
    for (const { round: number, viewerId, total, rank, tier } of seen) {
      const own = rankings.get(number ?? 0)?.get(viewerId);
      expect({ total: BigInt(total), rank, tier }, `viewer ${viewerId} in round ${number}`).toEqual({
        total: wanted.get(number ?? 0)?.get(viewerId) ?? 0n,
        rank: own?.rank ?? null,
        tier: own?.tier ?? 'none',
      });
    }
    console.log(`analysis on ${store}: ${seen.length} portraits of ${wanted.size} rounds`);
  });

  test('a node killed during rounds shows the old one, and ends up exact', { timeout: 60_000 + kills * 20_000 }, async () => {
    const guests = await inParallel(Array.from({ length: crowd }), 16, () => guest(node));
    fans.push(...guests.slice(0, 3));
    others.push(...guests.slice(3));
    await tip(1_000, guests);
    await tip(1_000, guests);
    for (let kill = 0; kill < kills; ++kill) {
      await tip(50);
      const { body: asked } = await admin.ask<{ requestedAt: string; currentRound: number }>('POST', `${analysis}/rounds`);
      // The instant of the kill is the point: anywhere, or as soon as a round is seen to be under way.
      if (kill % 2 === 0) await pause(random.integer(0, 400));
      else await waitFor('a round begins', async () => (await newest()).round > asked.currentRound, { everyMs: 1 });
      await node.kill();
      await node.launch();
      expect((await portrait(fans[0]?.viewer.id ?? 0)).round ?? 0).toBeGreaterThanOrEqual(asked.currentRound);
      const audit = await node.audit();
      expect(audit.code, audit.output).toBe(0);
    }
    const current = await round();
    expect(current.tips).toBe(given.length);
    await expectPortraits(current);
    expect((await counted()).total.tips).toBe(given.length);
    const audit = await node.audit();
    expect(audit.code, audit.output).toBe(0);
    expect(audit.output).toMatch(/I12 +holds/);
    const { invariants } = await admin.reconciliation();
    expect(invariants).toContainEqual({ id: 'I12', holds: true, figure: 0 });
    const all = await admin.allPages<Round>(`${analysis}/rounds`);
    const brokenOff = all.filter(({ publishedAt }) => publishedAt === null).length;
    console.log(`analysis on ${store}: ${kills} kills, ${brokenOff} in the middle of a round`);
  });

  test('bad questions are refused with the bound named', async () => {
    const at = (days: number): string => new Date(Date.now() + days * 24 * hourMs).toISOString();
    const refused: [string, Record<string, string | number>, number, string, RegExp?][] = [
      ['/hourly', { from: at(0), to: at(-1) }, 400, 'to'],
      ['/hourly', { from: 'yesterday' }, 400, 'from'],
      ['/hourly', { groupBy: 'day' }, 400, 'groupBy', /hour, anchor/],
      ['/hourly', { groupBy: 'hour,hour' }, 400, 'groupBy', /twice/],
      ['/hourly', { anchorGender: 'robot' }, 400, 'anchorGender'],
      ['/hourly', { anchorId: 0 }, 400, 'anchorId'],
      ['/anchors/ranking', { limit: 101 }, 400, 'limit', /100/],
      ['/trend', { step: 'month' }, 400, 'step'],
      ...['/hourly', '/metrics', '/anchors/ranking', '/heatmap', '/retention', '/trend'].map(
        (path): [string, Record<string, string>, number, string, RegExp] => [
          path,
          { from: at(-367), to: at(0) },
          422,
          'range_too_long',
          /366 days/,
        ],
      ),
    ];
    for (const [path, query, status, what, detail] of refused) {
      const error = await ask(path, query).then(
        () => undefined,
        (thrown: { status: number; code: string; errors: { field: string; detail: string }[]; problem: { detail: string } }) => thrown,
      );
      expect(error?.status, `${path} ${JSON.stringify(query)}`).toBe(status);
      if (status === 400) expect(error?.errors.map(({ field }) => field)).toEqual([what]);
      else expect(error?.code).toBe(what);
      if (detail !== undefined) expect(error?.errors[0]?.detail ?? error?.problem.detail).toMatch(detail);
    }
    const fan = (fans[0] as ViewerStory).client;
    await expect(fan.ask('GET', `${analysis}/hourly`)).rejects.toMatchObject({ status: 403 });
    await expect(fan.ask('GET', `${analysis}/viewers/${fans[1]?.viewer.id}/portrait`)).rejects.toMatchObject({ status: 403 });
    await expect(ask('/viewers/999999999/portrait')).rejects.toMatchObject({ status: 404, code: 'viewer_not_found' });
    await expect(ask('/anchors/999999999/summary')).rejects.toMatchObject({ status: 404, code: 'anchor_not_found' });
    const host = (hosts[0] as AnchorStory).client;
    await expect(host.ask('GET', `${analysis}/anchors/${hosts[1]?.anchor.id}/summary`)).rejects.toMatchObject({ status: 403 });
  });

  test('a node without the role says so, and shows no tier rather than a wrong one', async () => {
    await node.restart(['anchor', 'audience', 'finance', 'console']);
    try {
      const fan = fans[0] as ViewerStory;
      await expect(ask('/tiers')).rejects.toMatchObject({ status: 503, code: 'role_unavailable' });
      await expect(fan.client.ask('GET', `/viewers/${fan.viewer.id}/portrait`)).rejects.toMatchObject({
        status: 503,
        code: 'portrait_unavailable',
      });
      expect((await fan.client.viewer(fan.viewer.id)).tier).toBeNull();
      const { invariants } = await admin.reconciliation();
      expect(invariants.map(({ id }) => id)).not.toContain('I12');
      await inParallel(fans.slice(0, 4), 4, ({ client }) => client.sendTip(newTip(hosts[0]?.roomId ?? 0, 100)));
    } finally {
      await node.restart('all');
    }
    await tip(5);
    expect((await counted()).total.tips).toBe(given.length);
    await expectPortraits(await round());
  });
});

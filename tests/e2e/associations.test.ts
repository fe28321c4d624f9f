// Which tags go together by what viewers did, and which rooms are recommended for it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiError, type Client } from './support/client.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { randomFor } from './support/random.ts';
import { type AnchorStory, type ViewerStory, anchorWithOpenRoom, guest, newTip, registeredViewer } from './support/stories.ts';
import { storesToTest } from './support/stores.ts';
import { inParallel, waitUntil } from './support/wait.ts';

interface Related {
  tag: string;
  viewers: number;
  items: { tag: string; association: number; viewers: number }[];
  asOf: string | null;
}

interface Matrix {
  tags: { tag: string; viewers: number }[];
  associations: number[][];
  asOf: string | null;
}

interface Recommended {
  viewerId: number;
  tags: string[];
  items: {
    roomId: number;
    anchorId: number;
    state: string;
    tags: string[];
    score: number;
    because: { viewerTag: string; roomTag: string; association: number }[];
  }[];
  asOf: string | null;
}

const random = randomFor('associations');
/** Viewers of one of them are drawn to the other; every tag has a room of its own. */
const planted = [
  ['吉他', '民谣'],
  ['games', 'chess & go'],
  ['dance', 'fitness'],
] as const;
const viewersOfPair = 12;

const related = async (client: Client, tag: string, limit = 10): Promise<Related> =>
  (await client.ask<Related>('GET', `/analysis/tags/${encodeURIComponent(tag)}/related`, { query: { limit } })).body;
const matrix = async (client: Client, limit = 10): Promise<Matrix> =>
  (await client.ask<Matrix>('GET', '/analysis/tags/matrix', { query: { limit } })).body;
const recommended = async (client: Client, viewer: number, limit = 10): Promise<Recommended> =>
  (await client.ask<Recommended>('GET', `/analysis/viewers/${viewer}/recommended-rooms`, { query: { limit } })).body;
const refusal = async (asked: Promise<unknown>): Promise<ApiError> =>
  asked.then(
    () => expect.fail('it was not refused'),
    (error: ApiError) => error,
  );

describe.each(storesToTest())('tags on %s', (store) => {
  let node: TipflowNode;
  let admin: Client;
  const rooms = new Map<string, AnchorStory>();
  const fans: { pair: number; story: ViewerStory }[] = [];
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start({ store, env: { TIPFLOW_JOBS_HOURLY_SECONDS: '1', TIPFLOW_JOBS_ROUND_SECONDS: '1' } });
    admin = await node.asAdmin();
    await inParallel(planted.flat(), 3, async (tag) => {
      rooms.set(tag, await anchorWithOpenRoom(node, { tags: [tag] }));
    });
    for (let index = 0; index < planted.length * viewersOfPair; ++index) {
      fans.push({ pair: index % planted.length, story: await guest(node) });
    }
    const tags = planted.flat();
    await inParallel(fans, 8, async ({ pair, story }) => {
      // The pair's own two rooms, and one by chance.
      for (const tag of [...(planted[pair] ?? []), random.pick(tags)]) {
        for (let tips = random.integer(1, 4); tips > 0; --tips) {
          await story.client.sendTip(newTip((rooms.get(tag) as AnchorStory).roomId, random.integer(1, 999)));
        }
      }
    });
    await waitUntil(
      'all that was tipped is counted',
      () => related(admin, planted[0][0]),
      ({ viewers, items }) => viewers >= viewersOfPair && (items[0]?.viewers ?? 0) >= viewersOfPair,
    );
    await waitUntil(
      'a round has come to its end after that',
      async () => (await matrix(admin)).tags.length,
      (count) => count === tags.length,
    );
  });

  afterAll(async () => node?.dispose());

  test('the planted pairs go together most, the same in both directions, within 0 and 1', async () => {
    for (const [one, other] of planted) {
      const there = await related(fans[0]?.story.client as Client, one);
      const back = await related(admin, other);
      expect(there.items[0]?.tag).toBe(other);
      expect(back.items[0]?.tag).toBe(one);
      expect(there.items[0]?.association).toBe(back.items[0]?.association);
      expect(there.items[0]?.viewers).toBeGreaterThanOrEqual(viewersOfPair);
      for (const { association } of [...there.items, ...back.items]) {
        expect(association).toBeGreaterThan(0);
        expect(association).toBeLessThanOrEqual(1);
      }
      expect((await related(admin, one, 1)).items).toHaveLength(1);
    }
    expect((await related(admin, 'nobody has this')).items).toEqual([]);
  });

  test('the matrix says the same, is symmetric, and has ones on its diagonal', async () => {
    const { tags, associations } = await matrix(admin);
    expect(tags.map(({ tag }) => tag).sort()).toEqual(planted.flat().sort());
    for (const [i, row] of associations.entries()) {
      const items = (await related(admin, tags[i]?.tag as string)).items;
      for (const [j, association] of row.entries()) {
        expect(association).toBe(associations[j]?.[i]);
        const told = i === j ? 1 : (items.find(({ tag }) => tag === tags[j]?.tag)?.association ?? 0);
        expect(association).toBe(told);
      }
    }
  });

  test('a viewer is recommended what goes with its tags, and told why', async () => {
    const [one, other] = planted[1];
    const { viewer, client } = await registeredViewer(node, { tags: [one] });
    const { tags, items } = await recommended(client, viewer.id);
    expect(tags).toEqual([one]);
    expect(items.map(({ roomId }) => roomId)).toEqual(expect.arrayContaining([...rooms.values()].map(({ roomId }) => roomId)));
    expect(items[0]?.roomId).toBe(rooms.get(one)?.roomId);
    expect(items[1]?.roomId).toBe(rooms.get(other)?.roomId);
    expect(items[1]?.because).toEqual([
      { viewerTag: one, roomTag: other, association: (await related(admin, one)).items[0]?.association },
    ]);
    for (const { score } of items) expect(score >= 0 && score <= 1).toBe(true);
  });

  test('live rooms come first, and a room that was just tipped in is held back', async () => {
    const [one, other] = planted[2];
    const { viewer, client } = await registeredViewer(node, { tags: [other] });
    await rooms.get(other)?.client.closeRoom(rooms.get(other)?.roomId as number);
    const before = await recommended(client, viewer.id);
    const closed = before.items.find(({ roomId }) => roomId === rooms.get(other)?.roomId);
    expect(closed?.state).toBe('off');
    expect(before.items.at(-1)).toEqual(closed);
    expect(before.items[0]?.roomId).toBe(rooms.get(one)?.roomId);

    await client.sendTip(newTip(rooms.get(one)?.roomId as number, 1));
    const after = await waitUntil(
      'the tip is taken up',
      () => recommended(client, viewer.id),
      ({ tags }) => tags.includes(one),
    );
    const score = (answer: Recommended): number => answer.items.find(({ roomId }) => roomId === rooms.get(one)?.roomId)?.score ?? 0;
    // Its own tag now speaks for the room, which was seen just now: (1 + association) / 2, halved.
    const association = (await related(admin, one)).items[0]?.association ?? 0;
    expect(score(after)).toBeLessThanOrEqual((1 + association) / 4 + 0.01);
    await rooms.get(other)?.client.openRoom(rooms.get(other)?.roomId as number);
  });

  test('a tag that a room takes on counts for those who were active there', async () => {
    const room = rooms.get('dance') as AnchorStory;
    await room.client.ask('PATCH', `/rooms/${room.roomId}`, { json: { tags: ['dance', 'tango'] } });
    const tango = await waitUntil(
      'the new tag is counted',
      () => related(admin, 'tango'),
      ({ viewers }) => viewers >= viewersOfPair,
    );
    expect(tango.items[0]?.tag).toBe('dance');
    await room.client.ask('PATCH', `/rooms/${room.roomId}`, { json: { tags: ['dance'] } });
    await waitUntil('the tag is gone', () => related(admin, 'tango'), ({ viewers }) => viewers === 0);
  });

  test('who may not ask, and what makes no sense, is refused', async () => {
    const [first, second] = fans.map(({ story }) => story);
    expect((await refusal(recommended(first?.client as Client, second?.viewer.id as number))).status).toBe(403);
    expect((await refusal(matrix(first?.client as Client))).status).toBe(403);
    expect((await refusal(related(node.client(), 'games'))).status).toBe(401);
    expect((await refusal(recommended(admin, 2 ** 50))).code).toBe('viewer_not_found');
    expect((await recommended(admin, first?.viewer.id as number)).viewerId).toBe(first?.viewer.id);
    for (const [ask, field] of [
      [() => related(admin, 'games', 0), 'limit'],
      [() => related(admin, 'games', 101), 'limit'],
      [() => matrix(admin, 51), 'limit'],
      [() => recommended(admin, first?.viewer.id as number, 51), 'limit'],
      [() => related(admin, 'x'.repeat(33)), 'tag'],
      [() => related(admin, ' '), 'tag'],
    ] as const) {
      const error = await refusal(ask());
      expect(error.status).toBe(400);
      expect(error.errors[0]?.field).toBe(field);
    }
  });
});

describe('a round that is asked for', () => {
  let node: TipflowNode;
  showOutputOnFailure(() => node);
  beforeAll(async () => {
    node = await TipflowNode.start();
  });
  afterAll(async () => node?.dispose());

  test('brings the association of tags up to date as well', async () => {
    const admin = await node.asAdmin();
    await waitUntil('the first round is over', () => matrix(admin), ({ asOf }) => asOf !== null);
    const host = await anchorWithOpenRoom(node, { tags: ['jazz', 'blues'] });
    const fan = await guest(node);
    const tip = newTip(host.roomId, 100);
    await fan.client.sendTip(tip);
    await waitUntil('the tip is settled', () => fan.client.journey(tip.traceId), ({ settlement }) => settlement !== null);
    await admin.ask('POST', '/analysis/rounds');
    const jazz = await waitUntil('the tip is taken up', () => related(admin, 'jazz'), ({ items }) => items.length > 0);
    expect(jazz.items[0]).toMatchObject({ tag: 'blues', viewers: 1 });
  });
});

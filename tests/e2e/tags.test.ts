// Tags of rooms and viewers: set as a whole, and counted.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from './support/client.ts';
import type { Page, Problem, Room, TagUse, Viewer } from './support/model.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { type AnchorStory, type ViewerStory, guest, registeredAnchor, registeredViewer } from './support/stories.ts';

const v1 = '/api/v1';

let node: TipflowNode;
let admin: Client;
let host: AnchorStory;
let fan: ViewerStory;
showOutputOnFailure(() => node);

beforeAll(async () => {
  node = await TipflowNode.start();
  admin = await node.asAdmin();
  host = await registeredAnchor(node, { tags: ['first'] });
  fan = await registeredViewer(node, { tags: ['first'] });
});

afterAll(async () => node?.dispose());

const tagRoom = async (by: Client, tags: string[]): Promise<string[]> =>
  (await by.ask<Room>('PUT', `/rooms/${host.roomId}/tags`, { json: { tags } })).body.tags;
const tagViewer = async (by: Client, id: number, tags: string[]): Promise<string[]> =>
  (await by.ask<Viewer>('PUT', `/viewers/${id}/tags`, { json: { tags } })).body.tags;
const inUse = (query: Record<string, string | number> = {}): Promise<TagUse[]> => fan.client.allPages<TagUse>('/tags', query);

test('are what was put, in that order, and nothing of what was there before', async () => {
  expect(await tagRoom(host.client, ['吉他', 'pop', '音乐', 'pop'])).toEqual(['吉他', 'pop', '音乐']);
  expect((await fan.client.room(host.roomId)).tags).toEqual(['吉他', 'pop', '音乐']);
  expect(await tagRoom(host.client, ['late'])).toEqual(['late']);
  expect(await tagRoom(host.client, [])).toEqual([]);
  expect(await tagViewer(fan.client, fan.viewer.id, ['b', 'a'])).toEqual(['b', 'a']);
  expect((await fan.client.viewer(fan.viewer.id)).tags).toEqual(['b', 'a']);
});

test('are counted by how many rooms and viewers carry them', async () => {
  const other = await registeredAnchor(node, { tags: ['both', 'rooms alone'] });
  await tagRoom(host.client, ['both']);
  const someone = await guest(node);
  await tagViewer(someone.client, someone.viewer.id, ['both', 'viewers alone']);
  await tagViewer(fan.client, fan.viewer.id, ['both']);
  expect(await inUse({ q: 'bo' })).toEqual([{ tag: 'both', rooms: 2, viewers: 2 }]);
  expect(await inUse({ q: 'alone' })).toEqual([
    { tag: 'rooms alone', rooms: 1, viewers: 0 },
    { tag: 'viewers alone', rooms: 0, viewers: 1 },
  ]);
  await other.client.ask('PUT', `/rooms/${other.roomId}/tags`, { json: { tags: [] } });
  expect(await inUse({ q: 'rooms alone' })).toEqual([]);
  expect(await inUse({ q: '%' })).toEqual([]);
});

test('are listed in byte order, each once, whatever the size of a page', async () => {
  const odd = ['Z page', 'a page', 'b page', 'é page', '音 page', '🎤 page'];
  await tagRoom(host.client, odd.slice(0, 4));
  await tagViewer(fan.client, fan.viewer.id, odd.slice(2));
  const sorted = odd.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const pageSize of [1, 2, 3, 100]) {
    const seen = await inUse({ q: ' page', pageSize });
    expect(seen.map(({ tag }) => tag)).toEqual(sorted);
    expect(seen.find(({ tag }) => tag === 'b page')).toEqual({ tag: 'b page', rooms: 1, viewers: 1 });
  }
  for (const pageToken of ['!', '_w', '%00']) {
    const answer = await fan.client.call<Problem>('GET', `${v1}/tags`, { query: { pageToken } });
    expect(answer.status, pageToken).toBe(400);
    expect(answer.body.errors?.[0]?.field).toBe('pageToken');
  }
});

test('are set by whom they belong to, or an admin, who is recorded', async () => {
  const stranger = await registeredViewer(node);
  const other = await registeredAnchor(node);
  const refused = { status: 403, body: { code: 'forbidden' } };
  const json = { tags: ['mine'] };
  for (const client of [stranger.client, other.client]) {
    expect(await client.call('PUT', `${v1}/rooms/${host.roomId}/tags`, { json })).toMatchObject(refused);
    expect(await client.call('PUT', `${v1}/viewers/${fan.viewer.id}/tags`, { json })).toMatchObject(refused);
  }
  await tagRoom(host.client, ['old']);
  await tagViewer(fan.client, fan.viewer.id, ['old']);
  expect(await tagRoom(admin, ['new'])).toEqual(['new']);
  expect(await tagViewer(admin, fan.viewer.id, ['new'])).toEqual(['new']);
  const { items } = (await admin.ask<Page<{ object: string }>>('GET', '/admin/audit-log')).body;
  for (const object of [`room ${host.roomId}`, `viewer ${fan.viewer.id}`]) {
    expect(items.find((each) => each.object === object)).toMatchObject({ before: { tags: ['old'] }, after: { tags: ['new'] } });
  }
});

test.each<[string, object, string]>([
  ['no tags', {}, 'tags'],
  ['more than twenty', { tags: Array.from({ length: 21 }, (_, i) => `t${i}`) }, 'tags'],
  ['a blank one', { tags: ['a', ' '] }, 'tags[1]'],
  ['one too long', { tags: ['x'.repeat(33)] }, 'tags[0]'],
  ['one that is a number', { tags: [1] }, 'tags[0]'],
  ['something else', { tags: [], more: 1 }, 'more'],
])('with %s are refused by the field, and stay', async (_, json, field) => {
  await tagRoom(host.client, ['stays']);
  await tagViewer(fan.client, fan.viewer.id, ['stays']);
  for (const [client, path] of [[host.client, `/rooms/${host.roomId}`], [fan.client, `/viewers/${fan.viewer.id}`]] as const) {
    const answer = await client.call<Problem>('PUT', `${v1}${path}/tags`, { json });
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.map((each) => each.field)).toEqual([field]);
    expect((await client.ask<{ tags: string[] }>('GET', path)).body.tags).toEqual(['stays']);
  }
});

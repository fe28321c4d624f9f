// Viewers in live rooms: coming in, what they saw, and being sent away.
import { expect } from 'vitest';
import type { Client } from './client.ts';
import type { TipflowNode } from './node.ts';
import { waitFor, waitUntil } from './wait.ts';
import { type Refusal, WebSocketClient } from './web_socket.ts';

interface Somebody {
  client: Client;
}

export const tokenOf = ({ client }: Somebody): string => client.session?.token ?? '';
export const pathOf = (roomId: number, token: string, query = ''): string => `/ws/rooms/${roomId}?token=${token}${query}`;

/** Comes in, and has been greeted unless it returns with `query`. */
export async function enter(node: TipflowNode, who: Somebody, roomId: number, query = ''): Promise<WebSocketClient> {
  const viewer = await WebSocketClient.enter(node.port, { path: pathOf(roomId, tokenOf(who), query) });
  if (query === '') await viewer.next('hello');
  return viewer;
}

export async function refused(
  node: TipflowNode,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Refusal> {
  const answer = await WebSocketClient.open(node.port, { path, headers });
  if (answer instanceof WebSocketClient) throw new Error('was let in');
  return answer;
}

export const tipIds = (viewer: WebSocketClient): number[] =>
  viewer.eventsOf('tip').map((event) => Number(event['tipId']));

export const amounts = (viewer: WebSocketClient): { amount: number }[] =>
  viewer.eventsOf('tip').map((event) => ({ amount: Number(event['amount']) }));

/** Waits until the viewer has seen so many tips. */
export async function untilTips(viewer: WebSocketClient, count: number): Promise<void> {
  await waitUntil('the tips arrive', async () => tipIds(viewer).length, (seen) => seen >= count);
}

/** Waits until the room tells this number of itself. */
export async function untilTold(viewer: WebSocketClient, what: string, value: number, withinMs = 10_000): Promise<void> {
  await waitUntil(
    `the room tells ${what}`,
    async () => viewer.eventsOf('stats').at(-1)?.[what],
    (told) => told === value,
    { withinMs },
  );
}

/** The answer to the frame with this id. */
export async function answerTo(viewer: WebSocketClient, id: string): Promise<Record<string, unknown>> {
  return waitFor(`an answer to ${id}`, () => [...viewer.of('ack'), ...viewer.of('error')].find((each) => each['id'] === id));
}

/** The last message, once the connection is closed. */
export async function farewell(viewer: WebSocketClient, withinMs: number): Promise<Record<string, unknown>> {
  const bye = await viewer.next('bye', withinMs);
  await waitFor('the connection is closed', () => viewer.closed);
  expect(viewer.messages.at(-1)).toEqual(bye);
  return bye;
}

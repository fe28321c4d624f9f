// Steps that many suites start from: an anchor with an open room, a viewer, a tip, books that have settled.
import { type Client, NoAnswer } from './client.ts';
import { newTraceId, uniqueName } from './ids.ts';
import type { Anchor, NewTip, Reconciliation, Viewer } from './model.ts';
import type { TipflowNode } from './node.ts';
import { type WaitOptions, waitUntil } from './wait.ts';

export const password = 'correct horse battery';

export interface AnchorStory {
  anchor: Anchor;
  client: Client;
  roomId: number;
  /** The share rate at registration. */
  readonly shareBp: number;
}

export interface ViewerStory {
  viewer: Viewer;
  client: Client;
}

export interface Registration {
  name: string;
  [field: string]: unknown;
}

export const newAnchor = (changes: Record<string, unknown> = {}): Registration => ({
  name: uniqueName('anchor'),
  password,
  gender: 'female',
  age: 25,
  ...changes,
});

export const newViewer = (changes: Record<string, unknown> = {}): Registration => ({
  name: uniqueName('viewer'),
  password,
  gender: 'male',
  age: 30,
  ...changes,
});

/** An anchor who has registered and logged in; the room is still closed. */
export async function registeredAnchor(node: TipflowNode, changes: Record<string, unknown> = {}): Promise<AnchorStory> {
  const anyone = node.client();
  const request = newAnchor(changes);
  const anchor = await anyone.createAnchor(request);
  const client = anyone.as(await anyone.login('anchor', request.name, password));
  return {
    anchor,
    client,
    roomId: anchor.roomId,
    get shareBp() {
      if (anchor.shareBp === null) throw new Error('the share rate was not known when the anchor registered');
      return anchor.shareBp;
    },
  };
}

export async function anchorWithOpenRoom(node: TipflowNode, changes: Record<string, unknown> = {}): Promise<AnchorStory> {
  const story = await registeredAnchor(node, changes);
  await story.client.openRoom(story.roomId);
  return story;
}

export async function registeredViewer(node: TipflowNode, changes: Record<string, unknown> = {}): Promise<ViewerStory> {
  const anyone = node.client();
  const request = newViewer(changes);
  const viewer = await anyone.createViewer(request);
  return { viewer, client: anyone.as(await anyone.login('viewer', request.name, password)) };
}

export async function guest(node: TipflowNode): Promise<ViewerStory> {
  const anyone = node.client();
  const { viewer, token, expiresAt, signingKey } = await anyone.createGuest();
  const session = { token, expiresAt, signingKey, kind: 'viewer', id: viewer.id, role: 'viewer' } as const;
  return { viewer, client: anyone.as(session) };
}

export const newTip = (roomId: number, amount: number, changes: Partial<NewTip> = {}): NewTip => ({
  traceId: newTraceId(),
  roomId,
  amount,
  ...changes,
});

/** What an anchor has earned, in whole fen, when every tip was shared by the same rate. */
export function earned(tips: Iterable<{ amount: number }>, shareBp: number): number {
  let units = 0n;
  for (const { amount } of tips) units += BigInt(amount) * BigInt(shareBp);
  return Number(units / 10_000n);
}

export const sumOf = (tips: Iterable<{ amount: number }>): number => {
  let sum = 0;
  for (const { amount } of tips) sum += amount;
  return sum;
};

/** Waits until all that was accepted is in the ledger; the books must then agree. */
export async function settledBooks(admin: Client, options: WaitOptions = {}): Promise<Reconciliation> {
  return waitUntil(
    'every accepted tip is settled',
    () => admin.reconciliation(),
    ({ inFlight, tips, ledger }) =>
      inFlight.count === 0 && tips.count === ledger.count && tips.amount === ledger.amount,
    { withinMs: 20_000, everyMs: 50, ...options },
  );
}

/** An anchor with a settled balance of at least so many fen; answers what is available. */
export async function anchorWithBalance(
  node: TipflowNode,
  atLeast: number,
): Promise<AnchorStory & { available: number }> {
  const story = await anchorWithOpenRoom(node);
  const { client } = await guest(node);
  const amount = Math.ceil((atLeast * 10_000) / story.shareBp);
  await client.sendTip(newTip(story.roomId, amount));
  const { available } = await waitUntil(
    'the tip is settled',
    () => story.client.balance(story.anchor.id),
    (balance) => balance.available >= atLeast,
  );
  return { anchor: story.anchor, client: story.client, roomId: story.roomId, shareBp: story.shareBp, available };
}

/** Repeats a request whose outcome is unknown until there is an answer. */
export async function untilAnswered<T>(ask: () => Promise<T>, options: WaitOptions = {}): Promise<T> {
  let answer: { value: T } | undefined;
  await waitUntil(
    'an answer',
    async () => {
      try {
        answer = { value: await ask() };
        return 'answered';
      } catch (error) {
        if (error instanceof NoAnswer) return error.message;
        throw error;
      }
    },
    (state) => state === 'answered',
    options,
  );
  return (answer as { value: T }).value;
}

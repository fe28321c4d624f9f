// Payout accounts: masked for people, unreadable on disk, and kept through every change of keys.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRows } from './support/books.ts';
import type { Client } from './support/client.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { type AnchorStory, guest, newAnchor, registeredAnchor } from './support/stories.ts';
import { storesToTest } from './support/stores.ts';
import { inParallel, waitFor, waitUntil } from './support/wait.ts';

interface PayoutAccount {
  realName: string;
  bankAccount: string;
  phone: string;
}
type Shown = PayoutAccount & { updatedAt: string };

interface DataKey {
  id: string;
  use: 'seals' | 'opens' | 'MISSING';
  rows: number;
}

const account: PayoutAccount = { realName: '欧阳明日', bankAccount: '6222021234567890123', phone: '13812345678' };
const masked = { realName: '欧***', bankAccount: '**** **** **** 0123', phone: '138****5678' };

const pathOf = (anchorId: number): string => `/finance/anchors/${anchorId}/payout-account`;
const put = async (client: Client, anchorId: number, json: object = account): Promise<Shown> =>
  (await client.ask<Shown>('PUT', pathOf(anchorId), { json })).body;
const get = async (client: Client, anchorId: number): Promise<Shown> =>
  (await client.ask<Shown>('GET', pathOf(anchorId))).body;

async function keys(node: TipflowNode, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await node.command('keys', ...args);
  expect(code, stdout + stderr).toBe(0);
  return stdout;
}

async function refused(node: TipflowNode, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await node.command('keys', ...args);
  expect(code, stdout + stderr).toBe(1);
  return stderr;
}

/** What `tipflow keys list` shows of the data keys, the newest first. */
async function dataKeys(node: TipflowNode): Promise<DataKey[]> {
  const [data] = (await keys(node, 'list')).split(/^token keys/m);
  return [...(data ?? '').matchAll(/^ {2}(\S+) .*\b(seals|opens|MISSING)\s+(\d+)$/gm)].map(([, id, use, rows]) => ({
    id: id as string,
    use: use as DataKey['use'],
    rows: Number(rows),
  }));
}

async function tokenKeyIds(node: TipflowNode): Promise<string[]> {
  const [, token] = (await keys(node, 'list')).split(/^token keys/m);
  return [...(token ?? '').matchAll(/^ {2}(\S+) .*\b(?:signs|verifies)/gm)].map(([, id]) => id as string);
}

function filesUnder(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

describe.each(storesToTest())('a payout account on %s', (store) => {
  let node: TipflowNode;
  let anna: AnchorStory;
  let admin: Client;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start({ store });
    anna = await registeredAnchor(node);
    admin = await node.asAdmin();
  });

  afterAll(async () => node?.dispose());

  test('is masked for its anchor and for an admin, and the last one counts', async () => {
    await expect(get(anna.client, anna.anchor.id)).rejects.toMatchObject({
      status: 404,
      code: 'payout_account_not_found',
    });
    const first = await put(anna.client, anna.anchor.id);
    expect(first).toEqual({ ...masked, updatedAt: expect.stringMatching(/^\d{4}-.*Z$/) });
    expect(await get(anna.client, anna.anchor.id)).toEqual(first);
    expect(await get(admin, anna.anchor.id)).toEqual(first);

    const second = await put(admin, anna.anchor.id, { ...account, bankAccount: 'DE89 3704 0044 0532 0130 00' });
    expect(second.bankAccount).toBe('**** **** **** 3000');
    expect(await get(anna.client, anna.anchor.id)).toEqual(second);
  });

  test('is nobody else’s to see or to set', async () => {
    const other = await registeredAnchor(node);
    const { client: viewer } = await guest(node);
    for (const client of [other.client, viewer]) {
      await expect(get(client, anna.anchor.id)).rejects.toMatchObject({ status: 403, code: 'forbidden' });
      await expect(put(client, anna.anchor.id)).rejects.toMatchObject({ status: 403, code: 'forbidden' });
    }
    await expect(get(node.client(), anna.anchor.id)).rejects.toMatchObject({ status: 401 });
    await expect(anna.client.ask('PUT', pathOf(anna.anchor.id), { json: account, sign: false })).rejects.toMatchObject({
      code: 'invalid_signature',
    });
    await expect(put(admin, 999_999_999)).rejects.toMatchObject({ status: 404, code: 'anchor_not_found' });
  });

  test.each([
    [{ ...account, bankAccount: '１２３４５６７８' }, ['bankAccount'], 'invalid_format'],
    [{ ...account, phone: '12-34' }, ['phone'], 'invalid_format'],
    [{ ...account, bankAccount: '1;2', phone: 'x' }, ['bankAccount', 'phone'], 'invalid_format'],
    [{ ...account, realName: ' ' }, ['realName'], 'out_of_range'],
    [{ ...account, realName: 7 }, ['realName'], 'wrong_type'],
    [{ realName: 'A', phone: '138123456' }, ['bankAccount'], 'required'],
    [{ ...account, anchorId: 1 }, ['anchorId'], 'unknown_field'],
  ])('that is wrong is refused with the field named, and changes nothing: %j', async (json, fields, code) => {
    const before = await get(anna.client, anna.anchor.id);
    const answer = await anna.client.call('PUT', `/api/v1${pathOf(anna.anchor.id)}`, { json });
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: fields.map((field) => ({ field, code })) },
    });
    for (const value of Object.values(json)) {
      if (typeof value === 'string' && value.length > 3) expect(answer.bytes.toString('utf8')).not.toContain(value);
    }
    expect(await get(anna.client, anna.anchor.id)).toEqual(before);
  });

  test('stands nowhere in plain: not in the databases, the log, the output', async () => {
    const secret = { realName: '司马青衫客', bankAccount: '955881234509876', phone: '+8613987654321' };
    const bob = await registeredAnchor(node);
    await put(bob.client, bob.anchor.id, secret);
    await bob.client.call('PUT', `/api/v1${pathOf(bob.anchor.id)}`, { json: secret, sign: false });
    await bob.client.call('PUT', `/api/v1${pathOf(bob.anchor.id)}`, { json: { ...secret, phone: `x${secret.phone}` } });
    await bob.client.call('PUT', `/api/v1${pathOf(bob.anchor.id)}`, { raw: `${JSON.stringify(secret)},` });
    const plain = [...Object.values(secret), '司马青', '509876', '987654321'];

    const [row] = await readRows(
      node.databases.db2,
      `SELECT key_id, sealed FROM payout_account WHERE anchor_id = ${bob.anchor.id}`,
    );
    expect(row?.[1]).toMatch(new RegExp(String.raw`^v1\.${row?.[0]}\.[\w-]{32}\.[\w-]+$`));

    const expectNone = (): void => {
      const files = filesUnder(dirname(node.dataDir));
      expect(files.some((file) => file.endsWith('tipflow.jsonl'))).toBe(true);
      if (store === 'SQLite') expect(files.some((file) => file.endsWith('db2.sqlite-wal'))).toBe(true);
      for (const file of files) {
        const bytes = readFileSync(file);
        for (const text of plain) expect(bytes.includes(text), `${text} stands in ${file}`).toBe(false);
      }
    };
    await waitFor('the log has the requests', () =>
      readFileSync(join(node.dataDir, 'log/tipflow.jsonl'), 'utf8').includes(pathOf(bob.anchor.id)),
    );
    expectNone();
  });

  test('survives a new data key that comes while its anchor changes it, and the end of the old one', async () => {
    const [old] = await dataKeys(node);
    expect(old).toMatchObject({ use: 'seals' });
    let running = true;
    let changes = 0;
    const changing = (async () => {
      while (running) {
        ++changes;
        await put(anna.client, anna.anchor.id, { ...account, bankAccount: String(62_220_200_000_000 + changes) });
      }
    })();
    let output: string;
    try {
      await waitFor('some changes were made', () => changes > 20);
      output = await keys(node, 'rotate', '--wait');
      const before = changes;
      await waitFor('more changes were made', () => changes > before + 20);
    } finally {
      running = false;
      await changing;
    }
    expect(output).toContain('no row is left under older keys');
    const [fresh, older] = await dataKeys(node);
    expect(older).toEqual({ id: old?.id, use: 'opens', rows: 0 });
    expect(fresh).toMatchObject({ use: 'seals', rows: expect.any(Number) });
    expect(fresh?.rows).toBeGreaterThan(1);

    expect(await refused(node, 'drop', fresh?.id as string)).toContain('rotate first');
    await keys(node, 'drop', old?.id as string);
    expect(await dataKeys(node)).toEqual([fresh]);
    const last = String(changes).padStart(4, '0').slice(-4);
    expect((await get(anna.client, anna.anchor.id)).bankAccount).toBe(`**** **** **** ${last}`);
    await node.restart();
    expect((await get(anna.client, anna.anchor.id)).bankAccount).toBe(`**** **** **** ${last}`);
  });

  test('keeps everyone logged in when the token key changes, until the old one is dropped', async () => {
    const bob = await registeredAnchor(node);
    const [old] = await tokenKeyIds(node);
    await keys(node, 'rotate', '--kind', 'token');
    const kid = (client: Client): string =>
      JSON.parse(Buffer.from(client.session?.token.split('.')[0] ?? '', 'base64url').toString()).kid as string;
    expect(kid(bob.client)).toBe(old);
    const late = await waitUntil(
      'new tokens are signed with the new key',
      () => registeredAnchor(node),
      ({ client }) => kid(client) !== old,
    );
    await put(bob.client, bob.anchor.id);
    await put(late.client, late.anchor.id);
    await node.restart();
    expect(await get(bob.client, bob.anchor.id)).toMatchObject(masked);

    expect(await refused(node, 'drop', old as string)).toContain('may be in use until');
    await keys(node, 'drop', old as string, '--force');
    await waitUntil(
      'tokens under the dropped key are dead',
      () => bob.client.call('GET', `/api/v1${pathOf(bob.anchor.id)}`),
      ({ status }) => status === 401,
    );
    expect(await get(late.client, late.anchor.id)).toMatchObject(masked);
  });

  test('survives kill -9 in the middle of being encrypted again', { timeout: 120_000 }, async () => {
    admin = node.client().as(await node.client().login('operator', 'admin', 'admin-password-of-the-tests'));
    const crowd = await inParallel(Array.from({ length: 250 }), 16, () => node.client().createAnchor(newAnchor()));
    const bankOf = (anchorId: number): string => String(62_220_200_000_000 + anchorId);
    await inParallel(crowd, 16, ({ id }) => put(admin, id, { ...account, bankAccount: bankOf(id) }));
    const [old] = await dataKeys(node);
    expect(old?.rows).toBeGreaterThanOrEqual(crowd.length);

    await keys(node, 'rotate');
    expect(await refused(node, 'drop', old?.id as string)).toMatch(/\d+ rows are still under the key/);
    const rowsLeft = async (): Promise<number> => (await dataKeys(node)).find(({ id }) => id === old?.id)?.rows ?? 0;
    let left = old?.rows ?? 0;
    for (let kill = 0; kill < 2; ++kill) {
      const before = left;
      left = await waitUntil('some rows are under the new key', rowsLeft, (now) => now < before, { everyMs: 5 });
      expect(left, 'and some are not').toBeGreaterThan(0);
      await node.kill();
      await node.launch();
    }
    await waitUntil('no row is left under the old key', rowsLeft, (now) => now === 0);
    await keys(node, 'drop', old?.id as string);
    await inParallel(crowd, 16, async ({ id }) => {
      expect((await get(admin, id)).bankAccount).toBe(`**** **** **** ${bankOf(id).slice(-4)}`);
    });
  });
});

describe('the keys of a node', () => {
  let node: TipflowNode;
  const setKeys = { TIPFLOW_DATA_KEYS: `k2:${'b'.repeat(64)},k1:${'a'.repeat(64)}`, TIPFLOW_TOKEN_KEY: 'c'.repeat(64) };
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start();
  });

  afterAll(async () => node?.dispose());

  test('are made at its first start, for its own account alone, and never shown', async () => {
    const list = await keys(node, 'list');
    for (const name of ['data-keys', 'token-key']) {
      const file = join(node.dataDir, name);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const secret = /[0-9a-f]{64}/.exec(readFileSync(file, 'utf8'))?.[0] as string;
      expect(secret).toHaveLength(64);
      expect(list).toContain(file);
      expect(list).not.toContain(secret);
      expect(readFileSync(join(node.dataDir, 'log/tipflow.jsonl'), 'utf8')).not.toContain(secret);
    }
    expect(await refused(node, 'drop', 'nothing')).toContain('there is no key nothing');
  });

  test('are the settings’ when these are set, and not the command’s to change', async () => {
    const fixed = await TipflowNode.start({ env: setKeys });
    try {
      const list = await keys(fixed, 'list');
      expect(list).toMatch(/^data keys, in security\.data_keys\n.*\n {2}k2 .* seals {5}0\n {2}k1 .* opens {5}0$/m);
      expect(list).not.toMatch(/[abc]{64}/);
      for (const kind of ['data', 'token']) {
        expect(await refused(fixed, 'rotate', '--kind', kind)).toContain('in front of them, and restart the nodes');
      }
      expect(await refused(fixed, 'drop', 'k1')).toContain('take it out there');
      expect(readdirSync(fixed.dataDir)).not.toContain('data-keys');
    } finally {
      await fixed.dispose();
    }
  });

  test('that are missing are said at the start and in the list', async () => {
    const fixed = await TipflowNode.start({ env: setKeys });
    let other: TipflowNode | undefined;
    try {
      const story = await registeredAnchor(fixed);
      await put(story.client, story.anchor.id);
      await fixed.stop();
      other = await TipflowNode.start({
        env: { TIPFLOW_DB1_URL: fixed.databases.db1, TIPFLOW_DB2_URL: fixed.databases.db2, TIPFLOW_TOKEN_KEY: 'c'.repeat(64) },
      });
      expect((await dataKeys(other)).map(({ use, rows }) => [use, rows])).toEqual([
        ['seals', 0],
        ['MISSING', 1],
      ]);
      const log = (): string => readFileSync(join(other?.dataDir ?? '', 'log/tipflow.jsonl'), 'utf8');
      await waitFor('the log says so', () => log().includes('need a data key that is not here'));
      await expect(get(other.client().as(story.client.session!), story.anchor.id)).rejects.toMatchObject({ status: 500 });
      // Whoever sets the account again is rid of the lost key.
      await put(other.client().as(story.client.session!), story.anchor.id);
      expect(await get(other.client().as(story.client.session!), story.anchor.id)).toMatchObject(masked);
    } finally {
      await other?.dispose();
      await fixed.dispose();
    }
  });
});

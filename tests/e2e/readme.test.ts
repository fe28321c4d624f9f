// The README's first five minutes, as printed: its shell lines run on a fresh node.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { repository } from './support/paths.ts';

const run = promisify(execFile);

/** The shell blocks from the first `api=` on that talk to the node. */
async function curlLines(file: string): Promise<string> {
  const text = await readFile(join(repository, file), 'utf8');
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block ?? '');
  const talking = blocks.filter((block) => block.includes('curl'));
  expect(talking.length).toBeGreaterThan(2);
  return talking.join('sleep 1\n');
}

describe.each(['README.md', 'README.zh-CN.md'])('the lines of %s', (file) => {
  let node: TipflowNode;
  showOutputOnFailure(() => node);
  beforeAll(async () => {
    node = await TipflowNode.start({ env: { TIPFLOW_REQUIRE_SIGNATURE: 'false' } });
  });
  afterAll(async () => node?.dispose());

  test('tip, repeat, settle and pay out as they say, twice over', async () => {
    const lines = (await curlLines(file)).replaceAll('127.0.0.1:8080', `127.0.0.1:${node.port}`);
    for (let time = 0; time < 2; ++time) {
      const { stdout } = await run('bash', ['-eu', '-c', lines]);
      expect(stdout).toMatch(/"status":"created".* 201\n/);
      expect(stdout).toMatch(/"status":"exists".* 200\n/);
      expect(stdout).toMatch(/"step":"settled","done":true/);
      expect(stdout).toContain('"available":2600,');
      expect(stdout).toContain('"state":"paid"');
      expect(stdout).toContain('"available":600,');
    }
  });
});

// Starts one MariaDB for the whole run; each node gets databases of its own on it.
import { accessSync, constants } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { MariaDb, type MariaDbAddress } from './mariadb.ts';
import { binary } from './paths.ts';
import { storesToTest } from './stores.ts';

declare module 'vitest' {
  interface ProvidedContext {
    mariadb: MariaDbAddress | null;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  try {
    accessSync(binary, constants.X_OK);
  } catch {
    throw new Error(`No binary at ${binary}. Build it with ./dev build, or name it in TIPFLOW_BIN.`);
  }
  if (!storesToTest().includes('MariaDB')) {
    project.provide('mariadb', null);
    return async () => undefined;
  }
  const server = await MariaDb.start({
    bufferPool: process.env['TIPFLOW_E2E_BUFFER_POOL'],
    redoLog: process.env['TIPFLOW_E2E_REDO_LOG'],
  });
  project.provide('mariadb', server.address);
  return async () => server.dispose();
}

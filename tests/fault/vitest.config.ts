import { defineConfig } from 'vitest/config';

// Millions of tips do not fit into what is enough for a story. Servers that a suite starts for itself stay small.
process.env['TIPFLOW_E2E_BUFFER_POOL'] ??= '2G';
process.env['TIPFLOW_E2E_REDO_LOG'] ??= '2G';

// Each suite breaks what it runs on, hundreds of times: one file at a time, and time enough.
export default defineConfig({
  test: {
    include: ['*.test.ts'],
    globalSetup: ['../e2e/support/global_setup.ts'],
    fileParallelism: false,
    testTimeout: 20 * 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    reporters: ['default'],
  },
});

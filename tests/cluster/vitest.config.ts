import { defineConfig } from 'vitest/config';

// One cluster for all files, one file at a time; waiting out leases and restarting every node take their time.
export default defineConfig({
  test: {
    include: ['*.test.ts'],
    globalSetup: ['support/global_setup.ts'],
    fileParallelism: false,
    testTimeout: 6 * 60_000,
    hookTimeout: 3 * 60_000,
    teardownTimeout: 60_000,
    reporters: ['default'],
  },
});

import { defineConfig } from 'vitest/config';

// Most of a suite's time is waiting: two files at a time, each with nodes and databases of its own, fill two cores.
export default defineConfig({
  test: {
    include: ['*.test.ts'],
    globalSetup: ['support/global_setup.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    reporters: ['default'],
  },
});

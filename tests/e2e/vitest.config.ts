import { defineConfig } from 'vitest/config';

// The suites share two cores with the nodes and the database they start: one file at a time.
export default defineConfig({
  test: {
    include: ['*.test.ts'],
    globalSetup: ['support/global_setup.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    reporters: ['default'],
  },
});

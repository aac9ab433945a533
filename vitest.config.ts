import { defineConfig } from 'vitest/config';

// Tests and sources run straight from src; the suffix of a test file says what it needs.
const conditions = ['@assay/source'];
const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
} as const;

const SERVICES = ['pg', 'ch', 'e2e'];

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: SERVICES.map((need) => `**/*.${need}.test.ts`),
        },
      },
      {
        ...shared,
        test: {
          name: 'pg',
          include: ['packages/*/src/**/*.pg.test.ts'],
          globalSetup: ['packages/server/test/global-services.ts'],
          testTimeout: 30_000,
          hookTimeout: 120_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'ch',
          include: ['packages/*/src/**/*.ch.test.ts'],
          globalSetup: ['packages/server/test/global-services.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['packages/*/src/**/*.e2e.test.ts', 'test/**/*.e2e.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});

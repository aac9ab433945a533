import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

type Case = readonly [what: string, path: string, content: string];

/** Paths of the files that the project's own linter settings object to. */
function lint(cases: readonly Case[]): ReadonlySet<string> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-lint-'));
  try {
    cpSync(`${ROOT}biome.json`, join(folder, 'biome.json'));
    for (const [, path, content] of cases) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    const { stdout } = spawnSync(
      `${ROOT}node_modules/.bin/biome`,
      ['lint', '--reporter=json', '--max-diagnostics=none', '.'],
      { cwd: folder, encoding: 'utf8' },
    );
    const { diagnostics }: { diagnostics: { category: string; location: { path: string } }[] } =
      JSON.parse(stdout);
    const ofRules = diagnostics.filter(({ category }) =>
      /noRestrictedImports|noProcessEnv/.test(category),
    );
    return new Set(ofRules.map(({ location }) => location.path));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const SERVER = 'packages/server/src';

describe('the import rules', () => {
  const bad: readonly Case[] = [
    ['core imports a package', 'packages/core/src/a.ts', "import { z } from 'zod';\nz;"],
    ['core imports Node', 'packages/core/src/b.ts', "import fs from 'node:fs';\nfs;"],
    [
      'core imports another package of ours',
      'packages/core/src/c.ts',
      "import { x } from '@assay/contract';\nx;",
    ],
    ['contract imports Node', 'packages/contract/src/a.ts', "import fs from 'node:fs';\nfs;"],
    ['contract imports a driver', 'packages/contract/src/b.ts', "import pg from 'pg';\npg;"],
    ['a store imports HTTP', `${SERVER}/features/a/store.ts`, "import f from 'fastify';\nf;"],
    [
      'a store imports its service',
      `${SERVER}/features/b/store.ts`,
      "import { x } from './service.ts';\nx;",
    ],
    ['a service imports a driver', `${SERVER}/features/a/service.ts`, "import pg from 'pg';\npg;"],
    ['a service imports HTTP', `${SERVER}/features/b/service.ts`, "import f from 'fastify';\nf;"],
    [
      'a service imports another store',
      `${SERVER}/features/c/service.ts`,
      "import { x } from '../a/store.ts';\nx;",
    ],
    [
      'a route imports a store',
      `${SERVER}/features/a/routes.ts`,
      "import { x } from './store.ts';\nx;",
    ],
    [
      'the platform imports a feature',
      `${SERVER}/platform/a.ts`,
      "import { x } from '../features/a/service.ts';\nx;",
    ],
    [
      'the pipeline imports a feature',
      `${SERVER}/cdc/a.ts`,
      "import { x } from '../features/a/service.ts';\nx;",
    ],
    ['the pipeline imports HTTP', `${SERVER}/cdc/b.ts`, "import f from 'fastify';\nf;"],
    [
      'someone else reads the environment',
      `${SERVER}/cdc/c.ts`,
      'export const x = process.env.HOME;',
    ],
  ];
  const good: readonly Case[] = [
    ['core imports itself', 'packages/core/src/d.ts', "import { x } from './y.ts';\nx;"],
    [
      'a store imports the platform',
      `${SERVER}/features/d/store.ts`,
      "import type { Db } from '../../platform/postgres.ts';\nexport type X = Db;",
    ],
    [
      'a service imports its store',
      `${SERVER}/features/d/service.ts`,
      "import { x } from './store.ts';\nx;",
    ],
    [
      'a service imports another service',
      `${SERVER}/features/e/service.ts`,
      "import { x } from '../a/service.ts';\nx;",
    ],
    [
      'the one reader reads the environment',
      `${SERVER}/config.ts`,
      'export const x = process.env.HOME;',
    ],
  ];
  const found = lint([...bad, ...good]);

  it.each(bad)('bite when %s', (_, path) => {
    expect(found.has(path)).toBe(true);
  });

  it.each(good)('let through when %s', (_, path) => {
    expect(found.has(path)).toBe(false);
  });
});

describe('project references', () => {
  const json = (path: string) => JSON.parse(readFileSync(`${ROOT}${path}`, 'utf8'));
  it.each(readdirSync(`${ROOT}packages`))('of %s are its workspace dependencies', (name) => {
    const { dependencies = {} } = json(`packages/${name}/package.json`);
    const { references = [] } = json(`packages/${name}/tsconfig.json`);
    const wanted = Object.keys(dependencies).filter((dependency) =>
      dependency.startsWith('@assay/'),
    );
    expect(
      references.map(({ path }: { path: string }) => path.replace('../', '@assay/')).sort(),
    ).toEqual(wanted.sort());
  });
});

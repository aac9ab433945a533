#!/usr/bin/env node
// Adds the optional per-platform packages that package-lock.json lacks because this registry's view does not list them,
// so that `npm ci` passes here and on other platforms. Usage: complete-lockfile.mjs [package-lock.json]
import fs from 'node:fs';

const file = process.argv[2] ?? 'package-lock.json';
const lock = JSON.parse(fs.readFileSync(file, 'utf8'));
const platform =
  /(android|darwin|linux|win32|freebsd|openharmony)-(arm64|x64|ia32|arm|ppc64|riscv64|s390x)(-gnu|-musl|-msvc|-musleabihf|-gnueabihf|-eabi)?$/;
let added = 0;
for (const entry of Object.values({ ...lock.packages })) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    const match = name.match(platform);
    const key = `node_modules/${name}`;
    if (match === null || lock.packages[key] !== undefined) continue;
    const [, os, cpu, abi = ''] = match;
    lock.packages[key] = {
      version: range.replace(/^[\^~]/, ''),
      cpu: [cpu],
      ...(entry.dev ? { dev: true } : {}),
      ...(os === 'linux' ? { libc: [abi.includes('musl') ? 'musl' : 'glibc'] } : {}),
      optional: true,
      os: [os],
    };
    added++;
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)),
);
fs.writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} platform packages added to ${file}`);

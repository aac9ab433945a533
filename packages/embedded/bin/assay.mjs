#!/usr/bin/env node
import { existsSync } from 'node:fs';

const entry = new URL('../dist/bin/assay.js', import.meta.url);
if (!existsSync(entry)) {
  process.stderr.write('assay: not built yet; run "npm start" once, or "npm run build".\n');
  process.exit(1);
}
await import(entry.href);

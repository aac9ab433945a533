// Threads do not inherit the loader that reads TypeScript, so each registers it for itself.
import { register } from 'tsx/esm/api';

register();
await import('./run.ts');

import { type Logger, pino } from 'pino';

export type Log = Logger;

/** JSON lines on stdout. Users' ids, contexts and event bodies are never logged. */
export function createLogger(level: string, name: string): Log {
  return pino({ level, name, base: { name }, redact: ['req.headers.authorization'] });
}

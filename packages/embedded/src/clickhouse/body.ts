import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { engineError } from './engine-error.ts';

/** Memory that bodies may take at the same time, all requests together. */
export interface Budget {
  /** @throws EngineError when there is not as much left */
  readonly take: (bytes: number) => void;
  readonly giveBack: (bytes: number) => void;
}

export function createBudget(maxBytes: number): Budget {
  let used = 0;
  return {
    take(bytes) {
      if (used + bytes > maxBytes) {
        throw engineError(
          241,
          'MEMORY_LIMIT_EXCEEDED',
          `Bodies of more than ${maxBytes} bytes are being received; try again later.`,
        );
      }
      used += bytes;
    },
    giveBack(bytes) {
      used -= bytes;
    },
  };
}

const STALL_MS = 30_000;

/** The body as it was before it was compressed. A sender that falls silent is cut off. */
export function openBody(request: IncomingMessage): Readable {
  request.setTimeout(STALL_MS, () => request.destroy(new Error('the body stopped coming')));
  request.once('end', () => request.setTimeout(0));
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return request;
  if (encoding !== 'gzip') {
    throw engineError(89, 'UNKNOWN_COMPRESSION_METHOD', `Unknown compression: ${encoding}.`);
  }
  const gunzip = createGunzip();
  request.once('error', (error) => gunzip.destroy(error));
  return request.pipe(gunzip);
}

const tooLarge = (maxBytes: number) =>
  engineError(307, 'TOO_MANY_BYTES', `The body has more than ${maxBytes} bytes; send it in parts.`);

/** A whole body as text. */
export async function readText(body: Readable, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export interface ChunkLimits {
  /** A chunk ends with the last whole line before it would grow beyond this. */
  readonly chunkBytes: number;
  /** Of the body as a whole. */
  readonly maxBytes: number;
}

const NEWLINE = 0x0a;

/** A body of lines in bounded chunks of whole lines; the receiver sets the pace of the sender. */
export async function* chunksOfLines(
  body: AsyncIterable<Buffer>,
  { chunkBytes, maxBytes }: ChunkLimits,
  budget: Budget,
): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let held = 0;
  let total = 0;
  try {
    for await (const part of body) {
      total += part.length;
      if (total > maxBytes) throw tooLarge(maxBytes);
      budget.take(part.length);
      held += part.length;
      const end = held > chunkBytes ? part.lastIndexOf(NEWLINE) + 1 : 0;
      if (end === 0) {
        parts.push(part);
        continue;
      }
      const chunk = Buffer.concat([...parts, part.subarray(0, end)]);
      parts = [part.subarray(end)];
      yield chunk;
      budget.giveBack(chunk.length);
      held -= chunk.length;
    }
    if (held > 0) yield Buffer.concat(parts);
  } finally {
    budget.giveBack(held);
  }
}

// MurmurHash3 x86 32-bit (Austin Appleby, public domain reference `MurmurHash3.cpp`), over UTF-8.

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** Number of bytes of `text` in UTF-8; a lone surrogate counts as U+FFFD, three bytes. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(i + 1))) {
      // two units become four bytes
      bytes += 2;
      i++;
    } else bytes += 2;
  }
  return bytes;
}

const isHighSurrogate = (unit: number): boolean => (unit & 0xfc00) === 0xd800;
const isLowSurrogate = (unit: number): boolean => (unit & 0xfc00) === 0xdc00;

// Strings up to this many code units are encoded here; JavaScript runs one call at a time, and no
// call keeps a view of it, so sharing it is safe and saves an allocation for every evaluation.
const SCRATCH_UNITS = 1024;
const scratch = new Uint8Array(SCRATCH_UNITS * 3);

/** Writes `text` as UTF-8 into `target` from `start`; returns where it ends. */
function encodeUtf8(text: string, target: Uint8Array, start: number): number {
  let at = start;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      target[at++] = unit;
    } else if (unit < 0x800) {
      target[at++] = 0xc0 | (unit >> 6);
      target[at++] = 0x80 | (unit & 0x3f);
    } else if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(i + 1))) {
      const point = 0x10000 + ((unit & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff);
      target[at++] = 0xf0 | (point >> 18);
      target[at++] = 0x80 | ((point >> 12) & 0x3f);
      target[at++] = 0x80 | ((point >> 6) & 0x3f);
      target[at++] = 0x80 | (point & 0x3f);
    } else {
      // What TextEncoder does with a lone surrogate, too.
      const point = (unit & 0xf800) === 0xd800 ? 0xfffd : unit;
      target[at++] = 0xe0 | (point >> 12);
      target[at++] = 0x80 | ((point >> 6) & 0x3f);
      target[at++] = 0x80 | (point & 0x3f);
    }
  }
  return at;
}

function hashBytes(bytes: Uint8Array, length: number): number {
  let hash = 0;
  const blocks = length & ~3;
  // Every index below is < length, so the fallbacks never apply; they are what
  // noUncheckedIndexedAccess asks for and V8 drops.
  for (let i = 0; i < blocks; i += 4) {
    const word =
      (bytes[i] ?? 0) |
      ((bytes[i + 1] ?? 0) << 8) |
      ((bytes[i + 2] ?? 0) << 16) |
      ((bytes[i + 3] ?? 0) << 24);
    hash ^= mixWord(word);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  const rest = length & 3;
  if (rest === 3) tail ^= (bytes[blocks + 2] ?? 0) << 16;
  if (rest >= 2) tail ^= (bytes[blocks + 1] ?? 0) << 8;
  if (rest >= 1) hash ^= mixWord(tail ^ (bytes[blocks] ?? 0));
  hash ^= length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mixWord(word: number): number {
  const mixed = Math.imul(word, C1);
  return Math.imul((mixed << 15) | (mixed >>> 17), C2);
}

const bufferFor = (units: number): Uint8Array =>
  units <= SCRATCH_UNITS ? scratch : new Uint8Array(units * 3);

/**
 * The unsigned 32-bit murmur3 hash of `text` in UTF-8, with murmur3's own seed 0: the same as
 * Python's `mmh3.hash(text, signed=False)` and ClickHouse's `murmurHash3_32(text)`.
 */
export function murmur3(text: string): number {
  const bytes = bufferFor(text.length);
  return hashBytes(bytes, encodeUtf8(text, bytes, 0));
}

const COLON = 0x3a;

/** `murmur3(left + ":" + right)`, without making that string: for every evaluation it would be one. */
export function murmur3Joined(left: string, right: string): number {
  const bytes = bufferFor(left.length + 1 + right.length);
  let end = encodeUtf8(left, bytes, 0);
  bytes[end++] = COLON;
  end = encodeUtf8(right, bytes, end);
  return hashBytes(bytes, end);
}

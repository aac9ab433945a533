// Times are microseconds since the epoch, UTC, as one number: exact up to the year 2255, which is
// beyond any time that is accepted. JavaScript's Date would cut the microseconds off.

const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,12}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/**
 * Microseconds since the epoch of an RFC 3339 date-time with an offset, truncated to whole
 * microseconds; undefined when the text is not one (also for a day that the month does not have,
 * and for leap seconds, which no store here can hold).
 */
export function parseInstant(text: string): number | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHour, offsetMinute] =
    match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const midnightMs = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const date = new Date(midnightMs);
  // Date.UTC carries 30 February over into March, and reads the years 0…99 as 1900…1999.
  if (date.getUTCDate() !== Number(day) || date.getUTCFullYear() !== Number(year)) return undefined;
  const offsetMinutes =
    sign === undefined
      ? 0
      : (sign === '-' ? -1 : 1) * (Number(offsetHour) * 60 + Number(offsetMinute));
  if (Number(offsetHour ?? 0) > 23 || Number(offsetMinute ?? 0) > 59) return undefined;
  const seconds = Number(hour) * 3600 + (Number(minute) - offsetMinutes) * 60 + Number(second);
  const micros = Number(fraction.slice(0, 6).padEnd(6, '0'));
  return (midnightMs + seconds * 1000) * 1000 + micros;
}

/** The time as RFC 3339 in UTC with six decimals, as both stores take and give it. */
export function formatInstant(micros: number): string {
  const ms = Math.floor(micros / 1000);
  const rest = micros - ms * 1000;
  return `${new Date(ms).toISOString().slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether the text is a UUID in its canonical form (RFC 9562 §4), of any version. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/**
 * The time inside a UUIDv7 (RFC 9562 §5.7), in microseconds since the epoch, with the precision of
 * its milliseconds; undefined for any other text.
 */
export function uuidV7Time(uuid: string): number | undefined {
  if (UUID.exec(uuid)?.[1] !== '7') return undefined;
  return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16) * 1000;
}

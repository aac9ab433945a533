// Times are microseconds since the epoch, UTC, as one number: exact up to the year 2255, which is
// beyond any time that is accepted. JavaScript's Date would cut the microseconds off.

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,12})?(?:[Zz]|[+-]\d\d:\d\d)$/;

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeap(year) ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
}

const ZERO = 48;

/** The number that `count` digits from `at` on say. */
function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) value = value * 10 + text.charCodeAt(i) - ZERO;
  return value;
}

// Both functions run for every event that is taken. By digits and whole numbers they cost a fraction
// of what capture groups and a Date would.

/**
 * Microseconds since the epoch of an RFC 3339 date-time with an offset, truncated to whole
 * microseconds; undefined when the text is not one (also for a day that the month does not have,
 * and for leap seconds, which no store here can hold).
 */
export function parseInstant(text: string): number | undefined {
  if (!RFC_3339.test(text)) return undefined;
  const [year, month, day] = [digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2)];
  const [hour, minute, second] = [digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2)];
  if (day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const isUtc = (text.charCodeAt(text.length - 1) | 32) === 0x7a;
  const end = text.length - (isUtc ? 1 : 6);
  let offsetMinutes = 0;
  if (!isUtc) {
    const [offsetHour, offsetMinute] = [digits(text, end + 1, 2), digits(text, end + 4, 2)];
    if (offsetHour > 23 || offsetMinute > 59) return undefined;
    offsetMinutes = (text[end] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute);
  }
  let micros = 0;
  for (let i = 20; i < 26; i++) micros = micros * 10 + (i < end ? text.charCodeAt(i) - ZERO : 0);
  const minutes = hour * 60 + minute - offsetMinutes;
  return ((daysFromCivil(year, month, day) * 1_440 + minutes) * 60 + second) * 1e6 + micros;
}

const MICROS_PER_DAY = 86_400e6;
const pad = (value: number, length: number): string => String(value).padStart(length, '0');

/** The time as RFC 3339 in UTC with six decimals, as both stores take and give it. */
export function formatInstant(micros: number): string {
  const days = Math.floor(micros / MICROS_PER_DAY);
  const rest = micros - days * MICROS_PER_DAY;
  const seconds = Math.floor(rest / 1e6);
  const time = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
  return `${civilFromDays(days)}T${time}.${pad(rest - seconds * 1e6, 6)}Z`;
}

/** Days since 1970-01-01 of a date of the proleptic Gregorian calendar (Hinnant, chrono-compatible date algorithms). */
function daysFromCivil(year: number, month: number, day: number): number {
  // The year begins in March, so that the leap day is its last.
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The date of a number of days since 1970-01-01, as `YYYY-MM-DD`; the inverse of {@link daysFromCivil}. */
function civilFromDays(days: number): string {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
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

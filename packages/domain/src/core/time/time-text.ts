const TIME = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))?$/;

/**
 * Parses a time of RFC 3339, or a day, which stands for its beginning in UTC. Null for any other form, and for a time
 * that the calendar does not have. JavaScript's own parser reads 30 February as 2 March.
 */
export function timeFromText(text: string): Date | null {
  const match = TIME.exec(text);
  if (!match) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((digits) => Number(digits ?? 0));
  const written = new Date(0);
  written.setUTCFullYear(year, month - 1, day);
  const isInCalendar =
    written.getUTCFullYear() === year &&
    written.getUTCMonth() === month - 1 &&
    written.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  const time = new Date(text);
  // Postgres has no year 0, and an offset may lead to a year that does not have four digits.
  const isStorable = /^(?!0000)\d{4}-/.test(Number.isNaN(time.getTime()) ? '' : time.toISOString());
  return isInCalendar && isStorable ? time : null;
}

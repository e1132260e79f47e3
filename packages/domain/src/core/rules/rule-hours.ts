import type { QuietHours } from './rule-terms.js';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Making a format takes some 50 us, and there are few time zones. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' },
  });
  formats.set(timeZone, made);
  return made;
}

type WallTime = Readonly<{ year: number; month: number; day: number; hour: number; minute: number }>;

function wallTimeOf(at: Date, timeZone: string): WallTime {
  const parts = formatOf(timeZone).formatToParts(at);
  return Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)])) as unknown as WallTime;
}

/** The moment at which the clocks of a zone show a time. Of a time that they skip or repeat: one close to it. */
function momentOf({ year, month, day, hour, minute }: WallTime, timeZone: string): Date {
  const wanted = Date.UTC(year, month - 1, day, hour, minute);
  let at = wanted;
  // The zone's offset at the guessed moment corrects the guess. A second round is needed, because the corrected moment
  // may have another offset.
  for (let round = 0; round < 2; round++) {
    const shown = wallTimeOf(new Date(at), timeZone);
    at += wanted - Date.UTC(shown.year, shown.month - 1, shown.day, shown.hour, shown.minute);
  }
  return new Date(at);
}

/** The beginning of the calendar month that `at` is in. */
export function monthStartOf(at: Date, timeZone: string): Date {
  const { year, month } = wallTimeOf(at, timeZone);
  return momentOf({ year, month, day: 1, hour: 0, minute: 0 }, timeZone);
}

export function nextMonthStartOf(at: Date, timeZone: string): Date {
  const { year, month } = wallTimeOf(at, timeZone);
  return momentOf({ year, month: month + 1, day: 1, hour: 0, minute: 0 }, timeZone);
}

const minutesOf = (text: string): number => {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * 60 + minutes;
};

/** When the quiet hours around `at` end. Null: it is not quiet then. */
export function quietUntil(at: Date, quiet: QuietHours | null, timeZone: string): Date | null {
  if (quiet === null) return null;
  const { hour, minute } = wallTimeOf(at, timeZone);
  const now = hour * 60 + minute;
  const [from, to] = [minutesOf(quiet.from), minutesOf(quiet.to)];
  const isQuiet = from < to ? now >= from && now < to : now >= from || now < to;
  if (!isQuiet) return null;
  const leftMinutes = (to - now + DAY_MINUTES) % DAY_MINUTES;
  return new Date(Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS + leftMinutes * MINUTE_MS);
}

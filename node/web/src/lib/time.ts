// Dates as the browser's language writes them.

const lazily = (options: Intl.DateTimeFormatOptions) => {
  let format: Intl.DateTimeFormat | undefined;
  return (at: number | string | Date) => (format ??= new Intl.DateTimeFormat(undefined, options)).format(new Date(at));
};

const minute = lazily({ hour: '2-digit', minute: '2-digit' });
const clocks = new Map<number, string>();
const MOST_CLOCKS = 5_000;

/** The time of day; many messages show it, and few minutes. */
export function clock(at: number | string): string {
  const key = Math.floor(new Date(at).getTime() / 60_000);
  let text = clocks.get(key);
  if (text === undefined) {
    if (clocks.size >= MOST_CLOCKS) clocks.clear();
    clocks.set(key, (text = minute(key * 60_000)));
  }
  return text;
}

export const date = lazily({ day: 'numeric', month: 'long', year: 'numeric' });
export const dateTime = lazily({ dateStyle: 'medium', timeStyle: 'short' });
export const fullTime = lazily({ dateStyle: 'full', timeStyle: 'short' });
export const shortDate = lazily({ dateStyle: 'medium' });

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000], ['month', 2_592_000], ['day', 86_400], ['hour', 3_600], ['minute', 60], ['second', 1],
];

/** "in 3 hours", "yesterday". */
export function ago(at: number | string, now = Date.now()): string {
  const seconds = Math.round((new Date(at).getTime() - now) / 1000);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  return relative.format(Math.trunc(seconds / size), unit);
}

/** A day as one number: cheap to compare. */
export function dayOf(at: number): number {
  const day = new Date(at);
  return day.getFullYear() * 10_000 + day.getMonth() * 100 + day.getDate();
}

const words = new Map<number, string>();

/** "Yesterday" */
function dayWord(days: number): string {
  let word = words.get(days);
  if (word === undefined) {
    const plain = relative.format(days, 'day');
    words.set(days, (word = `${plain[0]!.toLocaleUpperCase()}${plain.slice(1)}`));
  }
  return word;
}

/** "Today, 14:02", or the date. */
export function moment(at: number | string): string {
  const time = new Date(at).getTime();
  // Days of 23 or 25 hours are still days.
  const days = Math.round((new Date(time).setHours(0, 0, 0, 0) - new Date().setHours(0, 0, 0, 0)) / 86_400_000);
  if (days > 1 || days < -1) return dateTime(time);
  return `${dayWord(days)}, ${clock(time)}`;
}

export function bytes(size: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  let at = 0;
  while (size >= 1000 && at < units.length - 1) {
    size /= 1000;
    at++;
  }
  return new Intl.NumberFormat(undefined, { style: 'unit', unit: units[at], unitDisplay: 'short', maximumFractionDigits: size < 10 && at > 0 ? 1 : 0 }).format(size);
}

/** "a, b and c" */
export const listed = (names: string[]) => new Intl.ListFormat(undefined, { type: 'conjunction' }).format(names);

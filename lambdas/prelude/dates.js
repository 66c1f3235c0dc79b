// Helpers for dates: as texts, as distances, in working hours.

const STYLES = {
  short: { dateStyle: "short", timeStyle: "short" },
  medium: { dateStyle: "medium", timeStyle: "short" },
  long: { dateStyle: "long", timeStyle: "short" },
  date: { dateStyle: "medium" },
  time: { timeStyle: "short" },
};

let locale = "en-US"; // of the caller

// A format takes a third of a millisecond to make, so a few are kept. Nothing of a row is in them.
const formats = new Map();
const FORMATS_KEPT = 32;

function kept(key, make) {
  let found = formats.get(key);
  if (found === undefined) {
    found = make();
    if (formats.size >= FORMATS_KEPT) formats.clear();
    formats.set(key, found);
  }
  return found;
}

// The language of `me`, in either notation (de_DE, de-DE); English where there is none such.
function localeOf(me) {
  const wanted = typeof me === "object" && me !== null ? me.locale : undefined;
  if (typeof wanted !== "string" || wanted === "") return "en-US";
  try {
    const tag = wanted.replaceAll("_", "-");
    return tag === "en" ? "en-US" : Intl.getCanonicalLocales(tag)[0];
  } catch {
    return "en-US";
  }
}

// A date of a Date, a number of milliseconds or a text; null where it is none.
function dateOf(value) {
  if (value === null || value === undefined || value === "") return null;
  const time = value instanceof RealDate ? RealDate.prototype.getTime.call(value) : new RealDate(value).getTime();
  return Number.isNaN(time) ? null : new RealDate(time);
}

function needDate(value, helper) {
  const date = dateOf(value);
  if (date === null) throw new TypeError(`${helper}: ${cut(String(value), 40)} is no date.`);
  return date;
}

const UNITS = [
  ["year", 31557600e3],
  ["month", 2629800e3],
  ["day", 864e5],
  ["hour", 36e5],
  ["minute", 6e4],
];

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const DAY_MS = 864e5;
const DAYS_AT_MOST = 3700; // ten years

// How far the clocks of a zone are before UTC at a moment.
function offsetAt(time, zone) {
  if (zone === "UTC") return 0;
  const format = kept(
    `clock ${zone}`,
    () =>
      new Intl.DateTimeFormat("en-US", {
        timeZone: zone,
        hourCycle: "h23",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      }),
  );
  const part = {};
  for (const { type, value } of format.formatToParts(time)) part[type] = Number(value);
  return (
    RealDate.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) -
    Math.floor(time / 1000) * 1000
  );
}

// The moment at which the clocks of a zone show something. Where the first guess lands, the offset may be another.
function momentOf(shown, zone) {
  const guess = shown - offsetAt(shown, zone);
  return shown - offsetAt(guess, zone);
}

const WORKING = [8, 18];
const WEEK = { Mon: WORKING, Tue: WORKING, Wed: WORKING, Thu: WORKING, Fri: WORKING };

function openings(hours) {
  if (hours === undefined || hours === null) return [];
  const spans = Array.isArray(hours) && Array.isArray(hours[0]) ? hours : [hours];
  for (const span of spans) {
    const [start, end] = Array.isArray(span) ? span : [];
    if (!(start >= 0 && start <= end && end <= 24))
      throw new TypeError("businessHours: the hours of a day are written as [8, 18].");
  }
  return spans;
}

function readCalendar(calendar) {
  const { zone = "UTC", days = WEEK, holidays = [] } = calendar ?? {};
  return { zone: String(zone), days: DAYS.map((day) => openings(days[day])), holidays: new Set(holidays.map(String)) };
}

// Milliseconds of a day (given by its midnight, as if in UTC) that lie between two moments and in working hours.
// `offsets` are those of its zone at both ends of the day; asking for one is dear, and they are seldom different.
function worked(midnight, offsets, from, to, calendar) {
  const [early, late] = offsets;
  const moment = (shown) => (early === late ? shown - early : momentOf(shown, calendar.zone));
  const day = new RealDate(midnight);
  const text = day.toISOString().slice(0, 10);
  if (calendar.holidays.has(text) || calendar.holidays.has(text.slice(5))) return 0;
  let sum = 0;
  for (const [start, end] of calendar.days[day.getUTCDay()]) {
    const opens = moment(midnight + start * 36e5);
    const closes = moment(midnight + end * 36e5);
    sum += Math.max(0, Math.min(closes, to) - Math.max(opens, from));
  }
  return sum;
}

const dateHelpers = {
  formatDate(value, style = "medium", zone = "UTC") {
    if (value === null || value === undefined || value === "") return "-";
    const date = dateOf(value);
    if (date === null) return String(value);
    if (style === "iso") return date.toISOString();
    if (typeof style !== "string" || !Object.hasOwn(STYLES, style))
      throw new TypeError(`formatDate: styles are ${Object.keys(STYLES).join(", ")}, iso.`);
    const timeZone = String(zone); // once: an object could say something else when it is asked again
    const make = () => new Intl.DateTimeFormat(locale, { ...STYLES[style], timeZone });
    return kept(`${style} ${locale} ${timeZone}`, make).format(date).replaceAll("\u202f", " ");
  },

  ago(value) {
    const distance = needDate(value, "ago").getTime() - clock;
    const format = kept(`ago ${locale}`, () => new Intl.RelativeTimeFormat(locale));
    const [unit, size] = UNITS.find(([, size]) => Math.abs(distance) >= size) ?? [];
    if (unit !== undefined) return format.format(Math.trunc(distance / size), unit);
    return kept(`now ${locale}`, () => new Intl.RelativeTimeFormat(locale, { numeric: "auto" })).format(0, "second");
  },

  businessHours(from, to, calendar) {
    const start = needDate(from, "businessHours").getTime();
    const end = needDate(to, "businessHours").getTime();
    if (start > end) return -dateHelpers.businessHours(to, from, calendar);
    if (end - start > DAYS_AT_MOST * DAY_MS)
      throw new RangeError("businessHours: the dates are more than ten years apart.");
    const read = readCalendar(calendar);
    const first = Math.floor((start + offsetAt(start, read.zone)) / DAY_MS) * DAY_MS;
    const last = end + offsetAt(end, read.zone);
    let sum = 0;
    let early = offsetAt(momentOf(first, read.zone), read.zone);
    for (let midnight = first; midnight <= last; midnight += DAY_MS) {
      const late = offsetAt(midnight + DAY_MS - early, read.zone);
      sum += worked(midnight, [early, late], start, end, read);
      early = late;
    }
    return sum / 36e5;
  },
};

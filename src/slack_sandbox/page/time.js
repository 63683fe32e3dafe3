// Times as the acting person reads them, in their own zone.

const DAY = 86400;
const WHOLE = {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
};
let zone = "UTC";
let now = 0; // seconds

export function setZone(name) {
  zone = name;
}

export function setNow(seconds) {
  now = seconds;
}

const formats = new Map(); // made once each: a list of messages asks for thousands of times

function formatOf(options) {
  const key = JSON.stringify([zone, options]);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }));
  return formats.get(key);
}

const format = (seconds, options) => formatOf(options).format(new Date(seconds * 1000));

export const at = () => now;
export const today = () => dayOf(now);
export const shortTime = (seconds) => format(seconds, { hour: "2-digit", minute: "2-digit" });
export const dayOf = (seconds) => format(seconds, { weekday: "long", day: "numeric", month: "long" });
export const clockTime = (seconds) =>
  format(seconds, {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });

export function sinceWhen(seconds) {
  const day =
    dayOf(seconds) === dayOf(now)
      ? "today"
      : dayOf(seconds) === dayOf(now - DAY)
        ? "yesterday"
        : `on ${format(seconds, { day: "numeric", month: "short" })}`;
  return `Last reply ${day} at ${shortTime(seconds)}`;
}

// Returns the next such moment in the person's zone. weekday: Monday is 0.
export function nextWeekly([weekday, hour, minute]) {
  const midnight = Math.floor(shownAsUtc(now) / DAY) * DAY;
  const days = (weekday + 8 - new Date(midnight * 1000).getUTCDay()) % 7;
  const wanted = midnight + days * DAY + hour * 3600 + minute * 60;
  const next = instantOf(wanted);
  return next > now ? next : instantOf(wanted + 7 * DAY);
}

// A moment as the person's clock shows it, "2026-11-24T09:30", and back.
export const asLocal = (seconds) => new Date(shownAsUtc(seconds) * 1000).toISOString().slice(0, 16);
export const fromLocal = (text) => instantOf(Date.parse(`${text}Z`) / 1000);

// The instant of a local time: a guess as if the zone were UTC, corrected by what the zone's clock then shows.
function instantOf(wanted) {
  let guess = wanted;
  for (let round = 0; round < 2; round += 1) guess += wanted - shownAsUtc(guess);
  return guess;
}

// What the zone's clock shows, to the minute, as if it were UTC.
function shownAsUtc(seconds) {
  const parts = Object.fromEntries(
    formatOf(WHOLE)
      .formatToParts(new Date(seconds * 1000))
      .map((part) => [part.type, part.value]),
  );
  return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute) / 1000;
}

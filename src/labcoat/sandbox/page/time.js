// Times as the acting person reads them, in their own zone.

let zone = "UTC";
let now = 0; // seconds

export function setZone(name) {
  zone = name;
}

export function setNow(seconds) {
  now = seconds;
}

const format = (seconds, options) =>
  new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }).format(new Date(seconds * 1000));

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
      : dayOf(seconds) === dayOf(now - 86400)
        ? "yesterday"
        : `on ${format(seconds, { day: "numeric", month: "short" })}`;
  return `Last reply ${day} at ${shortTime(seconds)}`;
}

// Returns the next such moment in the person's zone. weekday: Monday is 0.
export function nextWeekly([weekday, hour, minute]) {
  for (let days = 0; days <= 7; days += 1) {
    const at = atLocal(now + days * 86400, hour, minute);
    const isDay = format(at, { weekday: "long" }) === WEEKDAYS[weekday];
    if (isDay && at > now) return at;
  }
  return now + 7 * 86400;
}

const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

// The instant of a local time: a guess as if the zone were UTC, corrected by what the zone's clock then shows.
function atLocal(seconds, hour, minute) {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat("en-GB", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" })
      .formatToParts(new Date(seconds * 1000))
      .map((part) => [part.type, part.value]),
  );
  return instantOf(Date.UTC(parts.year, parts.month - 1, parts.day, hour, minute) / 1000);
}

// A moment as the person's clock shows it, "2026-11-24T09:30", and back.
export const asLocal = (seconds) => new Date(shownAsUtc(seconds) * 1000).toISOString().slice(0, 16);
export const fromLocal = (text) => instantOf(Date.parse(`${text}Z`) / 1000);

function instantOf(wanted) {
  let at = wanted;
  for (let round = 0; round < 2; round += 1) at += wanted - shownAsUtc(at);
  return at;
}

function shownAsUtc(seconds) {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    })
      .formatToParts(new Date(seconds * 1000))
      .map((part) => [part.type, part.value]),
  );
  return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute) / 1000;
}

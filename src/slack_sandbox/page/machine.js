// The time machine: moves the clock of an app that has one of its own, and shows that it is on its way.

import { post } from "/page/control.js";
import { at, nextWeekly } from "/page/time.js";

const $ = (selector) => document.querySelector(selector);
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
let weekly = null;
let page = null;

// refresh: shows what happened on the way. onWeek: called when time has come to the weekly moment.
export function wireMachine(workspace, { refresh, onWeek }) {
  weekly = workspace.weekly;
  page = { refresh, onWeek };
  const [day, ...time] = weekly;
  const shown = time.map((part) => String(part).padStart(2, "0")).join(":");
  $("#week").textContent = `Next ${WEEKDAYS[day]} ${shown}`;
  $("#machine").hidden = !workspace.has_clock;
  $("#hour").addEventListener("click", () => moveTo(at() + 3600));
  $("#day").addEventListener("click", () => moveTo(at() + 86400));
  $("#week").addEventListener("click", moveToNextWeek);
}

export async function moveToNextWeek() {
  if (await moveTo(nextWeekly(weekly))) page.onWeek();
}

// Returns whether time moved.
async function moveTo(seconds) {
  const buttons = document.querySelectorAll("#machine button");
  for (const button of buttons) button.disabled = true;
  document.body.classList.add("time-flies");
  const result = await post("clock", { to: new Date(Math.round(seconds) * 1000).toISOString() });
  document.body.classList.remove("time-flies");
  for (const button of buttons) button.disabled = false;
  await page.refresh();
  return result !== null;
}

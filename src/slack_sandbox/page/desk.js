// The desk beside Slack: first things to try, the requests between Slack and the app, and trouble on demand.

import { ask, oneAtATime, post, toast } from "/page/control.js";
import { element } from "/page/text.js";

const MOST_SHOWN = 120;
const PAUSE_MS = 100;
const FAULTS = [
  ["ratelimited", "429 Too many requests", "Slack says: come back in 2 s"],
  ["error_500", "500 Server error", "Slack fails"],
  ["slow", "Slow", "Slack takes 2 s for each call"],
  ["drop_before", "Lost before storing", "the line drops, nothing was done"],
  ["drop_after", "Lost after storing", "it was done, but the app never hears so"],
];
const MEANINGS = {
  dispatch_failed: "Nobody answers at the app's address. Is it running there?",
  operation_timeout: "The app gave no answer within 3 seconds.",
  http_client_error: "The app answered 4xx: it has no listener for this, or does not take the signature.",
  http_service_error: "The app answered 5xx: look at its log.",
};
const $ = (selector) => document.querySelector(selector);
let calls = [];
let lastNumber = 0;
let newsSince = Date.now() / 1000; // what happened before is shown, but no news
let guide = null;

// act: what a step's button does.
export function wireDesk(workspace, { act }) {
  const key = `done-${workspace.started_at}`;
  guide = { ...workspace.guide, key, done: new Set(JSON.parse(sessionStorage.getItem(key) ?? "[]")), act };
  for (const name of ["guide", "requests", "faults"]) $(`#open-${name}`).addEventListener("click", () => show(name));
  $("#close-desk").addEventListener("click", () => show(null));
  $("#open-guide").hidden = guide.steps.length === 0;
  drawFaults();
  drawGuide();
  show(guide.steps.length && innerWidth > 1100 ? "guide" : null);
}

export function show(name) {
  const isSame = name !== null && $("#desk").dataset.shown === name;
  const next = isSame ? null : name;
  $("#desk").hidden = next === null;
  $("#desk").dataset.shown = next ?? "";
  for (const one of ["guide", "requests", "faults"]) {
    $(`#${one}`).hidden = one !== next;
    $(`#open-${one}`).setAttribute("aria-expanded", String(one === next));
  }
  $("#desk-title").textContent =
    { guide: "Start here", requests: "Between Slack and the app", faults: "Trouble on demand" }[next] ?? "";
  if (next === "requests") drawCalls();
}

// What happened up to now is no visitor's doing.
export function forgetNews() {
  newsSince = Date.now() / 1000;
}

// Asks what was said between Slack and the app since the last time; tells about what Slack refused.
export const learnCalls = oneAtATime(async () => {
  const news = (await ask("calls", { after: lastNumber, limit: MOST_SHOWN }).catch(() => ({ calls: [] }))).calls;
  if (!news.length) return;
  lastNumber = news.at(-1).number;
  calls = [...calls, ...news].slice(-MOST_SHOWN);
  if (!$("#curtain").hidden) forgetNews();
  const fresh = news.filter((call) => call.at >= newsSince);
  const refused = fresh.filter((call) => problemsOf(call).length);
  if (refused.length) tellRefused(refused.at(-1));
  $("#open-requests").classList.toggle(
    "has-problem",
    calls.some((call) => problemsOf(call).length),
  );
  fresh.forEach(tick);
  if (!$("#requests").hidden) drawCalls();
}, PAUSE_MS);

function tellRefused(call) {
  const look = element("button", { type: "button", onclick: () => $("#requests").hidden && show("requests") }, "Look");
  toast(`Slack refused ${call.method}: ${problemsOf(call)[0]}`, { isProblem: true, action: look });
}

const problemsOf = (call) => (call.direction === "to_slack" ? (call.answer?.response_metadata?.messages ?? []) : []);

// Rows that are there stay, with what is open or selected in them.
function drawCalls() {
  const list = $("#requests .calls");
  const known = new Map([...list.children].map((row) => [row.dataset.number, row]));
  const rows = [...calls].reverse().map((call) => known.get(String(call.number)) ?? drawCall(call));
  const keep = new Set(rows);
  for (const row of known.values()) if (!keep.has(row)) row.remove();
  list.prepend(...rows.filter((row) => !row.isConnected));
  $("#requests .none").hidden = rows.length > 0;
}

function drawCall(call) {
  const problems = problemsOf(call);
  const row = element(
    "details",
    { className: `call ${call.ok ? "" : "failed"}`, "data-number": call.number },
    element(
      "summary",
      {},
      element("span", { className: "arrow" }, call.direction === "to_app" ? "→" : "←"),
      element("code", {}, call.method),
      element("span", { className: "small about" }, call.error ?? summaryOf(call)),
      element("span", { className: `ms ${call.ms > 1000 ? "slow" : ""}` }, `${call.status ?? "–"} · ${call.ms} ms`),
    ),
    problems.length
      ? element("ul", { className: "problems" }, ...problems.map((problem) => element("li", {}, problem)))
      : null,
  );
  row.addEventListener("toggle", () => row.open && fill(row, call));
  return row;
}

function fill(row, call) {
  if (row.querySelector("pre")) return;
  const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
  if (MEANINGS[call.error]) row.append(element("p", { className: "problems" }, MEANINGS[call.error]));
  row.append(element("h4", {}, "Sent"), element("pre", {}, pretty(call.payload ?? null)));
  row.append(
    element("h4", {}, call.direction === "to_app" ? "Ack" : "Answer"),
    element("pre", {}, call.answer ? pretty(call.answer) : "(empty)"),
  );
}

function summaryOf({ payload }) {
  const said =
    payload?.actions?.[0]?.action_id ?? payload?.view?.callback_id ?? payload?.text ?? payload?.view?.title?.text ?? "";
  return String(said).slice(0, 60);
}

function drawGuide() {
  const isNext = (step) => guide.steps.find((one) => !guide.done.has(one.title)) === step;
  const rows = guide.steps.map((step) =>
    element(
      "li",
      { className: guide.done.has(step.title) ? "done" : isNext(step) ? "next" : "" },
      element("h3", {}, step.title),
      element("p", {}, step.text),
      element(
        "button",
        { type: "button", className: isNext(step) ? "primary" : "", onclick: () => guide.act(step) },
        step.action,
      ),
    ),
  );
  const isAll = guide.steps.length > 0 && guide.done.size === guide.steps.length;
  $("#guide").replaceChildren(
    element("p", {}, guide.welcome),
    element("ol", { className: "steps" }, ...rows),
    isAll
      ? element("p", { className: "small" }, "That was the loop. Switch people, move time, break things under Faults.")
      : "",
  );
  $("#open-guide .count").textContent = guide.steps.length ? `${guide.done.size}/${guide.steps.length}` : "";
}

function tick(call) {
  const sent = JSON.stringify(call.payload ?? "");
  const isSign = ({ method, holds }) =>
    method === call.method && (!holds.length || holds.some((text) => sent.includes(text)));
  if (call.ok) guide.steps.filter((step) => step.sign && isSign(step.sign)).forEach(finish);
}

export const finishWeekly = () => guide.steps.filter((step) => step.is_weekly).forEach(finish);

function finish(step) {
  if (guide.done.has(step.title)) return;
  guide.done.add(step.title);
  sessionStorage.setItem(guide.key, JSON.stringify([...guide.done]));
  drawGuide();
}

function drawFaults() {
  const method = element(
    "select",
    { "aria-label": "Which calls" },
    ...[
      ["*", "every call of the app"],
      ["chat.postMessage", "chat.postMessage"],
      ["chat.update", "chat.update"],
      ["views.open", "views.open"],
      ["response_url", "response_url"],
    ].map(([value, label]) => element("option", { value }, label)),
  );
  const on = (kind) => post("faults", { method: method.value, kind, times: null, seconds: 2 });
  const off = (kind) => post(`faults?kind=${kind}`, undefined, { method: "DELETE" });
  method.addEventListener("change", async () => {
    for (const box of document.querySelectorAll("#faults :checked[role=switch]")) {
      await off(box.value);
      await on(box.value);
    }
  });
  const toggle = ([kind, label, note]) => {
    const box = element("input", {
      type: "checkbox",
      role: "switch",
      value: kind,
      onchange: () => (box.checked ? on(kind) : off(kind)),
    });
    return element(
      "label",
      { className: "switch" },
      box,
      element("span", {}, label, element("span", { className: "hint" }, note)),
    );
  };
  ask("faults").then(({ waiting }) =>
    waiting
      .filter((fault) => fault.times === null)
      .forEach((fault) => {
        const box = $(`#faults [value="${fault.kind}"]`);
        if (box) box.checked = true;
        method.value = fault.method;
      }),
  );
  $("#faults").replaceChildren(
    element(
      "p",
      { className: "small" },
      "While a switch is on, the calls below meet this trouble. A good app loses nothing and says nothing twice.",
    ),
    method,
    ...FAULTS.map(toggle),
  );
}

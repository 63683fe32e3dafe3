// The line to the control API, and what the page says while it waits or when something is not possible.

import { element } from "/page/text.js";

const toastPlace = document.querySelector("#toast");
const progress = document.querySelector("#progress");
const BUSY_AFTER_MS = 150;
let waiting = 0;
let toastTimer = null;

export class Offline extends Error {}

// Returns what the control API shows; throws Offline when nobody answers, or not in a way that can be read.
export async function ask(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined);
  const answer = await fetch(`/sandbox/${path}?${new URLSearchParams(given)}`).catch(() => {
    throw new Offline(path);
  });
  if (answer.status >= 500) throw new Offline(path);
  return answer.json();
}

// Returns the outcome of an act; where Slack's screens would not offer it, says why and returns null.
export async function post(path, body, { method = "POST" } = {}) {
  waiting += 1;
  const timer = setTimeout(() => (progress.hidden = false), BUSY_AFTER_MS);
  try {
    const answer = await fetch(`/sandbox/${path}`, {
      method,
      headers: { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (answer.status >= 500) toast("The sandbox failed at this. Its terminal says why.", { isProblem: true });
    else if (answer.ok) return await answer.json();
    else toast((await answer.json()).error);
  } catch {
    toast("The sandbox does not answer. Is its process still running?");
  } finally {
    clearTimeout(timer);
    waiting -= 1;
    progress.hidden = waiting === 0;
  }
  return null;
}

export function toast(words, { isProblem = false, action = null } = {}) {
  toastPlace.replaceChildren(element("span", {}, words), ...(action ? [action] : []));
  toastPlace.className = isProblem ? "problem" : "";
  toastPlace.hidePopover();
  toastPlace.showPopover(); // above an open form too
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => toastPlace.hidePopover(), isProblem ? 12000 : 6000);
}

// Returns what starts `work`, one run at a time; being asked meanwhile leads to one more run, after a pause.
export function oneAtATime(work, pauseMs) {
  let running = null;
  let isWanted = false;
  const run = async () => {
    while (isWanted) {
      isWanted = false;
      await work();
      if (isWanted) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  return () => {
    isWanted = true;
    running ??= run().finally(() => (running = null));
    return running;
  };
}

// Shows that a button works until `work` is done, and keeps it from being pressed twice by accident.
export async function busy(button, work) {
  button.classList.add("busy");
  button.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    button.classList.remove("busy");
    button.removeAttribute("aria-busy");
  }
}

// Returns the file's id, null if it was not taken.
export async function upload(user, file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const content = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const taken = await post("files", { user, name: file.name, content_base64: content });
  return taken?.file.id ?? null;
}

// The page: who you are, where you are, what you see; everything it does goes through the control API.

import { learnFaces } from "/page/avatar.js";
import { renderBlocks } from "/page/blocks.js";
import { wireComposer } from "/page/composer.js";
import { Offline, ask, oneAtATime, post, toast, upload } from "/page/control.js";
import { finishWeekly, forgetNews, learnCalls, show, wireDesk } from "/page/desk.js";
import { learnChoices } from "/page/fields.js";
import { moveToNextWeek, wireMachine } from "/page/machine.js";
import { MessageList } from "/page/messages.js";
import { showModal } from "/page/modal.js";
import { showMenu } from "/page/popover.js";
import { HOME, drawPeople, drawPlaces } from "/page/sidebar.js";
import { element, learnNames } from "/page/text.js";
import "/page/theme.js";
import { clockTime, setNow, setZone } from "/page/time.js";

const $ = (selector) => document.querySelector(selector);
const REFRESH_AFTER_MS = 16;
const CLOCK_MS = 20000;
const PHONE_PIXELS = 820;
const ROOM_FOR_BOTH_PIXELS = 1500;
const LONGEST_PRESS_MS = 800;
const now = {
  user: null,
  place: null,
  thread: null,
  workspace: null,
  screen: null,
  visit: 0,
  since: 0,
  homeMark: null,
};
let composer = null;
let reply = null;
let switching = 0;
const context = { send, openThread, shortcuts: () => now.workspace.shortcuts };
const channelList = new MessageList($("#messages"), {
  ...context,
  isThread: false,
  whenEmpty: "Nothing was said here yet.",
  newer: $("#newer"),
});
const threadList = new MessageList($("#replies"), { ...context, isThread: true });

// answered: called when the app has answered, before the screen is looked at again.
async function send(verb, body, { answered } = {}) {
  const result = await post(verb, { user: now.user, ...body });
  answered?.();
  await refresh();
  return result;
}

async function start() {
  now.workspace = await ask("workspace");
  const { team, bot, users, channels } = now.workspace;
  document.title = `${team.name} - Slack sandbox`;
  $("#team").textContent = team.name;
  learnNames([
    ...users.map((user) => [user.id, user.real_name]),
    ...channels.map((c) => [c.id, c.name]),
    [bot.user_id, bot.name],
    ["USLACKBOT", "Slackbot"],
  ]);
  learnChoices(
    users.map((user) => [user.id, user.real_name]),
    channels.map((channel) => [channel.id, `#${channel.name}`]),
  );
  learnFaces(now.workspace);
  composer = wireComposer(
    $("#composer"),
    writing(() => null),
  );
  reply = wireComposer(
    $("#reply"),
    writing(() => now.thread),
  );
  wireControls();
  wireMachine(now.workspace, { refresh, onWeek: finishWeekly });
  wireDesk(now.workspace, { act: followGuide });
  now.place = location.hash.slice(1).split("/")[0] || null;
  await actAs(
    users.find((user) => user.id === sessionStorage.getItem("user") && !user.deleted)?.id ??
      users.find((user) => !user.deleted).id,
  );
  openAddress();
  window.addEventListener("hashchange", openAddress);
  listen();
}

function writing(thread) {
  return {
    commands: () => (thread() ? [] : now.workspace.commands),
    people: () => [...now.workspace.users, { name: now.workspace.bot.name, real_name: "App" }],
    send: (text) => write(text, thread()),
  };
}

async function write(text, thread) {
  if (text.startsWith("/")) {
    if (thread) return toast("Slash commands don't work in threads. Type it in the channel.");
    const [command, ...words] = text.split(" ");
    return (await send("command", { channel: now.place, command, text: words.join(" ") })) !== null;
  }
  return (await send("say", { channel: now.place, text, ...(thread ? { thread_ts: thread } : {}) })) !== null;
}

function wireControls() {
  $("#close-thread").addEventListener("click", () => openThread(null));
  $("#menu").addEventListener("click", () => showNav(!document.body.classList.contains("shows-nav")));
  const global = now.workspace.shortcuts.filter((shortcut) => !shortcut.on_message);
  $("#shortcuts").hidden = global.length === 0;
  $("#shortcuts").addEventListener("click", (event) =>
    showMenu(
      event.currentTarget,
      global.map((one) => ({ text: one.name, run: () => send("shortcut", { callback_id: one.callback_id }) })),
      { label: "Shortcuts" },
    ),
  );
  $("#home-tab").addEventListener("click", () => goTo(HOME));
  $("#messages-tab").addEventListener("click", () => goTo(directId()));
  document.addEventListener("keydown", pressKey);
}

function showNav(isShown) {
  document.body.classList.toggle("shows-nav", isShown);
  $("#menu").setAttribute("aria-expanded", String(isShown));
}

const directId = () => now.screen.conversations.find((one) => one.is_im)?.id;

function pressKey(event) {
  if (document.querySelector("dialog[open]") || $("#body").inert) return;
  const isTyping = event.target.matches("input, textarea, select");
  if (event.key === "Escape") {
    showNav(false);
    if (now.thread) openThread(null);
  } else if (event.key === "/" && !isTyping) {
    event.preventDefault();
    composer.fill("/");
  } else if (event.altKey && ["ArrowDown", "ArrowUp"].includes(event.key)) {
    event.preventDefault();
    const places = now.screen.conversations.map((one) => one.id);
    const at = places.indexOf(now.place) + (event.key === "ArrowDown" ? 1 : -1);
    goTo(places[(at + places.length) % places.length]);
  }
}

function listen() {
  const stream = new EventSource("/sandbox/stream");
  stream.addEventListener("changed", (event) => {
    const { what } = JSON.parse(event.data);
    if (what !== "calls") refresh(); // after "hello", (again) on the line, for what came meanwhile
    if (what === "calls" || what === "hello") learnCalls();
  });
  document.addEventListener("visibilitychange", refresh);
  setInterval(refresh, CLOCK_MS); // the clock goes on by itself
  stream.addEventListener("error", () => ($("#offline").hidden = false));
}

// Nothing changes before it is known what the person may see: then everything does at once.
async function actAs(user) {
  const mine = ++switching;
  const { conversations: known } = await ask("conversations", { user }).catch(() => ({}));
  if (mine !== switching) return; // switched again meanwhile
  if (!known) return leaveTo(user);
  now.user = user;
  sessionStorage.setItem("user", user);
  setZone(now.workspace.users.find((one) => one.id === user).tz);
  const isThere = now.place === HOME || known.some((one) => one.id === now.place);
  await goTo(isThere ? now.place : (known.find((one) => one.has_bot && !one.is_im) ?? known[0]).id);
}

// Someone who is gone cannot be acted as; nor can anyone while nobody answers.
async function leaveTo(gone) {
  const { users } = await ask("workspace").catch(() => ({ users: [] }));
  if (!users.length) return void ($("#offline").hidden = false);
  now.workspace.users = users;
  const other = users.find((one) => !one.deleted && one.id !== gone);
  if (other && (!now.user || now.user === gone)) await actAs(other.id);
  else {
    toast("Nobody can be this person now.");
    await refresh();
  }
}

async function goTo(place) {
  showNav(false);
  now.place = place;
  now.thread = null;
  now.since = 0;
  now.visit += 1;
  channelList.clear();
  composer.writesFor(`${now.user} ${place}`);
  if (place === HOME) await post("open_home", { user: now.user });
  else if (location.hash.slice(1).split("/")[0] !== place) history.replaceState(null, "", `#${place}`);
  await refresh();
}

async function openThread(ts) {
  now.thread = ts;
  now.visit += 1;
  if (ts && innerWidth < ROOM_FOR_BOTH_PIXELS) show(null); // the desk makes room
  threadList.clear();
  reply.writesFor(`${now.user} ${now.place} ${ts}`);
  await refresh();
  if (ts) $("#reply-line").focus();
}

async function openAddress() {
  const [channel, message, thread] = location.hash.slice(1).split("/");
  if (!channel || !now.screen?.conversations.some((one) => one.id === channel)) return;
  if (now.place !== channel) await goTo(channel);
  const ts = (message ?? "").replace(/^p(\d+)(\d{6})$/, "$1.$2");
  if (thread) await openThread(thread);
  const target = document.getElementById(`m-${thread ? "t" : "c"}-${ts}`);
  if (!target) return;
  (thread ? threadList : channelList).hold();
  target.scrollIntoView({ block: "center" });
  target.classList.add("found");
}

const refresh = oneAtATime(async () => {
  try {
    await look();
    $("#offline").hidden = true;
  } catch (problem) {
    if (!(problem instanceof Offline)) throw problem;
    $("#offline").hidden = false;
  }
}, REFRESH_AFTER_MS);

async function look() {
  const { user, place, thread, since, visit } = now;
  const channel = place === HOME ? null : place;
  const screen = await ask("screen", { user, channel, thread_ts: thread, since });
  await released();
  if (visit !== now.visit) return void refresh(); // someone else, or somewhere else, meanwhile
  if (screen.ok === false) return void setTimeout(() => actAs(user)); // no longer a member here, say
  if (screen.started_at !== now.workspace.started_at) return location.reload(); // another sandbox stands here now
  now.screen = screen;
  now.since = screen.revision;
  setNow(Date.parse(screen.now) / 1000);
  $("#now").textContent = clockTime(Date.parse(screen.now) / 1000);
  drawPeople($("#people"), { users: now.workspace.users, user, waiting: screen.waiting, actAs });
  drawPlaces($("#places"), { conversations: screen.conversations, here: place, bot: now.workspace.bot, goTo });
  drawHeader(screen);
  if (!$("#curtain").hidden) forgetNews();
  $("#curtain").hidden = !screen.curtain;
  $("#curtain p").textContent = screen.curtain;
  for (const part of [$("#body"), $("#machine")]) part.inert = Boolean(screen.curtain);
  if (channel) channelList.update(screen.messages, since ? screen.changed : null);
  else drawHome(screen.home);
  $("#thread").hidden = !thread;
  if (thread) threadList.update(screen.thread, null);
  showModal(screen.view[0], { send, upload: (file) => upload(now.user, file), icon: now.workspace.bot.icon });
  const here = screen.conversations.find((one) => one.id === place);
  if (here?.unread && !document.hidden) {
    post("read", { user, channel: place });
    here.unread = 0;
  }
}

// A button that is drawn anew between press and release would swallow the click.
function released() {
  if (!document.querySelector("main button:active, #thread button:active")) return null;
  return new Promise((resolve) => {
    addEventListener("pointerup", () => setTimeout(resolve), { once: true });
    setTimeout(resolve, LONGEST_PRESS_MS);
  });
}

function drawHeader(screen) {
  const here = screen.conversations.find((one) => one.id === now.place);
  const isApp = !here || here.is_im;
  $("#channel-name").textContent = isApp ? now.workspace.bot.name : `${here.is_private ? "🔒" : "#"} ${here.name}`;
  $("#members").textContent = isApp ? "" : `${here.members.length} members`;
  $("#app-tabs").hidden = !isApp;
  $("#home-tab").setAttribute("aria-selected", String(!here));
  $("#messages-tab").setAttribute("aria-selected", String(Boolean(here)));
  $("#composer").hidden = !here || here.is_archived;
  $("#line").placeholder = isApp
    ? `Message ${now.workspace.bot.name}`
    : `Message #${here.name}, or type / for commands`;
}

function drawHome(view) {
  const mark = JSON.stringify([now.user, view?.id, view?.hash]);
  if (now.homeMark === mark && $("#messages .home")) return;
  now.homeMark = mark;
  const act = async (item, block, option) => {
    await send("view_click", { view_id: view.id, action_id: item.action_id, block_id: block.block_id, option });
  };
  const blocks = view
    ? renderBlocks(view.blocks, { act, values: view.state.values })
    : [element("p", { className: "empty" }, "The app has not published its Home tab for you yet.")];
  $("#messages").replaceChildren(element("li", { className: "home" }, ...blocks));
}

async function followGuide(step) {
  if (innerWidth < PHONE_PIXELS) show(null);
  if (step.user && step.user !== now.user) await actAs(step.user);
  if (step.channel && step.channel !== now.place) await goTo(step.channel);
  if (step.draft) composer.fill(step.draft);
  if (step.is_weekly) await moveToNextWeek();
}

start();

// The page: who you are, where you are, what you see; everything it does goes through the control API.

import { learnChoices, renderBlocks } from "/page/blocks.js";
import { isConfirmed, showModal } from "/page/modal.js";
import { element, learnNames, mrkdwn, nameOf } from "/page/text.js";

const $ = (selector) => document.querySelector(selector);
const HOME = "home";
const now = { user: null, place: null, thread: null, workspace: null, conversations: [] };

async function ask(path, parameters = {}) {
  const answer = await fetch(`/sandbox/${path}?${new URLSearchParams(parameters)}`);
  return answer.json();
}

async function post(path, body) {
  const answer = await fetch(`/sandbox/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user: now.user, ...body }),
  });
  const result = await answer.json();
  if (answer.status === 400) toast(result.error);
  return result;
}

async function send(path, body) {
  const result = await post(path, body);
  await refresh();
  return result;
}

async function upload(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const content = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return (await post("files", { name: file.name, content_base64: content })).file.id;
}

function toast(words) {
  const place = $("#toast");
  place.textContent = words;
  place.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => (place.hidden = true), 6000);
}

async function start() {
  now.workspace = await ask("workspace");
  const { team, bot, users, channels, shortcuts } = now.workspace;
  $("#team").textContent = team.name;
  learnNames([...users.map((user) => [user.id, user.name]), ...channels.map((c) => [c.id, c.name]), [bot.user_id, bot.name], ["USLACKBOT", "Slackbot"]]);
  learnChoices(users.map((user) => [user.id, user.real_name]), channels.map((channel) => [channel.id, `#${channel.name}`]));
  const active = users.filter((user) => !user.deleted);
  $("#person").append(...active.map((user) => element("option", { value: user.id }, `${user.real_name} (${user.role})`)));
  $("#person").addEventListener("change", (event) => actAs(event.target.value));
  $("#global-shortcuts").hidden = !shortcuts.some((shortcut) => !shortcut.on_message);
  $("#global-shortcuts").addEventListener("click", () => chooseShortcut(false));
  wireComposer($("#composer"), $("#line"), () => null);
  wireComposer($("#reply"), $("#reply-line"), () => now.thread);
  $("#line").addEventListener("input", showHints);
  $("#close-thread").addEventListener("click", () => openThread(null));
  await actAs(sessionStorage.getItem("user") ?? active[0].id);
  openAddress();
  window.addEventListener("hashchange", openAddress);
  listen();
}

function listen() {
  let pending = null;
  const stream = new EventSource("/sandbox/stream");
  stream.addEventListener("changed", (event) => {
    if (JSON.parse(event.data).what === "calls") return;
    pending ??= setTimeout(() => {
      pending = null;
      refresh();
    }, 30);
  });
}

async function actAs(user) {
  now.user = user;
  sessionStorage.setItem("user", user);
  $("#person").value = user;
  now.conversations = (await ask("conversations", { user })).conversations;
  now.place = now.conversations.find((c) => c.id === now.place)?.id ?? now.conversations.find((c) => c.has_bot)?.id;
  now.thread = null;
  await refresh();
}

function openAddress() {
  const [channel, message, thread] = location.hash.slice(1).split("/");
  if (!channel || !now.conversations.some((c) => c.id === channel)) return;
  now.place = channel;
  const stamp = (message ?? "").replace(/^p(\d+)(\d{6})$/, "$1.$2");
  openThread(thread || stamp || null);
}

async function goTo(place) {
  now.place = place;
  now.thread = null;
  if (place === HOME) await post("open_home", {});
  await refresh();
}

async function openThread(ts) {
  now.thread = ts;
  await refresh();
}

async function refresh() {
  now.conversations = (await ask("conversations", { user: now.user })).conversations;
  showChannels();
  const isHome = now.place === HOME;
  $("#composer").hidden = isHome;
  if (isHome) await showHome();
  else showMessages($("#messages"), (await ask("messages", { user: now.user, channel: now.place })).messages, false);
  $("#thread").hidden = isHome || !now.thread;
  if (!isHome && now.thread) {
    const replies = await ask("messages", { user: now.user, channel: now.place, thread_ts: now.thread });
    showMessages($("#replies"), replies.messages, true);
  }
  showModal((await ask("views", { user: now.user })).views.at(-1), { send, upload });
}

function showChannels() {
  const bot = now.workspace.bot.name;
  const entry = (id, label) =>
    element("li", {}, element("button", { type: "button", "aria-current": String(id === now.place), onclick: () => goTo(id) }, label));
  const label = (c) => (c.is_im ? `@ ${bot} (messages)` : `${c.is_private ? "🔒" : "#"} ${c.name}${c.is_archived ? " (archived)" : ""}`);
  $("#channels").replaceChildren(...now.conversations.map((c) => entry(c.id, label(c))), entry(HOME, `⌂ ${bot} (home)`));
  const here = now.conversations.find((c) => c.id === now.place);
  $("#channel-name").textContent = here ? label(here) : `${bot}: Home`;
}

async function showHome() {
  const { view } = await ask("home", { user: now.user });
  const act = async (item, block, option) => {
    if (!(await isConfirmed(item.confirm))) return;
    await send("view_click", { view_id: view.id, action_id: item.action_id, block_id: block.block_id, option });
  };
  const blocks = view
    ? renderBlocks(view.blocks, { act, values: view.state.values })
    : [element("p", { className: "small" }, "The app has not published its Home tab for you yet.")];
  $("#messages").replaceChildren(element("li", { className: "home" }, ...blocks));
}

function showMessages(list, messages, isThread) {
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  list.replaceChildren(...messages.map((message) => showMessage(message, isThread)));
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

function showMessage(message, isThread) {
  const act = async (item, block, option) => {
    if (!(await isConfirmed(item.confirm))) return;
    await send("click", { channel: message.channel, ts: message.ts, action_id: item.action_id, block_id: block.block_id, option });
  };
  const time = new Date(Number(message.ts) * 1000);
  const body = message.blocks?.length ? renderBlocks(message.blocks, { act }) : [element("div", { className: "block" }, mrkdwn(message.text))];
  const files = (message.files ?? []).map((file) => element("div", { className: "block" }, element("a", { href: `/sandbox/files/${file.id}` }, file.title)));
  const canReply = !message.is_ephemeral && !isThread;
  return element("li", { className: `message${message.is_ephemeral ? " private" : ""}` },
    message.is_ephemeral ? element("div", { className: "private-mark" }, "👁 Only visible to you") : null,
    element("span", { className: "who" }, nameOf(message.user)),
    message.bot_id ? element("span", { className: "app" }, "APP") : null,
    element("time", { dateTime: time.toISOString() }, time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })),
    ...body, ...files,
    message.edited ? element("span", { className: "edited" }, "(edited)") : null,
    ...(message.reactions ?? []).map((reaction) => element("span", { className: "app" }, mrkdwn(`:${reaction.name}:`), ` ${reaction.count}`)),
    canReply && message.reply_count ? repliesLink(message) : null,
    canReply ? tools(message) : null);
}

function repliesLink(message) {
  const words = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
  return element("div", {}, element("button", { type: "button", className: "replies", onclick: () => openThread(message.ts) }, words));
}

function tools(message) {
  const hasShortcuts = now.workspace.shortcuts.some((shortcut) => shortcut.on_message);
  return element("div", { className: "tools" },
    element("button", { type: "button", onclick: () => openThread(message.thread_ts ?? message.ts) }, "Reply"),
    hasShortcuts ? element("button", { type: "button", onclick: () => chooseShortcut(true, message), "aria-label": "More actions" }, "⋯") : null);
}

function chooseShortcut(isOnMessage, message = null) {
  const dialog = $("#confirm");
  const place = message ? { channel: message.channel, ts: message.ts } : {};
  const choose = (shortcut) => () => {
    dialog.close();
    send("shortcut", { callback_id: shortcut.callback_id, ...place });
  };
  const known = now.workspace.shortcuts.filter((shortcut) => shortcut.on_message === isOnMessage);
  dialog.replaceChildren(
    element("form", { method: "dialog" },
      element("h2", { id: "confirm-title" }, "Shortcuts"),
      ...known.map((shortcut) => element("p", {}, element("button", { type: "button", onclick: choose(shortcut) }, shortcut.name))),
      element("footer", {}, element("button", { type: "submit" }, "Cancel"))));
  dialog.showModal();
}

function wireComposer(form, line, thread) {
  const submit = async (event) => {
    event.preventDefault();
    const text = line.value.trim();
    if (!text) return;
    line.value = "";
    showHints();
    const isCommand = text.startsWith("/");
    if (isCommand && thread()) return toast("Slash commands don't work in threads.");
    const [command, ...words] = text.split(" ");
    const result = isCommand
      ? await send("command", { channel: now.place, command, text: words.join(" ") })
      : await send("say", { channel: now.place, text, ...(thread() ? { thread_ts: thread() } : {}) });
    if (result.ok === false && result.status === undefined) line.value = text; // not possible here: keep what was typed
  };
  form.addEventListener("submit", submit);
  line.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  });
}

function showHints() {
  const typed = $("#line").value;
  const fitting = typed.startsWith("/") ? now.workspace.commands.filter((c) => c.command.startsWith(typed.split(" ")[0])) : [];
  $("#hints").textContent = fitting.map((c) => `${c.command} ${c.hint}`).join("   ");
}

start();

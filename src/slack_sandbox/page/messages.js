// A list of messages that keeps its elements: only what is new or changed is drawn again.

import { avatar } from "/page/avatar.js";
import { renderBlocks } from "/page/blocks.js";
import { showMenu } from "/page/popover.js";
import { element, mrkdwn, nameOf } from "/page/text.js";
import { dayOf, shortTime, sinceWhen, today } from "/page/time.js";

const SAME_BREATH_SECONDS = 300;
const NEAR_END_PIXELS = 120;

export class MessageList {
  // context: { send, openThread, shortcuts, isThread, whenEmpty, newer }; newer: the button that leads down to what came.
  constructor(list, context) {
    this.list = list;
    this.context = context;
    this.clear();
    context.newer?.addEventListener("click", () => this.toEnd());
    for (const kind of ["wheel", "touchmove", "keydown"])
      list.addEventListener(kind, () => (this.isHeld = true), { passive: true });
    list.addEventListener("scroll", () => this.isAtEnd() && this.offerNewer(0), { passive: true });
  }

  clear() {
    this.shown = new Map(); // ts -> { message, node, mark }
    this.list.replaceChildren();
    this.offerNewer(0);
  }

  // Keeps the list where it is, whatever was about to lead to its end.
  hold() {
    this.isHeld = true;
  }

  isAtEnd() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR_END_PIXELS;
  }

  offerNewer(count) {
    this.newerCount = count;
    if (!this.context.newer) return;
    this.context.newer.hidden = count === 0;
    this.context.newer.textContent = count === 1 ? "↓ 1 new message" : `↓ ${count} new messages`;
  }

  // changed: the stamps of what came, changed or went; what is not among messages has gone. null: these are all.
  update(messages, changed = null) {
    const isAtEnd = this.isAtEnd();
    const isFirst = this.shown.size === 0;
    const came = messages.filter((message) => !this.shown.has(message.ts)).length;
    const there = new Set(messages.map((message) => message.ts));
    for (const ts of changed ?? [...this.shown.keys()]) if (!there.has(ts)) this.shown.delete(ts);
    for (const message of messages) this.shown.set(message.ts, { ...this.shown.get(message.ts), message });
    const isNewDay = today() !== this.day;
    this.day = today();
    if (messages.length || changed?.length || changed === null || isNewDay) this.arrange();
    if (isAtEnd || isFirst) this.toEnd();
    else if (came) this.offerNewer(this.newerCount + came);
  }

  // Messages that were never on screen have a guessed height, so the end moves while one comes near it.
  toEnd(rounds = 6) {
    this.isHeld = rounds < 6 && this.isHeld; // whoever scrolls meanwhile is not pulled down again
    if (this.isHeld) return;
    this.list.scrollTop = this.list.scrollHeight;
    if (rounds > 0) requestAnimationFrame(() => this.toEnd(rounds - 1));
  }

  arrange() {
    const entries = [...this.shown.values()].sort((one, other) => (one.message.ts < other.message.ts ? -1 : 1));
    const wanted = [];
    let previous = null;
    for (const entry of entries) {
      const { message } = entry;
      const day = dayOf(message.shown_at);
      const isNewDay = !previous || dayOf(previous.shown_at) !== day;
      if (isNewDay && !this.context.isThread) wanted.push(this.divider(day));
      const isFollowing = !isNewDay && isSameBreath(previous, message);
      const mark = JSON.stringify([
        message,
        isFollowing,
        message.latest_reply_at && sinceWhen(message.latest_reply_at),
      ]);
      if (entry.mark !== mark) Object.assign(entry, { mark, node: drawMessage(message, isFollowing, this.context) });
      wanted.push(entry.node);
      previous = message;
    }
    reconcile(
      this.list,
      wanted.length ? wanted : [element("li", { className: "empty" }, this.context.whenEmpty ?? "")],
    );
  }

  divider(day) {
    const known = this.list.querySelector(`[data-day="${day}"]`);
    return known ?? element("li", { className: "day", "data-day": day, role: "separator" }, element("span", {}, day));
  }
}

function reconcile(list, wanted) {
  const keep = new Set(wanted);
  for (const node of [...list.children]) if (!keep.has(node)) node.remove();
  wanted.forEach((node, index) => {
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
}

function isSameBreath(previous, message) {
  const isPlain = !previous.is_ephemeral && !message.is_ephemeral && !previous.reply_count;
  return (
    isPlain &&
    previous.user === message.user &&
    message.shown_at - previous.shown_at < SAME_BREATH_SECONDS &&
    !message.bot_id
  );
}

function drawMessage(message, isFollowing, context) {
  const act = async (item, block, option) => {
    await context.send("click", {
      channel: message.channel,
      ts: message.ts,
      action_id: item.action_id,
      block_id: block.block_id,
      option,
    });
  };
  const time = element(
    "time",
    { dateTime: new Date(message.shown_at * 1000).toISOString(), title: dayOf(message.shown_at) },
    shortTime(message.shown_at),
  );
  const isBroadcast = message.subtype === "thread_broadcast" && !context.isThread;
  return element(
    "li",
    {
      className: `message ${message.is_ephemeral ? "private" : ""} ${isFollowing ? "following" : ""}`,
      id: `m-${context.isThread ? "t" : "c"}-${message.ts}`,
      tabIndex: -1,
    },
    isFollowing ? element("span", { className: "gutter" }, time) : avatar(message.user),
    element(
      "div",
      { className: "content" },
      message.is_ephemeral ? element("p", { className: "private-mark" }, "👁 Only visible to you") : null,
      isFollowing
        ? null
        : element(
            "p",
            { className: "head" },
            element("span", { className: "who" }, nameOf(message.user)),
            message.bot_id ? element("span", { className: "app" }, "APP") : null,
            time,
          ),
      isBroadcast ? element("p", { className: "small" }, "replied to a thread") : null,
      ...drawBody(message, act),
      message.edited ? element("span", { className: "edited" }, "(edited)") : null,
      drawReactions(message),
      !message.is_ephemeral && !context.isThread && message.reply_count ? repliesLink(message, context) : null,
    ),
    message.is_ephemeral ? null : tools(message, context),
  );
}

function drawBody(message, act) {
  const said = message.blocks?.length
    ? renderBlocks(message.blocks, { act })
    : [element("div", { className: "block" }, mrkdwn(message.text))];
  const attachments = (message.attachments ?? []).map((one) =>
    element(
      "blockquote",
      {},
      ...(one.blocks ? renderBlocks(one.blocks, { act }) : [mrkdwn(one.text ?? one.fallback ?? "")]),
    ),
  );
  const files = (message.files ?? []).map((file) =>
    element(
      "a",
      { className: "file", href: `/sandbox/files/${file.id}`, target: "_blank" },
      file.mimetype?.startsWith("image/")
        ? element("img", { src: `/sandbox/files/${file.id}`, alt: file.title })
        : `📎 ${file.title}`,
    ),
  );
  return [...said, ...attachments, ...files];
}

function drawReactions(message) {
  if (!message.reactions?.length) return null;
  return element(
    "p",
    { className: "reactions" },
    ...message.reactions.map((reaction) =>
      element(
        "span",
        { className: "reaction", title: reaction.users.map(nameOf).join(", ") },
        mrkdwn(`:${reaction.name}:`),
        ` ${reaction.count}`,
      ),
    ),
  );
}

function repliesLink(message, { openThread }) {
  const words = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
  return element(
    "button",
    { type: "button", className: "replies", onclick: () => openThread(message.ts) },
    ...message.reply_users.slice(0, 4).map((user) => avatar(user, { small: true })),
    element("span", { className: "count" }, words),
    element("span", { className: "small" }, sinceWhen(message.latest_reply_at)),
  );
}

function tools(message, { openThread, shortcuts, isThread, send }) {
  const mine = shortcuts().filter((shortcut) => shortcut.on_message);
  const items = mine.map((shortcut) => ({
    text: shortcut.name,
    run: () => send("shortcut", { callback_id: shortcut.callback_id, channel: message.channel, ts: message.ts }),
  }));
  return element(
    "div",
    { className: "tools", role: "toolbar", "aria-label": "Message actions" },
    isThread
      ? null
      : element(
          "button",
          {
            type: "button",
            title: "Reply in thread",
            "aria-label": "Reply in thread",
            onclick: () => openThread(message.thread_ts ?? message.ts),
          },
          "💬",
        ),
    items.length
      ? element(
          "button",
          {
            type: "button",
            title: "More actions",
            "aria-label": "More actions",
            "aria-haspopup": "menu",
            onclick: (event) => showMenu(event.currentTarget, items),
          },
          "⋯",
        )
      : null,
  );
}

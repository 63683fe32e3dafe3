// The left side: who you are, and where you can go.

import { avatar } from "/page/avatar.js";
import { element } from "/page/text.js";

export const HOME = "home";

export function drawPeople(place, { users, user, waiting, actAs }) {
  const active = users.filter((one) => one.id in waiting);
  const me = active.find((one) => one.id === user);
  const face = (one) =>
    element(
      "button",
      {
        type: "button",
        className: "face",
        "aria-pressed": String(one.id === user),
        title: about(one, waiting[one.id]),
        "aria-label": about(one, waiting[one.id]),
        onclick: () => actAs(one.id),
      },
      avatar(one.id),
      waiting[one.id] ? element("span", { className: "badge" }, waiting[one.id]) : null,
    );
  const words = me ? [element("strong", {}, me.real_name), me.title ? ` · ${me.title}` : ""] : [];
  refill(place, [
    element("p", { className: "small" }, "You are ", ...words),
    element("div", { className: "faces", role: "group", "aria-label": "Act as" }, ...active.map(face)),
  ]);
}

function about(user, count) {
  const unread = count ? `, ${count} unread` : "";
  return `${user.real_name}${user.title ? `, ${user.title}` : ""}${unread}`;
}

export function drawPlaces(place, { conversations, here, bot, goTo }) {
  const channels = conversations.filter((one) => !one.is_im);
  const direct = conversations.find((one) => one.is_im);
  const isApp = here === HOME || here === direct?.id;
  refill(place, [
    element("h2", {}, "Channels"),
    element(
      "ul",
      {},
      ...channels.map((one) =>
        entry({
          id: one.id,
          sign: one.is_private ? "🔒" : "#",
          label: one.name + (one.is_archived ? " (archived)" : ""),
          isHere: one.id === here,
          unread: one.unread,
          count: one.mentions,
          go: () => goTo(one.id),
        }),
      ),
    ),
    element("h2", {}, "Apps"),
    element(
      "ul",
      {},
      entry({
        id: direct?.id,
        sign: avatar(bot.user_id, { small: true }),
        label: bot.name,
        isHere: isApp,
        unread: direct?.unread ?? 0,
        count: direct?.unread ?? 0,
        go: () => goTo(direct.id),
      }),
    ),
  ]);
}

// id: stands in the element too, so that two places that look alike are not taken for one.
function entry({ id, sign, label, isHere, unread, count, go }) {
  return element(
    "li",
    {},
    element(
      "button",
      {
        type: "button",
        "data-place": id,
        "aria-current": isHere ? "page" : null,
        className: unread ? "unread" : "",
        onclick: go,
      },
      element("span", { className: "sign", "aria-hidden": "true" }, sign),
      element("span", { className: "label" }, label),
      count ? element("span", { className: "badge", "aria-label": `${count} unread` }, count) : null,
    ),
  );
}

// Draws anew only when something changed, so that focus and hover stay.
function refill(place, nodes) {
  const fresh = element("div", {}, ...nodes);
  if (place.firstChild?.isEqualNode(fresh)) return;
  const focused = [...place.querySelectorAll("button")].indexOf(document.activeElement);
  place.replaceChildren(fresh);
  if (focused >= 0) place.querySelectorAll("button")[focused]?.focus();
}

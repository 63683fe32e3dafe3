// A face for everyone: initials on a colour that belongs to the id, or the app's icon.

import { element } from "/page/text.js";

const COLOURS = 8;
const known = new Map(); // id -> { letters, colour }; an app has no colour

export function learnFaces(workspace) {
  workspace.users.forEach((user, index) =>
    known.set(user.id, { letters: initials(user.real_name), colour: index % COLOURS }),
  );
  known.set(workspace.bot.user_id, { letters: workspace.bot.icon });
  known.set("USLACKBOT", { letters: "♥" });
}

export function avatar(id, { small = false } = {}) {
  const { letters, colour } = known.get(id) ?? { letters: "?", colour: 0 };
  return element(
    "span",
    {
      className: `avatar ${colour === undefined ? "of-app" : `colour-${colour}`} ${small ? "small-avatar" : ""}`,
      "aria-hidden": "true",
    },
    letters,
  );
}

const initials = (name) =>
  name
    .split(/\s+/)
    .map((word) => word[0])
    .slice(0, 2)
    .join("")
    .toUpperCase();

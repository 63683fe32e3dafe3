// Writing: messages, commands with suggestions as one types, names after an @.

import { element } from "/page/text.js";

const LONGEST_LINES = 8;

// options: { send(text), commands(), people() }; send returns whether the text was taken.
// Returns { writesFor, fill }: whose field it is from now on, each with a draft of its own; and what puts a text there.
export function wireComposer(form, { send, commands, people }) {
  const line = form.querySelector("textarea");
  const menu = element("ul", {
    className: "suggestions",
    role: "listbox",
    id: `${form.id}-suggestions`,
    "aria-label": "Suggestions",
    hidden: true,
  });
  form.prepend(menu);
  line.setAttribute("role", "combobox");
  line.setAttribute("aria-controls", menu.id);
  line.setAttribute("aria-autocomplete", "list");
  let chosen = 0;
  let shown = [];
  let whose = null;
  const drafts = new Map();

  const suggest = () => {
    shown = suggestionsFor(line.value, line.selectionStart, { commands, people });
    chosen = 0;
    draw();
  };
  const draw = () => {
    menu.hidden = shown.length === 0;
    line.setAttribute("aria-expanded", String(!menu.hidden));
    line.setAttribute("aria-activedescendant", shown.length ? `${menu.id}-${chosen}` : "");
    menu.replaceChildren(
      ...shown.map((one, index) =>
        element(
          "li",
          {
            role: "option",
            id: `${menu.id}-${index}`,
            "aria-selected": String(index === chosen),
            onpointerdown: (event) => {
              event.preventDefault();
              take(index);
            },
          },
          element("strong", {}, one.title),
          one.hint ? element("code", {}, one.hint) : null,
          element("span", { className: "small" }, one.note ?? ""),
        ),
      ),
    );
  };
  const dismiss = () => {
    shown = [];
    draw();
  };
  const take = (index) => {
    const { start, insert } = shown[index];
    const rest = line.value.slice(line.selectionStart);
    line.value = line.value.slice(0, start) + insert + rest;
    line.selectionStart = line.selectionEnd = start + insert.length;
    dismiss();
    line.focus();
    grow(line);
  };
  const submit = async (event) => {
    event.preventDefault();
    const text = line.value.trim();
    if (!text) return;
    const mine = whose;
    write("");
    if (await send(text)) return;
    if (mine !== whose)
      drafts.set(mine, drafts.get(mine) || text); // what was not taken is not lost
    else if (!line.value) write(text);
  };
  const write = (text) => {
    line.value = text;
    suggest();
    grow(line);
  };
  const writesFor = (next) => {
    if (next === whose) return;
    drafts.set(whose, line.value);
    whose = next;
    write(drafts.get(next) ?? "");
    dismiss();
  };
  form.addEventListener("submit", submit);
  line.addEventListener("input", () => {
    suggest();
    grow(line);
  });
  line.addEventListener("blur", dismiss);
  line.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const isWhole = shown[chosen] && line.value.slice(shown[chosen].start).trim() === shown[chosen].insert.trim();
    if (shown.length && step) {
      event.preventDefault();
      chosen = (chosen + step + shown.length) % shown.length;
      draw();
    } else if (shown.length && (event.key === "Tab" || (event.key === "Enter" && !isWhole))) {
      event.preventDefault();
      take(chosen);
    } else if (shown.length && event.key === "Escape") {
      event.stopPropagation();
      dismiss();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      submit(event);
    }
  });
  const fill = (text) => {
    line.focus();
    if (!line.value) write(text); // a draft is not written over
  };
  return { writesFor, fill };
}

function suggestionsFor(text, caret, { commands, people }) {
  const before = text.slice(0, caret);
  if (/^\/\S*$/.test(before)) {
    return commands()
      .filter((one) => one.command.startsWith(before))
      .map((one) => ({
        title: one.command,
        hint: one.hint,
        note: one.description,
        start: 0,
        insert: `${one.command} `,
      }));
  }
  const mention = before.match(/(?:^|\s)@(\w*)$/);
  if (!mention) return [];
  const start = caret - mention[1].length - 1;
  return people()
    .filter((one) => one.name.toLowerCase().startsWith(mention[1].toLowerCase()))
    .map((one) => ({
      title: `@${one.name}`,
      note: one.real_name,
      start,
      insert: `@${one.name} `,
    }));
}

function grow(line) {
  line.rows = Math.min(LONGEST_LINES, line.value.split("\n").length);
}

// A small menu beside what opened it: overflow menus, message shortcuts. Arrow keys move, Escape closes.

import { element } from "/page/text.js";

let open = null;

export function showMenu(anchor, items, { label = "Menu" } = {}) {
  closeMenu();
  const entries = items.map(({ text, run }) =>
    element(
      "li",
      { role: "none" },
      element(
        "button",
        {
          type: "button",
          role: "menuitem",
          onclick: () => {
            closeMenu();
            run();
          },
        },
        text,
      ),
    ),
  );
  const menu = element("ul", { className: "menu", role: "menu", "aria-label": label }, ...entries);
  (anchor.closest("dialog") ?? document.body).append(menu);
  place(menu, anchor);
  open = { menu, anchor };
  menu.addEventListener("keydown", move);
  menu.querySelector("button")?.focus();
}

function closeMenu() {
  if (!open) return;
  open.menu.remove();
  open.anchor.focus();
  open = null;
}

function place(menu, anchor) {
  const at = anchor.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left, innerWidth - menu.offsetWidth - 8));
  const below = at.bottom + 4 + menu.offsetHeight < innerHeight;
  menu.style.left = `${left}px`;
  menu.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - menu.offsetHeight - 4)}px`;
}

function move(event) {
  const buttons = [...event.currentTarget.querySelectorAll("button")];
  const at = buttons.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    buttons[(at + step + buttons.length) % buttons.length].focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    event.stopPropagation();
    closeMenu();
  }
}

document.addEventListener("pointerdown", (event) => {
  if (open && !open.menu.contains(event.target)) closeMenu();
});

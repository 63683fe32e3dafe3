// The open modal.

import { renderBlocks } from "/page/blocks.js";
import { busy } from "/page/control.js";
import { carryOver, readForm } from "/page/fields.js";
import { element, textObject } from "/page/text.js";

const dialog = document.querySelector("#modal");
let shown = { id: null, mark: null }; // what is on screen, so that typing is not lost when something else changes
const plain = (text) => ({ type: "plain_text", text });

// send: does an act with the view; upload: turns a file into its id; icon: the app's.
export function showModal(view, { send, upload, icon }) {
  if (!view) {
    shown = { id: null, mark: null };
    dialog.close();
    return;
  }
  const mark = JSON.stringify([view.hash, view.errors, view.notice]);
  const isSameForm = shown.id === view.id;
  if (isSameForm && shown.mark === mark) return;
  shown = { id: view.id, mark };
  const close = () => send("close", { view_id: view.id });
  const form = drawForm(view, { send, upload, close, icon });
  const scrolled = dialog.querySelector(".modal-body")?.scrollTop ?? 0;
  const focused = isSameForm ? carryOver(dialog, form) : null;
  dialog.replaceChildren(form);
  dialog.oncancel = (event) => {
    event.preventDefault();
    close();
  };
  if (!dialog.open) dialog.showModal();
  if (isSameForm) form.querySelector(".modal-body").scrollTop = scrolled;
  if (focused && !form.querySelector(".has-error")) focused.focus();
  else focusFirst(form);
}

function drawForm(view, { send, upload, close, icon }) {
  const form = element("form", { method: "dialog", noValidate: true, className: "modal" });
  const act = async (item, block, option) => {
    const values = await readForm(form, upload);
    if (!values) return;
    await send("view_click", { view_id: view.id, action_id: item.action_id, block_id: block.block_id, option, values });
  };
  const submit = element("button", { type: "submit", className: "primary" }, textObject(view.submit ?? plain("")));
  const isStacked = view.previous_view_id !== null;
  form.append(
    element(
      "header",
      {},
      isStacked
        ? element("button", { type: "button", className: "plain", onclick: close, "aria-label": "Back" }, "‹")
        : element("span", { className: "avatar of-app small-avatar", "aria-hidden": "true" }, icon),
      element("h2", { id: "modal-title" }, textObject(view.title)),
      element("button", { type: "button", className: "plain", onclick: close, "aria-label": "Close" }, "✕"),
    ),
    element(
      "div",
      { className: "modal-body" },
      view.notice ? element("p", { className: "notice", role: "alert" }, view.notice) : null,
      ...renderBlocks(view.blocks, { act, values: view.state.values, errors: view.errors ?? {} }),
    ),
    element(
      "footer",
      {},
      element("button", { type: "button", onclick: close }, textObject(view.close ?? plain("Cancel"))),
      view.submit ? submit : null,
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (submit.classList.contains("busy")) return;
    busy(submit, async () => {
      const values = await readForm(form, upload);
      // Errors may come back just the same; they are shown again. Until then nothing draws the form anew.
      const answered = () => (shown.mark = null);
      if (values) await send("submit", { view_id: view.id, values }, { answered });
    });
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  return form;
}

function focusFirst(form) {
  const wrong = form.querySelector(".has-error");
  wrong?.scrollIntoView({ block: "nearest" });
  const first = (wrong ?? form).querySelector("[data-focus], input:not(.visually-hidden), textarea, select");
  (first ?? form.querySelector("footer button:last-child"))?.focus();
}

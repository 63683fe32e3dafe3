// The open modal and the question before a risky button.

import { readForm, renderBlocks } from "/page/blocks.js";
import { element, textObject } from "/page/text.js";

const dialog = document.querySelector("#modal");
const question = document.querySelector("#confirm");
let shown = null; // "id hash" of the view on screen, so that typing is not lost when something else changes

export function showModal(view, { send, upload }) {
  if (!view) {
    shown = null;
    dialog.close();
    return;
  }
  const mark = JSON.stringify([view.id, view.hash, view.errors, view.notice]);
  if (mark === shown) return;
  shown = mark;
  const form = element("form", { method: "dialog", noValidate: true });
  const act = async (item, block, option) => {
    if (!(await isConfirmed(item.confirm))) return;
    const values = await readForm(form, upload);
    await send("view_click", { view_id: view.id, action_id: item.action_id, block_id: block.block_id, option, values });
  };
  const close = () => send("close", { view_id: view.id });
  const submit = element("button", { type: "submit", className: "primary" }, textObject(view.submit ?? { type: "plain_text", text: "" }));
  form.append(
    element("h2", { id: "modal-title" }, textObject(view.title)),
    ...(view.notice ? [element("p", { className: "notice", role: "alert" }, view.notice)] : []),
    ...renderBlocks(view.blocks, { act, values: view.state.values, errors: view.errors ?? {} }),
    element("footer", {},
      element("button", { type: "button", onclick: close }, textObject(view.close ?? { type: "plain_text", text: "Cancel" })),
      view.submit ? submit : null),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    shown = null; // errors may come back just the same; they are shown again
    await send("submit", { view_id: view.id, values: await readForm(form, upload) });
    submit.disabled = false;
  });
  dialog.replaceChildren(form);
  dialog.oncancel = (event) => {
    event.preventDefault();
    close();
  };
  if (!dialog.open) dialog.showModal();
  (form.querySelector(".error")?.closest(".field") ?? form).querySelector("input, textarea, select")?.focus();
}

export function isConfirmed(confirm) {
  if (!confirm) return Promise.resolve(true);
  return new Promise((resolve) => {
    const answer = (isYes) => () => {
      question.close();
      resolve(isYes);
    };
    question.replaceChildren(
      element("form", { method: "dialog" },
        element("h2", { id: "confirm-title" }, textObject(confirm.title)),
        element("p", {}, textObject(confirm.text)),
        element("footer", {},
          element("button", { type: "button", onclick: answer(false) }, textObject(confirm.deny)),
          element("button", { type: "button", className: confirm.style ?? "primary", onclick: answer(true) }, textObject(confirm.confirm)))),
    );
    question.oncancel = answer(false);
    question.showModal();
  });
}

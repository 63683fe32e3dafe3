// The question before a risky button.

import { element, textObject } from "/page/text.js";

const question = document.querySelector("#confirm");

export function isConfirmed(confirm) {
  if (!confirm) return Promise.resolve(true);
  return new Promise((resolve) => {
    const answer = (isYes) => () => {
      question.close();
      resolve(isYes);
    };
    const yes = element(
      "button",
      { type: "button", className: confirm.style ?? "primary", onclick: answer(true) },
      textObject(confirm.confirm),
    );
    question.replaceChildren(
      element(
        "form",
        { method: "dialog", className: "modal" },
        element("header", {}, element("h2", { id: "confirm-title" }, textObject(confirm.title))),
        element("div", { className: "modal-body" }, textObject(confirm.text)),
        element(
          "footer",
          {},
          element("button", { type: "button", onclick: answer(false) }, textObject(confirm.deny)),
          yes,
        ),
      ),
    );
    question.oncancel = answer(false);
    question.showModal();
    yes.focus();
  });
}

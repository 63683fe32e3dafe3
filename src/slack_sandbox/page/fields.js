// The elements of a form: drawing them, and reading what a person filled in.

import { element, mrkdwn, textObject } from "/page/text.js";
import { asLocal, fromLocal } from "/page/time.js";

let people = [];
let channels = [];
let counter = 0;

export function learnChoices(workspacePeople, workspaceChannels) {
  people = workspacePeople;
  channels = workspaceChannels;
}

export const newId = (stem) => `${stem}-${++counter}`;
export const optionsOf = (item) => [
  ...(item.options ?? []),
  ...(item.option_groups ?? []).flatMap((group) => group.options),
];

export function drawField(item, known) {
  return (FIELDS[item.type] ?? FIELDS.plain_text_input)(item, known);
}

const placeholderOf = (item, otherwise = "") => item.placeholder?.text ?? otherwise;

function typed(type, value, item) {
  return element("input", {
    type,
    value: value ?? "",
    placeholder: placeholderOf(item),
    maxLength: item.max_length ?? 3000,
  });
}

function numeric(known, item) {
  const field = typed("text", known.value, item);
  field.inputMode = "decimal";
  return field;
}

function selectOf(item, chosen, choices) {
  const entry = ([value, label]) => element("option", { value, selected: value === chosen }, label);
  const groups = item.option_groups?.map((group) =>
    element(
      "optgroup",
      { label: group.label.text },
      ...group.options.map((option) => entry([option.value, option.text.text])),
    ),
  );
  return element(
    "select",
    {
      className: chosen ? "" : "is-empty",
      onchange: (event) => event.target.classList.toggle("is-empty", !event.target.value),
    },
    element("option", { value: "" }, placeholderOf(item, "Choose an option")),
    ...(groups ?? choices.map(entry)),
  );
}

// Several of many: what is chosen stays visible as ticks in a short list that scrolls.
function listOf(type, item, choices, chosen) {
  const name = newId("choice");
  const entry = ([value, label, description]) =>
    element(
      "label",
      { className: "choice" },
      element("input", { type, name, value, checked: chosen.includes(value) }),
      element("span", {}, label, description ? element("span", { className: "hint" }, textObject(description)) : null),
    );
  return element("div", { className: choices.length > 6 ? "choices long" : "choices" }, ...choices.map(entry));
}

const words = (text) => (text.type === "mrkdwn" ? mrkdwn(text.text) : textObject(text));
const asChoices = (item) => optionsOf(item).map((option) => [option.value, option.text.text]);
const asRich = (item) => optionsOf(item).map((option) => [option.value, words(option.text), option.description]);
const valuesOf = (options) => (options ?? []).map((option) => option.value);

function textArea(item, known) {
  const field = element("textarea", {
    rows: 4,
    value: known.value ?? "",
    placeholder: placeholderOf(item),
    maxLength: item.max_length ?? 3000,
  });
  const grow = () => {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight + 2, 320)}px`;
  };
  field.addEventListener("input", grow);
  requestAnimationFrame(grow);
  return field;
}

function fileInput(item) {
  const accept = (item.filetypes ?? []).map((kind) => `.${kind}`).join(",");
  const input = element("input", {
    type: "file",
    multiple: (item.max_files ?? 10) > 1,
    accept,
    className: "visually-hidden",
  });
  const chosen = element("span", { className: "hint" }, "or drop it here");
  const show = () => (chosen.textContent = [...input.files].map((file) => file.name).join(", ") || "or drop it here");
  input.addEventListener("change", show);
  const button = element("button", { type: "button", onclick: () => input.click() }, "Upload a file");
  const zone = element("div", { className: "drop" }, input, button, chosen);
  zone.addEventListener("dragover", (event) => event.preventDefault());
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    input.files = event.dataTransfer.files;
    show();
  });
  return zone;
}

const FIELDS = {
  plain_text_input: (item, known) => (item.multiline ? textArea(item, known) : typed("text", known.value, item)),
  number_input: (item, known) => numeric(known, item),
  email_text_input: (item, known) => typed("email", known.value, item),
  url_text_input: (item, known) => typed("url", known.value, item),
  datepicker: (item, known) => typed("date", known.selected_date, item),
  timepicker: (item, known) => typed("time", known.selected_time, item),
  datetimepicker: (item, known) =>
    typed("datetime-local", known.selected_date_time ? asLocal(known.selected_date_time) : "", item),
  static_select: (item, known) => selectOf(item, known.selected_option?.value, asChoices(item)),
  users_select: (item, known) => selectOf(item, known.selected_user, people),
  conversations_select: (item, known) => selectOf(item, known.selected_conversation, channels),
  channels_select: (item, known) => selectOf(item, known.selected_channel, channels),
  multi_static_select: (item, known) => listOf("checkbox", item, asRich(item), valuesOf(known.selected_options)),
  multi_users_select: (item, known) => listOf("checkbox", item, people, known.selected_users ?? []),
  radio_buttons: (item, known) => listOf("radio", item, asRich(item), [known.selected_option?.value]),
  checkboxes: (item, known) => listOf("checkbox", item, asRich(item), valuesOf(known.selected_options)),
  file_input: fileInput,
};
const ONE_OF_LIST = ["radio_buttons"];
const SOME_OF_LIST = ["checkboxes", "multi_static_select", "multi_users_select"];
export const LISTS = [...ONE_OF_LIST, ...SOME_OF_LIST];

export function readField(field) {
  const kind = field.dataset.kind;
  const picked = [...field.querySelectorAll("input:checked")].map((input) => input.value);
  if (ONE_OF_LIST.includes(kind)) return picked[0] ?? null;
  if (SOME_OF_LIST.includes(kind)) return picked;
  if (kind === "datetimepicker") return field.value ? fromLocal(field.value) : null;
  return field.value || null;
}

// Keeps what was typed when a form is drawn anew, wherever block and action stay, as Slack does. Returns the field that
// had the cursor, if it is still there.
export function carryOver(before, after) {
  let focused = null;
  for (const field of after.querySelectorAll("[data-block]")) {
    const { block, action, kind } = field.dataset;
    const old = [...before.querySelectorAll("[data-block]")].find(
      (one) => one.dataset.block === block && one.dataset.action === action && one.dataset.kind === kind,
    );
    if (!old) continue;
    const [olds, news] = [old, field].map((one) =>
      one.matches("input, textarea, select") ? [one] : [...one.querySelectorAll("input")],
    );
    news.forEach((input, index) => copyInput(olds[index], input));
    if (old.contains(document.activeElement)) focused = news[olds.indexOf(document.activeElement)] ?? null;
  }
  return focused;
}

function copyInput(from, to) {
  if (!from) return;
  if (from.type === "file") {
    to.files = from.files;
    to.dispatchEvent(new Event("change"));
  } else if (["checkbox", "radio"].includes(from.type)) to.checked = from.checked && from.value === to.value;
  else to.value = from.value;
}

// Returns what the form holds as block id -> {action id: value}, null if a file was not taken; `upload` gives its id.
export async function readForm(form, upload) {
  const values = {};
  for (const field of form.querySelectorAll("[data-block]")) {
    const files = field.dataset.kind === "file_input" ? [...field.querySelector("input").files] : null;
    if (files?.length === 0) continue;
    const value = files ? await Promise.all(files.map(upload)) : readField(field);
    if (files && value.includes(null)) return null;
    (values[field.dataset.block] ??= {})[field.dataset.action] = value;
  }
  return values;
}

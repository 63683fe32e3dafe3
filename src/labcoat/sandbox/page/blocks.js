// Blocks and their elements, the same for messages, modals and Home tabs.
// `act(element, block, option)` is called when a person uses something; it may be async.

import { element, mrkdwn, richText, textObject } from "/page/text.js";

let people = [];
let channels = [];
let counter = 0;

export function learnChoices(workspacePeople, workspaceChannels) {
  people = workspacePeople;
  channels = workspaceChannels;
}

export function renderBlocks(blocks, { act, values = {}, errors = {} }) {
  return blocks.map((block) => {
    const render = RENDERERS[block.type];
    if (!render) return element("div", { className: "block small" }, `(a ${block.type} block)`);
    return render(block, { act, state: values[block.block_id] ?? {}, error: errors[block.block_id] });
  });
}

const RENDERERS = {
  header: (block) => element("div", { className: "block header", role: "heading", "aria-level": "3" }, textObject(block.text)),
  divider: () => element("hr"),
  image: (block) =>
    element("figure", { className: "block image" }, block.title ? element("figcaption", {}, textObject(block.title)) : null, picture(block)),
  rich_text: (block) => element("div", { className: "block" }, richText(block)),
  section: (block, context) => {
    const fields = block.fields ? element("div", { className: "fields" }, ...block.fields.map(textObject)) : null;
    const body = element("div", { className: "body" }, block.text ? textObject(block.text) : null, fields);
    const accessory = block.accessory ? renderElement(block.accessory, block, context) : null;
    return element("div", { className: "block section" }, body, accessory);
  },
  context: (block) =>
    element("div", { className: "block context" }, ...block.elements.map((e) => (e.type === "image" ? picture(e) : textObject(e)))),
  actions: (block, context) =>
    element("div", { className: "block actions" }, ...block.elements.map((e) => renderElement(e, block, context))),
  input: (block, context) => {
    const isGroup = ["radio_buttons", "checkboxes"].includes(block.element.type);
    const field = renderElement(block.element, block, context);
    field.id ||= `field-${++counter}`;
    const words = [textObject(block.label), block.optional ? " (optional)" : ""];
    const label = isGroup ? element("legend", {}, ...words) : element("label", { htmlFor: field.id }, ...words);
    const error = context.error ? element("p", { className: "error", id: `${field.id}-error` }, context.error) : null;
    if (error) field.setAttribute("aria-describedby", error.id);
    const hint = block.hint ? element("p", { className: "hint" }, textObject(block.hint)) : null;
    return element(isGroup ? "fieldset" : "div", { className: "field" }, label, field, error, hint);
  },
};

function picture(image) {
  const fileId = image.slack_file?.id ?? image.slack_file?.url?.match(/-(F[0-9A-Z]+)\//)?.[1];
  const source = fileId ? `/sandbox/files/${fileId}` : image.image_url;
  return element("img", { src: source, alt: image.alt_text });
}

function renderElement(item, block, { act, state }) {
  if (item.type === "image") {
    const image = picture(item);
    image.className = "accessory-image";
    return image;
  }
  if (item.type === "button") return button(item, block, act);
  const known = state[item.action_id] ?? {};
  const field = (FIELDS[item.type] ?? FIELDS.plain_text_input)(item, known);
  field.dataset.block = block.block_id;
  field.dataset.action = item.action_id;
  field.dataset.kind = item.type;
  if (block.type !== "input") field.setAttribute("aria-label", item.placeholder?.text ?? "Choose");
  if (block.type !== "input" || block.dispatch_action) {
    field.addEventListener("change", () => {
      const option = readField(field);
      if (item.type === "overflow") field.value = "";
      if (option !== null) act(item, block, option);
    });
  }
  return field;
}

function button(item, block, act) {
  const press = () => {
    if (item.url) window.open(item.url, "_blank", "noopener");
    act(item, block, null);
  };
  return element("button", { type: "button", className: item.style ?? "", onclick: press, "aria-label": item.accessibility_label },
    textObject(item.text));
}

const selectOf = (choices, chosen, { multiple = false, placeholder = "Choose" } = {}) =>
  element("select", { multiple },
    multiple ? null : element("option", { value: "" }, placeholder),
    ...choices.map(([value, label]) => element("option", { value, selected: chosen.includes(value) }, label)));

const optionsOf = (item) => [...(item.options ?? []), ...(item.option_groups ?? []).flatMap((group) => group.options)];
const asChoices = (item) => optionsOf(item).map((option) => [option.value, option.text.text]);
const placeholderOf = (item) => ({ placeholder: item.placeholder?.text ?? "Choose" });
const inputOf = (type, value, item) =>
  element("input", { type, value: value ?? "", placeholder: item.placeholder?.text ?? "" });

function choices(type, item, chosen) {
  const name = `choice-${++counter}`;
  return element("div", {}, ...optionsOf(item).map((option) =>
    element("label", { className: "choice" },
      element("input", { type, name, value: option.value, checked: chosen.includes(option.value) }), " ",
      option.text.type === "mrkdwn" ? mrkdwn(option.text.text) : option.text.text,
      option.description ? element("span", { className: "hint" }, " ", textObject(option.description)) : null)));
}

const FIELDS = {
  plain_text_input: (item, known) =>
    item.multiline
      ? element("textarea", { rows: 4, value: known.value ?? "", placeholder: item.placeholder?.text ?? "" })
      : inputOf("text", known.value, item),
  number_input: (item, known) => {
    const field = inputOf("text", known.value, item);
    field.inputMode = "decimal";
    return field;
  },
  email_text_input: (item, known) => inputOf("email", known.value, item),
  url_text_input: (item, known) => inputOf("url", known.value, item),
  datepicker: (item, known) => inputOf("date", known.selected_date, item),
  timepicker: (item, known) => inputOf("time", known.selected_time, item),
  datetimepicker: (item, known) => inputOf("datetime-local", asLocal(known.selected_date_time), item),
  static_select: (item, known) => selectOf(asChoices(item), [known.selected_option?.value], placeholderOf(item)),
  overflow: (item) => selectOf(asChoices(item), [], { placeholder: "⋯" }),
  multi_static_select: (item, known) =>
    selectOf(asChoices(item), (known.selected_options ?? []).map((option) => option.value), { multiple: true }),
  users_select: (item, known) => selectOf(people, [known.selected_user], placeholderOf(item)),
  multi_users_select: (item, known) => selectOf(people, known.selected_users ?? [], { multiple: true }),
  conversations_select: (item, known) => selectOf(channels, [known.selected_conversation], placeholderOf(item)),
  channels_select: (item, known) => selectOf(channels, [known.selected_channel], placeholderOf(item)),
  radio_buttons: (item, known) => choices("radio", item, [known.selected_option?.value]),
  checkboxes: (item, known) => choices("checkbox", item, (known.selected_options ?? []).map((option) => option.value)),
  file_input: () => element("input", { type: "file", multiple: true }),
};

function asLocal(seconds) {
  if (!seconds) return "";
  const moment = new Date(seconds * 1000);
  return new Date(moment - moment.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

export function readField(field) {
  const kind = field.dataset.kind;
  const picked = [...field.querySelectorAll("input:checked")].map((input) => input.value);
  if (kind === "radio_buttons") return picked[0] ?? null;
  if (kind === "checkboxes") return picked;
  if (field.multiple && kind !== "file_input") return [...field.selectedOptions].map((option) => option.value);
  if (kind === "datetimepicker") return field.value ? Math.floor(new Date(field.value).getTime() / 1000) : null;
  return field.value || null;
}

// Returns what the form holds as block id -> {action id: value}; `upload` turns a chosen file into its id.
export async function readForm(form, upload) {
  const values = {};
  for (const field of form.querySelectorAll("[data-block]")) {
    if (field.dataset.kind === "overflow") continue;
    const isFile = field.dataset.kind === "file_input";
    const value = isFile ? await Promise.all([...field.files].map(upload)) : readField(field);
    if (isFile && !value.length) continue;
    (values[field.dataset.block] ??= {})[field.dataset.action] = value;
  }
  return values;
}

// Blocks and their elements, the same for messages, modals and Home tabs.
// `act(element, block, option)` is called when a person uses something, and has confirmed it; it may be async.

import { isConfirmed } from "/page/confirm.js";
import { busy } from "/page/control.js";
import { LISTS, drawField, newId, optionsOf, readField } from "/page/fields.js";
import { showMenu } from "/page/popover.js";
import { element, isWebAddress, richText, textObject } from "/page/text.js";

export function renderBlocks(blocks, { act: actNow, values = {}, errors = {} }) {
  const act = async (item, block, option) => {
    if (await isConfirmed(item.confirm)) await actNow(item, block, option);
  };
  return blocks.map((block) => {
    const render = RENDERERS[block.type];
    if (!render)
      return element("div", { className: "block unknown" }, `This page cannot show a block of type ${block.type}.`);
    return render(block, { act, state: values[block.block_id] ?? {}, error: errors[block.block_id] });
  });
}

const RENDERERS = {
  header: (block) =>
    element("div", { className: "block header", role: "heading", "aria-level": "3" }, textObject(block.text)),
  divider: () => element("hr", { className: "block" }),
  image: (block) =>
    element(
      "figure",
      { className: "block image" },
      block.title ? element("figcaption", {}, textObject(block.title)) : null,
      picture(block),
    ),
  rich_text: (block) => element("div", { className: "block" }, richText(block)),
  table: (block) => table(block),
  section: (block, context) => {
    const fields = block.fields ? element("div", { className: "fields" }, ...block.fields.map(textObject)) : null;
    const body = element("div", { className: "body" }, block.text ? textObject(block.text) : null, fields);
    const accessory = block.accessory ? renderElement(block.accessory, block, context) : null;
    return element("div", { className: "block section" }, body, accessory);
  },
  context: (block) =>
    element(
      "div",
      { className: "block context" },
      ...block.elements.map((e) => (e.type === "image" ? picture(e) : textObject(e))),
    ),
  actions: (block, context) =>
    element("div", { className: "block actions" }, ...block.elements.map((e) => renderElement(e, block, context))),
  input: (block, context) => input(block, context),
};

function input(block, context) {
  const isGroup = LISTS.includes(block.element.type);
  const field = renderElement(block.element, block, context);
  const target = field.matches("input, textarea, select") ? field : (field.querySelector("input") ?? field);
  target.id ||= newId("field");
  const words = [
    textObject(block.label),
    block.optional ? element("span", { className: "optional" }, " (optional)") : "",
  ];
  const label = isGroup ? element("legend", {}, ...words) : element("label", { htmlFor: target.id }, ...words);
  const error = context.error ? element("p", { className: "error", id: `${target.id}-error` }, context.error) : null;
  if (error) {
    target.setAttribute("aria-describedby", error.id);
    target.setAttribute("aria-invalid", "true");
  }
  const hint = block.hint ? element("p", { className: "hint" }, textObject(block.hint)) : null;
  return element(
    isGroup ? "fieldset" : "div",
    { className: `field ${error ? "has-error" : ""}` },
    label,
    field,
    error,
    hint,
  );
}

function table(block) {
  const settings = block.column_settings ?? [];
  const cell = (tag) => (content, column) => {
    const { align = "left", is_wrapped: isWrapped = false } = settings[column] ?? {};
    return element(
      tag,
      { className: `to-${align} ${isWrapped ? "is-wrapped" : ""}` },
      content.type === "raw_text" ? content.text : richText(content),
    );
  };
  const [first, ...others] = block.rows;
  return element(
    "div",
    { className: "block table", tabIndex: 0 },
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...first.map(cell("th")))),
      element("tbody", {}, ...others.map((row) => element("tr", {}, ...row.map(cell("td"))))),
    ),
  );
}

function picture(image) {
  const fileId = image.slack_file?.id ?? image.slack_file?.url?.match(/-(F[0-9A-Z]+)\//)?.[1];
  const source = fileId ? `/sandbox/files/${fileId}` : image.image_url;
  return element("img", { src: source, alt: image.alt_text, title: image.alt_text });
}

function renderElement(item, block, { act, state }) {
  if (item.type === "image") {
    const image = picture(item);
    image.className = "accessory-image";
    return image;
  }
  if (item.type === "button") return button(item, block, act);
  if (item.type === "overflow") return overflow(item, block, act);
  const field = drawField(item, state[item.action_id] ?? {});
  field.dataset.block = block.block_id;
  field.dataset.action = item.action_id;
  field.dataset.kind = item.type;
  if (item.focus_on_load) field.dataset.focus = "true";
  if (block.type !== "input") field.setAttribute("aria-label", item.placeholder?.text ?? "Choose");
  if (block.type !== "input" || block.dispatch_action) {
    field.addEventListener("change", () => {
      const option = readField(field);
      if (option !== null) act(item, block, option);
    });
  }
  return field;
}

function button(item, block, act) {
  const press = (event) => {
    if (event.currentTarget.classList.contains("busy")) return;
    if (isWebAddress(item.url ?? "")) window.open(item.url, "_blank", "noopener");
    busy(event.currentTarget, () => act(item, block, null));
  };
  return element(
    "button",
    {
      type: "button",
      className: item.style ?? "",
      onclick: press,
      "aria-label": item.accessibility_label,
      "data-action": item.action_id,
    },
    textObject(item.text),
  );
}

function overflow(item, block, act) {
  const items = optionsOf(item).map((option) => ({
    text: textObject(option.text),
    run: () => act(item, block, option.value),
  }));
  const open = (event) => showMenu(event.currentTarget, items, { label: "More" });
  return element(
    "button",
    { type: "button", className: "overflow", "aria-label": "More", "aria-haspopup": "menu", onclick: open },
    "⋯",
  );
}

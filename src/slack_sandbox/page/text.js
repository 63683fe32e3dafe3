// Slack's text as elements. Everything becomes text nodes; nothing a message says is ever parsed as HTML.

import { withEmoji } from "/page/emoji.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
const STYLES = [
  ["*", "strong"],
  ["_", "em"],
  ["~", "s"],
];
const PARKED = 0xe000; // code and references wait behind signs of the private area while the text around them is styled
const SIGNS = /([\ue000-\uf8ff])/;
const names = new Map();

export function learnNames(entries) {
  for (const [id, name] of entries) names.set(id, name);
}

export function nameOf(id) {
  return names.get(id) ?? id;
}

export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key in node && !key.includes("-")) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const unescaped = (text) => text.replace(/&(amp|lt|gt);/g, (entity) => ENTITIES[entity]);

export const isWebAddress = (address) => /^(https?|mailto):/i.test(address);

function link(address, label) {
  if (!isWebAddress(address)) return document.createTextNode(label || address);
  return element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, label || address);
}

export function textObject(text) {
  if (text.type === "mrkdwn") return mrkdwn(text.text);
  return element("span", { className: "text" }, withEmoji(text.text));
}

export function mrkdwn(source) {
  const root = element("span", { className: "text" });
  source.split(/```([\s\S]*?)```/).forEach((part, index) => {
    if (index % 2) root.append(element("pre", {}, unescaped(part.replace(/^\n/, ""))));
    else appendLines(root, part);
  });
  return root;
}

function appendLines(root, text) {
  const lines = text.split("\n");
  lines.forEach((line, index) => {
    if (line.startsWith("&gt;")) {
      const quote = element("blockquote");
      appendInline(quote, line.slice(4).trimStart());
      root.append(quote);
    } else {
      appendInline(root, line + (index < lines.length - 1 ? "\n" : ""));
    }
  });
}

function appendInline(root, text) {
  const parked = [];
  const styled = text.replace(/[\ue000-\uf8ff]/g, "").replace(/`[^`\n]+`|<[^<>\n]+>/g, (part) => {
    parked.push(part);
    return String.fromCharCode(PARKED + parked.length - 1);
  });
  appendStyled(root, styled, 0, parked);
}

function appendStyled(root, text, depth, parked) {
  if (depth === STYLES.length) {
    for (const part of text.split(SIGNS))
      root.append(SIGNS.test(part) ? unparked(parked[part.charCodeAt(0) - PARKED]) : withEmoji(unescaped(part)));
    return;
  }
  const [mark, tag] = STYLES[depth];
  const sign = `\\${mark}`;
  const styled = new RegExp(`(?<![\\w${sign}])${sign}(\\S(?:[^\\n]*?\\S)?)${sign}(?![\\w${sign}])`);
  text.split(styled).forEach((part, index) => {
    const inner = index % 2 ? element(tag) : root;
    if (part) appendStyled(inner, part, depth + 1, parked);
    if (index % 2) root.append(inner);
  });
}

function unparked(part) {
  return part.startsWith("`") ? element("code", {}, unescaped(part.slice(1, -1))) : reference(part.slice(1, -1));
}

function reference(inside) {
  const [target, label] = inside.split("|");
  if (target.startsWith("@")) return mention("@" + (label ?? nameOf(target.slice(1))));
  if (target.startsWith("#")) return mention("#" + (label ?? nameOf(target.slice(1))));
  if (target.startsWith("!date")) return document.createTextNode(unescaped(label ?? ""));
  if (target.startsWith("!")) return mention("@" + (label ?? target.slice(1)), "loud");
  return link(unescaped(target), unescaped(label ?? ""));
}

const mention = (words, more = "") => element("span", { className: `mention ${more}` }, words);

export function richText(part) {
  const inner = (part.elements ?? []).map(richText);
  if (part.type === "rich_text") return element("div", {}, ...inner);
  if (part.type === "rich_text_list") {
    return element(
      part.style === "ordered" ? "ol" : "ul",
      { className: `indent-${part.indent ?? 0}` },
      ...inner.map((item) => element("li", {}, item)),
    );
  }
  if (part.type === "rich_text_quote") return element("blockquote", { className: "text" }, ...inner);
  if (part.type === "rich_text_preformatted") return element("pre", {}, ...inner);
  if (part.type === "rich_text_section") return element("span", { className: "text" }, ...inner);
  return richLeaf(part);
}

function richLeaf(part) {
  if (part.type === "user") return mention("@" + nameOf(part.user_id));
  if (part.type === "channel") return mention("#" + nameOf(part.channel_id));
  if (part.type === "broadcast") return mention("@" + part.range, "loud");
  if (part.type === "emoji") return document.createTextNode(withEmoji(`:${part.name}:`));
  let node = part.type === "link" ? link(part.url, part.text) : document.createTextNode(part.text ?? "");
  const tags = { bold: "strong", italic: "em", strike: "s", code: "code" };
  for (const [style, tag] of Object.entries(tags)) if (part.style?.[style]) node = element(tag, {}, node);
  return node;
}

// Slack's text as elements. Everything becomes text nodes; nothing a message says is ever parsed as HTML.

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
const EMOJI = {
  white_check_mark: "✅", x: "❌", warning: "⚠️", tada: "🎉", test_tube: "🧪", bulb: "💡", hourglass: "⌛", bell: "🔔",
  chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", rocket: "🚀", eyes: "👀", microscope: "🔬",
  inbox_tray: "📥", stethoscope: "🩺", bar_chart: "📊", books: "📚", zzz: "💤", memo: "📝", rotating_light: "🚨",
  hourglass_flowing_sand: "⏳", heavy_minus_sign: "➖", grey_question: "❔",
  large_green_circle: "🟢", large_yellow_circle: "🟡", red_circle: "🔴", white_circle: "⚪", "+1": "👍", wave: "👋",
};
const STYLES = [["*", "strong"], ["_", "em"], ["~", "s"]];
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
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const unescaped = (text) => text.replace(/&(amp|lt|gt);/g, (entity) => ENTITIES[entity]);
const withEmoji = (text) => text.replace(/:([a-z0-9_+-]+):/g, (code, name) => EMOJI[name] ?? code);

export function link(address, label) {
  if (!/^(https?|mailto):/i.test(address)) return document.createTextNode(label || address);
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
  text.split(/(`[^`\n]+`|<[^<>\n]+>)/).forEach((part) => {
    if (/^`.+`$/.test(part)) root.append(element("code", {}, unescaped(part.slice(1, -1))));
    else if (/^<.+>$/.test(part)) root.append(reference(part.slice(1, -1)));
    else appendStyled(root, part, 0);
  });
}

function reference(inside) {
  const [target, label] = inside.split("|");
  if (target.startsWith("@")) return mention("@" + (label ?? nameOf(target.slice(1))));
  if (target.startsWith("#")) return mention("#" + (label ?? nameOf(target.slice(1))));
  if (target.startsWith("!date")) return document.createTextNode(unescaped(label ?? ""));
  if (target.startsWith("!")) return mention("@" + (label ?? target.slice(1)));
  return link(unescaped(target), unescaped(label ?? ""));
}

const mention = (words) => element("span", { className: "mention" }, words);

function appendStyled(root, text, depth) {
  if (depth === STYLES.length) {
    root.append(withEmoji(unescaped(text)));
    return;
  }
  const [mark, tag] = STYLES[depth];
  const sign = `\\${mark}`;
  const styled = new RegExp(`(?<![\\w${sign}])${sign}(\\S(?:[^\\n]*?\\S)?)${sign}(?![\\w${sign}])`);
  text.split(styled).forEach((part, index) => {
    if (index % 2 === 0) {
      if (part) appendStyled(root, part, depth + 1);
      return;
    }
    const inner = element(tag);
    appendStyled(inner, part, depth + 1);
    root.append(inner);
  });
}

export function richText(part) {
  const inner = (part.elements ?? []).map(richText);
  if (part.type === "rich_text") return element("div", {}, ...inner);
  if (part.type === "rich_text_list") {
    return element(part.style === "ordered" ? "ol" : "ul", {}, ...inner.map((item) => element("li", {}, item)));
  }
  if (part.type === "rich_text_quote") return element("blockquote", { className: "text" }, ...inner);
  if (part.type === "rich_text_preformatted") return element("pre", {}, ...inner);
  if (part.type === "rich_text_section") return element("span", { className: "text" }, ...inner);
  return richLeaf(part);
}

function richLeaf(part) {
  if (part.type === "user") return mention("@" + nameOf(part.user_id));
  if (part.type === "channel") return mention("#" + nameOf(part.channel_id));
  if (part.type === "broadcast") return mention("@" + part.range);
  if (part.type === "emoji") return document.createTextNode(EMOJI[part.name] ?? `:${part.name}:`);
  let node = part.type === "link" ? link(part.url, part.text) : document.createTextNode(part.text ?? "");
  const tags = { bold: "strong", italic: "em", strike: "s", code: "code" };
  for (const [style, tag] of Object.entries(tags)) if (part.style?.[style]) node = element(tag, {}, node);
  return node;
}

// The emoji that bots use most, by Slack's short names. An unknown name stays as it was typed, as in Slack.

export const EMOJI = {
  "+1": "👍", "-1": "👎", alarm_clock: "⏰", arrow_down: "⬇️", arrow_right: "➡️", arrow_up: "⬆️", balance_scale: "⚖️",
  bar_chart: "📊", bell: "🔔", bookmark: "🔖", books: "📚", bulb: "💡", calendar: "📆", chart_with_downwards_trend: "📉",
  chart_with_upwards_trend: "📈", clap: "👏", clipboard: "📋", clock9: "🕘", construction: "🚧", dart: "🎯", eyes: "👀",
  factory: "🏭", fire: "🔥", goggles: "🥽", grey_question: "❔", hammer_and_wrench: "🛠️", heart: "❤️",
  heavy_check_mark: "✔️", heavy_minus_sign: "➖", hourglass: "⌛", hourglass_flowing_sand: "⏳", hugging_face: "🤗",
  inbox_tray: "📥", information_source: "ℹ️", key: "🔑", lab_coat: "🥼", large_blue_circle: "🔵",
  large_green_circle: "🟢", large_yellow_circle: "🟡", link: "🔗", lock: "🔒", mag: "🔍", memo: "📝", microscope: "🔬",
  mortar_board: "🎓", palm_tree: "🌴", triangular_ruler: "📐", busts_in_silhouette: "👥",
  money_with_wings: "💸", moneybag: "💰", mute: "🔇", new: "🆕", no_entry: "⛔", octagonal_sign: "🛑", package: "📦",
  paperclip: "📎", pencil: "✏️", pencil2: "✏️", point_right: "👉", pushpin: "📌", question: "❓", raised_hands: "🙌",
  recycle: "♻️", red_circle: "🔴", repeat: "🔁", rocket: "🚀", rotating_light: "🚨", scales: "⚖️", seedling: "🌱",
  ship: "🚢", slightly_smiling_face: "🙂", sparkles: "✨", speech_balloon: "💬", star: "⭐", stethoscope: "🩺",
  stopwatch: "⏱️", tada: "🎉", test_tube: "🧪", thinking_face: "🤔", thumbsup: "👍", tools: "🛠️", trophy: "🏆",
  turtle: "🐢", wastebasket: "🗑️", warning: "⚠️", wave: "👋", white_check_mark: "✅", white_circle: "⚪",
  wrench: "🔧", x: "❌", zap: "⚡", zzz: "💤",
};

export const withEmoji = (text) => text.replace(/:([a-z0-9_+-]+):/g, (code, name) => (Object.hasOwn(EMOJI, name) ? EMOJI[name] : code));

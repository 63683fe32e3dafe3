// Dark or light: as the system has it, until someone chooses.

const root = document.documentElement;
const chosen = localStorage.getItem("theme");
if (chosen) root.dataset.theme = chosen;

document.querySelector("#theme").addEventListener("click", () => {
  const usual = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  root.dataset.theme = (root.dataset.theme ?? usual) === "dark" ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
});

// Legends that show and hide: an entry of a plot's legend is a button for its series.
for (const key of document.querySelectorAll("svg [data-key]")) {
  const all = key.closest("svg").querySelectorAll(`[data-series="${key.dataset.key}"]`);
  const { x, y, width, height } = key.getBBox();
  const area = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ x, y, width, height, fill: "transparent" })) area.setAttribute(name, value);
  key.append(area);
  key.setAttribute("role", "button");
  key.setAttribute("tabindex", "0");
  key.setAttribute("aria-pressed", "true");
  const turn = () => {
    const shown = key.getAttribute("aria-pressed") === "false";
    key.setAttribute("aria-pressed", shown);
    for (const series of all) series.style.display = shown ? "" : "none";
  };
  key.addEventListener("click", turn);
  key.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    turn();
  });
}

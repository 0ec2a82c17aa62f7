// Sliders that bend curves: each `.explorer` of the page says in its data what the still picture shows.
for (const explorer of document.querySelectorAll(".explorer")) {
  const numbers = (name) => explorer.dataset[name].split(" ").filter(Boolean).map(Number);
  const curves = {
    polynomial: (p, x) => p.reduce((value, parameter) => value * x + parameter, 0),
    relus: (p, x) => p.reduce((sum, m, i) => (i % 2 ? sum : sum + Math.max(0, m * x + p[i + 1])), 0),
  };
  const curve = curves[explorer.dataset.curve];
  const [xFrom, xTo] = numbers("x"), [yFrom, yTo] = numbers("y");
  const [left, top, right, bottom] = numbers("inner");
  const points = numbers("points");
  const line = explorer.querySelector("polyline");
  const error = explorer.querySelector("output");
  const sliders = [...explorer.querySelectorAll("input")];

  const draw = () => {
    const parameters = sliders.map((slider) => slider.valueAsNumber);
    const steps = 200;
    const place = (_, i) => {
      const part = i / steps, y = curve(parameters, xFrom + (xTo - xFrom) * part);
      const down = bottom + ((y - yFrom) / (yTo - yFrom)) * (top - bottom);
      return `${(left + (right - left) * part).toFixed(1)},${down.toFixed(1)}`;
    };
    line.setAttribute("points", Array.from({ length: steps + 1 }, place).join(" "));
    if (error) {
      let sum = 0;
      for (let i = 0; i < points.length; i += 2) sum += Math.abs(curve(parameters, points[i]) - points[i + 1]);
      error.textContent = ((2 * sum) / points.length).toFixed(2);
    }
  };
  for (const slider of sliders) {
    slider.addEventListener("input", () => {
      slider.parentElement.querySelector("b").textContent = slider.value;
      draw();
    });
  }
  explorer.querySelector(".sliders").hidden = false;
}

// Draws the figures when they come into view, switches between light and dark, and hands out data.
(() => {
  const json = (id) => JSON.parse(document.getElementById(id).textContent);
  const root = document.documentElement;

  function colours() {
    const style = getComputedStyle(root);
    const one = (name) => style.getPropertyValue("--" + name).trim();
    const many = (name) => one(name).split(",").map((colour) => colour.trim());
    return {series: many("series"), scale: many("scale"), diverging: many("diverging"), text: one("text"), muted: one("muted"), line: one("line"), surface: one("surface")};
  }

  function theme() {
    const {series, text, muted, line, surface} = colours();
    const axis = {
      axisLine: {show: true, lineStyle: {color: line}},
      axisTick: {lineStyle: {color: line}},
      axisLabel: {color: muted},
      nameTextStyle: {color: muted},
      splitLine: {lineStyle: {color: line, opacity: 0.6}},
      splitArea: {show: false},
    };
    return {
      color: series,
      darkMode: root.dataset.theme === "dark",
      backgroundColor: surface,
      textStyle: {color: text},
      categoryAxis: {...axis, splitLine: {show: false}},
      valueAxis: axis,
      logAxis: axis,
      legend: {textStyle: {color: text}, pageTextStyle: {color: muted}, pageIconColor: text, pageIconInactiveColor: line},
      tooltip: {backgroundColor: surface, borderColor: line, textStyle: {color: text}},
      visualMap: {textStyle: {color: muted}},
      markLine: {label: {color: muted}, lineStyle: {color: muted}},
    };
  }

  // element -> {figure, chart, width drawn for}
  const drawn = new Map();

  function draw(place) {
    const element = place.querySelector(".chart");
    const state = drawn.get(place);
    if (!state.chart) state.chart = echarts.init(element, theme(), {renderer: "svg"});
    state.width = element.clientWidth;
    element.style.height = Figures.height(state.figure, state.width) + "px";
    state.chart.resize();
    state.chart.setOption(Figures.options(state.figure, state.width, colours()), true);
  }

  const drawAll = () => drawn.forEach((state, place) => state.chart || draw(place));

  function redraw() {
    drawn.forEach((state, place) => {
      if (!state.chart) return;
      state.chart.setTheme(theme());
      draw(place);
    });
  }

  function save(name, type, content) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], {type}));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  function csv({columns, rows}) {
    const field = (cell) => {
      const text = cell === null ? "" : typeof cell === "object" ? JSON.stringify(cell) : String(cell);
      return /[",\n\r]/.test(text) ? `"${text.replaceAll("\"", "\"\"")}"` : text;
    };
    return [columns, ...rows].map((row) => row.map(field).join(",") + "\n").join("");
  }

  const fileName = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "") || "data";

  function addDownloads(place, title, block) {
    place.querySelectorAll("button[data-format]").forEach((button) => {
      const format = button.dataset.format, name = fileName(title) + "." + format.toLowerCase();
      button.setAttribute("aria-label", `${title} as ${format}`);
      button.addEventListener("click", () => {
        if (format === "CSV") save(name, "text/csv", csv(block.data));
        if (format === "JSON") save(name, "application/json", JSON.stringify(block, null, 2) + "\n");
        if (format === "SVG") {
          if (!drawn.get(place).chart) draw(place);
          save(name, "image/svg+xml", drawn.get(place).chart.renderToSVGString());
        }
      });
    });
  }

  const watcher = new IntersectionObserver((entries) => {
    for (const {isIntersecting, target} of entries) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      draw(target);
    }
  }, {rootMargin: "400px"});

  const sizes = new ResizeObserver((entries) => {
    for (const {target} of entries) {
      const place = target.closest("figure"), state = drawn.get(place);
      if (state.chart && target.clientWidth !== state.width) draw(place);
    }
  });

  json("sections").forEach((section, i) => section.blocks.forEach((block, j) => {
    const id = `block-${i}-${j}`;
    if (block.kind === "table") addDownloads(document.getElementById(id), block.title || section.title, block);
    if (block.kind !== "figures") return;
    block.figures.forEach((figure, k) => {
      const place = document.getElementById(`${id}-${k}`), element = place.querySelector(".chart");
      place.classList.toggle("wide", Figures.isWide(figure));
      element.style.height = Figures.height(figure, element.clientWidth) + "px";
      drawn.set(place, {figure, chart: null, width: 0});
      addDownloads(place, figure.title, figure);
      watcher.observe(place);
      sizes.observe(element);
    });
  }));

  const control = document.getElementById("theme-switch");
  function setTheme(name) {
    root.dataset.theme = name;
    control.textContent = name === "dark" ? "light" : "dark";
    redraw();
  }
  control.addEventListener("click", () => setTheme(root.dataset.theme === "dark" ? "light" : "dark"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => setTheme(event.matches ? "dark" : "light"));
  setTheme(root.dataset.theme);

  document.getElementById("download-result").addEventListener("click", () => save("result.json", "application/json", JSON.stringify(json("result"), null, 2) + "\n"));
  addEventListener("beforeprint", drawAll);
})();

// Figures, as docs/reports.md defines them, as options of Apache ECharts.
"use strict";

const Figures = (() => {
  const missing = (value) => value === null || value === undefined;

  function numberText(value) {
    if (typeof value !== "number") return missing(value) ? "–" : String(value);
    const size = Math.abs(value);
    if (Number.isInteger(value) && size < 1e15) return value.toLocaleString("en-US");
    if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toPrecision(3);
    return size < 10 ? String(Number(value.toFixed(4))) : String(Number(value.toPrecision(5)));
  }

  // Ticks are round numbers; those of bins and of logarithms are rounded.
  function tickText(value) {
    if (typeof value !== "number") return value;
    const round = Number(value.toPrecision(3));
    return Math.abs(value) >= 1000 || Math.abs(round - value) < 1e-9 * Math.abs(value) ? Number(value.toPrecision(6)).toLocaleString("en-US", {maximumSignificantDigits: 6}) : String(round);
  }

  function escaped(text) {
    return String(text).replace(/[&<>"]/g, (c) => ({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;"})[c]);
  }

  // The column of a figure's data by name.
  function column(figure, name) {
    const index = figure.data.columns.indexOf(name);
    return figure.data.rows.map((row) => row[index]);
  }

  // The distinct values of a column as texts, in the order in which they occur.
  const categories = (figure, name) => [...new Set(column(figure, name).map(String))];

  // [[series, [row numbers]]] in the order in which series occur.
  function groups(figure) {
    const found = new Map();
    const names = figure.series ? column(figure, figure.series) : figure.data.rows.map(() => figure.y.title);
    names.forEach((name, row) => found.set(String(name), [...(found.get(String(name)) || []), row]));
    return [...found];
  }

  const letterWidth = 6.4;  // of labels

  // The height of category labels below the figure where they have to be slanted to stand side by side; 0 where they
  // lie flat, or where there are so many that some are left out.
  function slantedLabels(figure, width) {
    if (figure.x.scale !== "category" || figure.y.scale !== "category") return 0;
    const names = categories(figure, figure.x.column);
    const place = (width * 0.68) / names.length;
    const longest = Math.min(120, letterWidth * Math.max(...names.map((name) => name.length)));
    return longest + 6 > place && place > 13 ? Math.ceil(longest * 0.77) + 10 : 0;
  }

  function axis(figure, which, width) {
    const {column: name, title, scale} = figure[which];
    const common = {
      name: title,
      nameLocation: "middle",
      nameGap: which === "x" ? 28 : 12,
      nameTextStyle: {fontSize: 12},
      axisLabel: {hideOverlap: true, fontSize: 11},
    };
    if (scale !== "category") {
      common.axisLabel.formatter = tickText;
      const isWhole = column(figure, name).every((value) => missing(value) || Number.isInteger(value));
      return {...common, type: scale === "log" ? "log" : "value", scale: true, minInterval: isWhole && scale === "number" ? 1 : 0, splitNumber: which === "x" ? Math.max(2, Math.floor(width / 90)) : 5};
    }
    const names = categories(figure, name);
    const category = {...common, type: "category", data: names, axisTick: {show: false}};
    if (which === "y") {
      const longest = Math.max(60, Math.min(220, width * 0.34));
      return {...category, name: "", inverse: true, axisLabel: {...common.axisLabel, interval: 0, width: longest, overflow: "truncate"}};
    }
    const slant = slantedLabels(figure, width);
    if (!slant) return category;
    return {...category, nameGap: slant + 8, axisLabel: {...common.axisLabel, interval: 0, hideOverlap: false, rotate: 50, width: 120, overflow: "truncate"}};
  }

  // Lines of the legend, from the usual width of a letter.
  function legendLines(names, width) {
    if (names.length < 2) return 0;
    let count = 1, used = 0;
    for (const name of names) {
      const needed = 44 + 7.2 * Math.min(name.length, 40);
      if (used + needed > width) {
        count += 1;
        used = 0;
      }
      used += needed;
    }
    return count;
  }

  const legendNames = (figure) => [...groups(figure).map(([name]) => name), ...(figure.diagonal ? ["equal"] : [])];

  function base(figure, width) {
    const legend = legendLines(legendNames(figure), width);
    return {
      animation: false,
      textStyle: {fontFamily: getComputedStyle(document.body).fontFamily},
      aria: {enabled: true},
      grid: {left: 10, right: 18, top: 14, bottom: legend ? 14 + 20 * legend : 2, outerBoundsMode: "same", outerBoundsContain: "all"},
      legend: {show: legend > 0, bottom: 0, left: "center", itemWidth: 18, itemHeight: 10, itemGap: 10, textStyle: {fontSize: 12, width: 280, overflow: "truncate"}},
      tooltip: {confine: true, textStyle: {fontSize: 12}},
      xAxis: axis(figure, "x", width),
      yAxis: axis(figure, "y", width),
      series: [],
    };
  }

  // Lines across the figure, on the first series.
  function addMarks(figure, options) {
    if (!figure.marks || !options.series.length) return;
    options.series[0].markLine = {
      symbol: "none",
      silent: true,
      lineStyle: {type: "dotted", width: 1.5},
      label: {formatter: "{b}", fontSize: 11, position: "insideEndTop"},
      data: figure.marks.map((mark) => ({name: mark.title, [mark.axis === "x" ? "xAxis" : "yAxis"]: mark.at})),
    };
  }

  // Colours come again; lines of the second round are dashed.
  const lineType = (index, colours) => (index < colours.series.length ? "solid" : "dashed");

  // The area between two ends of an interval: a stack of an unseen line and the width above it. Values stand before
  // places, because ECharts stacks the first dimension.
  function band(name, index, points, low, high, colour) {
    const common = {type: "line", stack: "band " + index, stackStrategy: "all", symbol: "none", silent: true, color: colour, lineStyle: {opacity: 0}, encode: {x: 1, y: 0}, tooltip: {show: false}};
    return [
      {...common, name: name + " low", data: points.map((point, i) => [low[i], point[0]])},
      {...common, name: name + " high", data: points.map((point, i) => [high[i] - low[i], point[0]]), areaStyle: {opacity: 0.18}},
    ];
  }

  function lines(figure, width, colours) {
    const parts = groups(figure);
    const options = base(figure, width);
    const x = column(figure, figure.x.column), y = column(figure, figure.y.column);
    const low = figure.low ? column(figure, figure.low) : null, high = figure.high ? column(figure, figure.high) : null;
    const told = new Map();
    parts.forEach(([name, rows], index) => {
      const points = rows.map((row) => [x[row], y[row]]);
      const style = (figure.styles || {})[name];
      const colour = colours.series[index % colours.series.length];
      const isScatter = style === "points";
      if (low && rows.every((row) => !missing(low[row]) && !missing(high[row])))
        options.series.push(...band(name, index, points, rows.map((row) => low[row]), rows.map((row) => high[row]), colour));
      options.series.push({
        type: isScatter ? "scatter" : "line",
        name,
        data: points,
        color: colour,
        symbolSize: isScatter ? 7 : 5,
        symbol: "circle",
        showSymbol: isScatter || points.length <= 30,
        step: style === "steps" ? "end" : false,
        lineStyle: {width: 2, type: style === "dashed" ? "dashed" : lineType(index, colours)},
      });
      rows.forEach((row) => told.set(name + "\0" + x[row], low ? ` (${numberText(low[row])} to ${numberText(high[row])})` : ""));
    });
    if (figure.diagonal) {
      const ends = [...x, ...y].filter((value) => !missing(value));
      const [from, to] = [Math.min(...ends), Math.max(...ends)];
      options.series.push({type: "line", name: "equal", data: [[from, from], [to, to]], symbol: "none", silent: true, color: colours.muted, lineStyle: {type: "dashed", width: 1}});
    }
    const shown = new Set(options.series.filter((series) => !(series.tooltip && series.tooltip.show === false)).map((series) => series.name));
    options.legend.data = [...shown];
    options.tooltip.trigger = "axis";
    options.tooltip.formatter = (items) => {
      const lineOf = (item) => `${item.marker}${escaped(item.seriesName)}: <b>${numberText(item.value[1])}</b>${told.get(item.seriesName + "\0" + item.value[0]) || ""}`;
      const own = items.filter((item) => shown.has(item.seriesName));
      return own.length ? `${escaped(figure.x.title)} ${escaped(numberText(own[0].value[0]))}<br>${own.map(lineOf).join("<br>")}` : "";
    };
    addMarks(figure, options);
    return options;
  }

  // A whisker from low to high with the value on it: a box without height.
  function intervals(figure, width, colours) {
    const options = base(figure, width);
    const names = column(figure, figure.y.column), values = column(figure, figure.x.column);
    const low = column(figure, figure.low), high = column(figure, figure.high);
    const boxes = names.map((name, row) => (missing(values[row]) ? [] : [missing(low[row]) ? values[row] : low[row], values[row], values[row], values[row], missing(high[row]) ? values[row] : high[row]]));
    options.series = [
      {type: "boxplot", name: "interval", data: boxes, boxWidth: [10, 14], itemStyle: {borderWidth: 2, borderColor: colours.series[0], color: colours.series[0]}},
      {type: "scatter", name: figure.x.title, data: values.map((value, row) => [value, String(names[row])]), symbolSize: 9, color: colours.series[0]},
    ];
    options.tooltip.formatter = (item) => {
      const row = item.dataIndex;
      const ends = missing(low[row]) ? "" : ` (${numberText(low[row])} to ${numberText(high[row])})`;
      return `${escaped(names[row])}<br>${escaped(figure.x.title)}: <b>${numberText(values[row])}</b>${ends}`;
    };
    addMarks(figure, options);
    return options;
  }

  // Bars stand on the axis that is not of categories.
  function bars(figure, width, colours) {
    const parts = groups(figure);
    const options = base(figure, width);
    const isLying = figure.y.scale === "category";
    const names = categories(figure, isLying ? figure.y.column : figure.x.column);
    const of = column(figure, isLying ? figure.y.column : figure.x.column).map(String);
    const values = column(figure, isLying ? figure.x.column : figure.y.column);
    Object.assign(options[isLying ? "xAxis" : "yAxis"], {scale: false, max: figure.stacked ? "dataMax" : null});
    options.series = parts.map(([name, rows], index) => {
      const value = new Map(rows.map((row) => [of[row], values[row]]));
      return {type: "bar", name, stack: figure.stacked ? "all" : undefined, data: names.map((category) => (value.has(category) ? value.get(category) : null)), color: colours.series[index % colours.series.length], barMaxWidth: 34};
    });
    options.tooltip.trigger = "axis";
    options.tooltip.axisPointer = {type: "shadow"};
    options.tooltip.valueFormatter = numberText;
    addMarks(figure, options);
    return options;
  }

  // Columns "from" and "to" are the ends of each bin.
  function histogram(figure, width, colours) {
    const parts = groups(figure);
    const from = column(figure, "from"), to = column(figure, "to"), counts = column(figure, figure.y.column);
    const bins = [...new Map(from.map((low, row) => [low, [low, to[row]]])).values()].sort((a, b) => a[0] - b[0]);
    const options = base(figure, width);
    options.xAxis = {...options.xAxis, type: "category", data: bins.map(([low]) => tickText(low)), axisTick: {show: false}};
    options.xAxis.axisLabel.formatter = undefined;
    options.yAxis.scale = false;
    options.series = parts.map(([name, rows], index) => {
      const count = new Map(rows.map((row) => [from[row], counts[row]]));
      const common = {name, data: bins.map(([low]) => count.get(low) || 0), color: colours.series[index % colours.series.length]};
      // Outlines, where bars would hide each other.
      if (parts.length > 3) return {...common, type: "line", step: "middle", symbol: "none", lineStyle: {width: 2, type: lineType(index, colours)}};
      return {...common, type: "bar", barCategoryGap: "8%", barGap: "-100%", itemStyle: {opacity: parts.length > 1 ? 0.6 : 0.9}};
    });
    options.tooltip.trigger = "axis";
    options.tooltip.axisPointer = {type: "shadow"};
    options.tooltip.formatter = (items) => {
      const [low, high] = bins[items[0].dataIndex];
      return `${escaped(figure.x.title)} ${numberText(low)} to ${numberText(high)}<br>` + items.map((item) => `${item.marker}${escaped(item.seriesName)}: <b>${numberText(item.value)}</b>`).join("<br>");
    };
    return options;
  }

  function heatMap(figure, width, colours) {
    const options = base(figure, width);
    const x = column(figure, figure.x.column).map(String), y = column(figure, figure.y.column).map(String);
    const values = column(figure, figure.value);
    const present = values.filter((value) => !missing(value));
    const [low, high] = figure.range || [Math.min(...present), Math.max(...present)];
    const cellWidth = (width * 0.75) / options.xAxis.data.length;
    const slant = slantedLabels(figure, width);
    options.grid.bottom = 36;
    // Two digits of the largest value.
    const decimals = Math.max(2, Math.min(5, 1 - Math.floor(Math.log10(Math.max(Math.abs(low), Math.abs(high), 1e-9)))));
    const cellText = (value) => (value.toFixed(decimals).replace(/^-(0\.0*)$/, "$1"));
    if (slant) options.xAxis.name = "";
    options.visualMap = {
      min: low, max: high === low ? low + 1 : high, calculable: false, orient: "horizontal", left: "center", bottom: 0, itemWidth: 12, itemHeight: Math.min(180, width * 0.4),
      text: [numberText(high), numberText(low)], textStyle: {fontSize: 11},
      inRange: {color: figure.diverging ? colours.diverging : colours.scale},
    };
    options.series = [{
      type: "heatmap",
      name: figure.value,
      data: values.map((value, row) => [x[row], y[row], missing(value) ? "-" : value]),
      label: {show: cellWidth >= 14 + 6.5 * (decimals + 2), fontSize: 11, formatter: (item) => (item.value[2] === "-" ? "" : cellText(item.value[2]))},
      itemStyle: {borderWidth: 1, borderColor: colours.surface},
    }];
    options.tooltip.formatter = (item) => `${escaped(figure.y.title)} ${escaped(item.value[1])}<br>${escaped(figure.x.title)} ${escaped(item.value[0])}<br><b>${numberText(item.value[2])}</b>`;
    return options;
  }

  const kinds = {lines, intervals, bars, histogram, heat_map: heatMap};

  // Pixels that a figure needs: rows of categories and lines of the legend have a height of their own.
  function height(figure, width) {
    const legend = 20 * Math.max(0, legendLines(legendNames(figure), width) - 1);
    if (figure.y.scale !== "category") return 300 + legend;
    const rows = categories(figure, figure.y.column).length;
    const perSeries = figure.kind === "bars" && figure.series && !figure.stacked ? 14 * groups(figure).length : 0;
    return Math.max(170, 96 + rows * Math.max(30, perSeries + 10)) + legend + slantedLabels(figure, width);
  }

  // Figures with many columns take the whole width.
  const isWide = (figure) => figure.x.scale === "category" && categories(figure, figure.x.column).length > 12;

  return {options: (figure, width, colours) => kinds[figure.kind](figure, width, colours), height, isWide};
})();

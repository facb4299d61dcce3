"use strict";
// Runs, oldest first; of the same command line pictures show the newest, the trend shows all.
const sources = JSON.parse(document.getElementById("data").textContent)
  .sort((a, b) => a.report.startedAt < b.report.startedAt ? -1 : 1);
const newest = [...new Map(sources.map(source => [command(source.report), source])).values()];
const rows = newest.flatMap(source => source.report.results.map(row => ({...row, source})));
const all = rows.filter(row => row.nanos);
// Passes that are watched have a picture of their own, and so have backends in other conditions.
const measured = all.filter(row => row.source.report.command !== "profile" && !row.role.endsWith("variant"));
// What is measured beside others belongs beside them; all else is of this library's own runs.
const beside = row => row.source.report.command === "peers";
const own = measured.some(row => !beside(row)) ? measured.filter(row => !beside(row)) : measured;
const most = Math.max(1, ...measured.map(row => row.threads));
const charts = [];
const palette = ["#2f7ed8", "#e4803c", "#7d8894", "#3aa66b", "#b05fc2", "#c9a227", "#d4526e", "#33b2c9", "#8a6d3b",
  "#5b6ee1", "#7f9c2f", "#e58fbf", "#4d5a66"];
const fixed = [[/^native/, 0], [/^vector/, 1], [/^scalar/, 2]];
const taken = new Map();

function colour(name) {
  const known = fixed.find(([pattern]) => pattern.test(name));
  if (known) return palette[known[1]];
  if (!taken.has(name)) taken.set(name, palette[fixed.length + taken.size] || `hsl(${taken.size * 137 % 360} 45% 55%)`);
  return taken.get(name);
}

function add(parent, tag, text, kind) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  parent.append(element);
  return element;
}

const unique = values => [...new Set(values)];
const threads = count => count + (count === 1 ? " thread" : " threads");
const mebibytes = bytes => bytes / (1 << 20);
const model = row => row.subject.replace(/ (decode|prefill)$/, "");

function rate(row) {
  return row.rateUnit === "tok/s" ? row.tokensPerSecond
    : row.rateUnit === "calls/s" ? 1e9 / row.nanos.median
    : row.rateUnit === "GB/s" ? row.gigabytesPerSecond : row.gflops;
}

function section(title) {
  const part = document.createElement("section");
  const id = title.toLowerCase().replace(/[^a-z]+/g, "-");
  const heading = add(part, "h2", title);
  heading.id = id;
  return part;
}

/** Adds a section and its line in the contents, if there is something in it. */
function finish(part) {
  if (part.children.length < 2) return;
  document.getElementById("pictures").append(part);
  const link = add(document.getElementById("contents"), "a", part.firstChild.textContent);
  link.href = "#" + part.firstChild.id;
}

/** The command without what only says where files are. */
function command(report) {
  const words = [];
  for (let i = 0; i < report.arguments.length; i++) {
    if (["--json", "--cache"].includes(report.arguments[i])) i++;
    else words.push(report.arguments[i]);
  }
  return "bench " + words.join(" ");
}

function caption(figure, used) {
  const text = add(figure, "figcaption");
  unique(used).forEach((source, i) => {
    if (i) text.append("; ");
    add(text, "code", command(source.report));
    text.append(" → ");
    add(text, "a", source.file).href = source.file;
  });
}

function ink() {
  const style = getComputedStyle(document.documentElement);
  return {ink: style.getPropertyValue("--ink").trim(), line: style.getPropertyValue("--line").trim()};
}

function figure(parent, title, used, height, config) {
  const box = add(parent, "figure");
  add(box, "h3", title);
  const frame = add(box, "div", undefined, "chart");
  frame.style.height = height + "px";
  const canvas = add(frame, "canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", title + "; the tables below hold its figures");
  caption(box, used);
  config.options = {maintainAspectRatio: false, responsive: true, ...config.options};
  charts.push(new Chart(canvas, config));
}

const legend = {position: "top", align: "start", labels: {boxWidth: 12, padding: 8}};

/** Bars that lie: a label for each group, a bar for each name in it. */
function bars(parent, title, unit, list, label, name, value, more = {}) {
  const labels = unique(list.map(label));
  const names = unique(list.map(name));
  if (!labels.length) return;
  const data = which => labels.map(text => {
    const row = list.find(one => label(one) === text && name(one) === which);
    return row ? value(row) : null;
  });
  const height = 76 + labels.length * (more.stacked ? 30 : Math.max(30, 12 + 13 * names.length));
  figure(parent, title, list.map(row => row.source), height, {
    type: "bar",
    // On phones there is no room for long labels in one line.
    data: {labels: labels.map(text => text.length > 18 ? text.split(", ") : text), datasets: names.map(which => ({
      label: which, data: data(which), backgroundColor: colour(which), skipNull: true,
      stack: more.stacked ? "all" : undefined}))},
    options: {indexAxis: "y",
      scales: {x: {beginAtZero: true, stacked: !!more.stacked, title: {display: true, text: unit}, max: more.max,
                   ...(more.log ? {type: "logarithmic", beginAtZero: false} : {})},
               y: {stacked: !!more.stacked, ticks: {autoSkip: false}}},
      plugins: {legend: {...legend, display: names.length > 1}}}
  });
}

/** Lines: a point for each x that was measured. */
function lines(parent, title, xTitle, unit, list, name, x, y, more = {}) {
  const names = unique(list.map(name));
  if (unique(list.map(x)).length < 2) return;
  figure(parent, title, list.map(row => row.source), 300, {
    type: "line",
    data: {datasets: names.map(which => ({
      label: which, borderColor: colour(which), backgroundColor: colour(which), borderWidth: 2,
      pointRadius: more.points === false ? 0 : 3,
      data: list.filter(row => name(row) === which).map(row => ({x: x(row), y: y(row)}))
        .sort((a, b) => a.x - b.x)}))},
    options: {
      scales: {x: {type: more.log ? "logarithmic" : "linear", title: {display: true, text: xTitle},
                   ticks: more.ticks ? {callback: more.ticks} : {precision: 0},
                   // Only sizes that were measured: a logarithmic axis crowds its own ticks.
                   afterBuildTicks: axis => { if (more.log) axis.ticks = unique(list.map(x)).map(value => ({value})); }},
               y: {beginAtZero: !more.close, title: {display: true, text: unit}}},
      plugins: {legend: {...legend, display: names.length > 1}}}
  });
}

function grid(part) { return add(part, "div", undefined, "grid"); }

/** GFLOPS, throughput and GB/s by system: bars of one picture are of one run. */
function systems() {
  const runs = newest.map(source => measured.filter(row => row.source === source && row.threads === most));
  const part = section("GFLOPS by system");
  for (const run of runs) {
    const gemms = run.filter(row => row.work === "gemm");
    const largest = row => gemms.filter(one => one.subject === row.subject).at(-1).size === row.size;
    bars(part, "Products of matrices, largest size, " + threads(most), "GFLOPS", gemms.filter(largest),
      row => row.subject + " " + row.size, row => row.variant, rate);
  }
  for (const run of runs) {
    bars(part, "Products with one vector, weights from memory, " + threads(most), "GB/s",
      run.filter(row => row.work === "gemv"), row => row.subject + " " + row.size, row => row.variant, rate);
  }
  finish(part);

  const speed = section("Throughput by system");
  for (const [work, title] of [["decode", "Tokens generated"], ["prefill", "Prompts read"], ["train", "Training"]]) {
    for (const run of runs) {
      bars(speed, `${title}, ${threads(most)}`, "tok/s", run.filter(row => row.work === work),
        row => model(row) + ", " + row.size, row => row.variant, rate);
    }
  }
  finish(speed);
}

/** Rows that somebody else is faster in than every backend, and why. */
function wins() {
  const part = section("Where others win");
  const found = newest.flatMap(source => source.report.results.filter(row => source.wins[row.id])
    .map(row => ({row, source, ...source.wins[row.id]})));
  if (found.length) {
    const box = add(part, "figure");
    table(add(box, "div", undefined, "stacked scroll"), ["work", "who", "speed", "why"], found.map(({row, ratio, ours, why}) =>
      [`${row.work === row.subject ? row.work : row.work + " " + model(row)} ${row.size} ×${row.threads}`, row.variant,
        `${ratio.toFixed(2)} × ${ours}`, why || "not found out yet"]), (cell, i) => i === 3 ? "text" : "");
    caption(box, found.map(one => one.source));
  }
  finish(part);
}

/** How figures go with size, threads, context and sessions. */
function scaling() {
  const part = section("Scaling");
  const box = grid(part);
  for (const type of unique(own.filter(row => row.work === "gemm").map(row => row.subject))) {
    lines(box, `Size: products with ${type}, ${threads(most)}`, "rows = columns", "GFLOPS",
      own.filter(row => row.work === "gemm" && row.subject === type && row.threads === most
        && row.shape.m === row.shape.n && row.role === "backend"),
      row => row.variant, row => row.shape.m, rate, {log: true, ticks: String});
  }
  const alone = new Map(own.filter(row => row.threads === 1).map(row => [row.id, row]));
  const faster = own.filter(row => row.threads === most && most > 1 && row.role === "backend"
    && ["gemm", "gemv", "decode", "prefill", "train"].includes(row.work))
    .map(row => ({...row, one: alone.get(row.id.replace(/threads-\d+$/, "threads-1"))}))
    .filter(row => row.one);
  const last = row => faster.filter(one => one.work === row.work && one.subject === row.subject).at(-1).size === row.size;
  bars(box, `Threads: ${most} against 1`, "times as fast", faster.filter(last),
    row => `${row.work} ${model(row)}`, row => row.variant, row => rate(row) / rate(row.one));
  lines(box, "Context: tokens generated behind it, " + threads(most), "tokens of context", "tok/s",
    own.filter(row => row.work === "decode" && row.threads === most && row.shape.sessions === 1),
    row => row.variant + (unique(own.filter(one => one.work === "decode").map(model)).length > 1
      ? " " + model(row) : ""), row => row.shape.depth, rate);
  for (const count of unique(own.filter(row => row.work === "sessions").map(row => row.threads))) {
    lines(box, "Sessions at once, " + threads(count), "sessions", "tok/s of all together",
      own.filter(row => row.work === "sessions" && row.threads === count),
      row => row.variant, row => row.shape.sessions, rate);
  }
  const series = own.filter(row => row.work === "decode" && row.series?.length > 1 && row.threads === most)
    .flatMap(row => row.series.map((nanos, i) =>
      ({source: row.source, name: row.variant + (row.shape.depth ? " @" + row.shape.depth : ""), i: i + 1, ms: nanos / 1e6})));
  lines(box, "Token by token, " + threads(most), "token", "ms", series, row => row.name, row => row.i,
    row => row.ms, {points: false});
  if (!box.children.length) box.remove();
  finish(part);
}

/** The same backend beside other processes, for instance, and without them. */
function conditions() {
  const part = section("Under other conditions");
  const base = row => row.variant.split(" ")[0];
  const place = row => [row.source.file, row.work, row.subject, row.size, row.threads].join();
  const varied = all.filter(row => row.role === "variant" && row.work !== "first token"
    && row.source.report.command !== "profile");
  for (const work of unique(varied.map(row => row.work))) {
    const pairs = varied.filter(row => row.work === work).flatMap(row =>
      [all.find(one => one.role === "backend" && one.variant === base(row) && place(one) === place(row)), row]);
    const list = unique(pairs.filter(row => row));
    if (list.length) bars(part, work, list[0].rateUnit, list,
      row => `${row.subject}, ${row.size}, ${base(row)} ×${row.threads}`,
      row => row.variant.split(" ").slice(1).join(" ") || "without", rate);
  }
  finish(part);
}

/** Memory and allocations. */
function memory() {
  const part = section("Memory");
  const box = grid(part);
  const resident = own.filter(row => row.figures?.residentBytes > 0 && row.threads === most
    && (row.work === "train" || row.work === "load"));
  bars(box, "Resident memory of a model, or of a training run", "MiB", resident,
    row => row.subject + (row.work === "load" ? "" : ", training"), row => row.variant,
    row => mebibytes(row.figures.residentBytes));
  const cache = own.filter(row => row.figures?.cacheBytesPerToken > 0);
  bars(box, "Keys and values, for each token of context", "KiB", cache,
    model, () => "keys and values", row => row.figures.cacheBytesPerToken / 1024);
  const heap = own.filter(row => row.heapBytesPerCall != null && row.role === "backend" && row.threads === most
    && ["decode", "prefill", "sessions", "train", "gemm", "gemv"].includes(row.work));
  const perToken = row => row.heapBytesPerCall / (row.tokensPerSecond
    ? Math.max(1, Math.round(row.tokensPerSecond * row.nanos.median / 1e9)) : 1);
  if (heap.length) {
    const list = add(add(box, "figure"), "div", undefined, "scroll");
    add(list, "h3", "Allocations: Java heap, of a token or a product");
    const names = unique(heap.map(row => row.variant));
    table(list, ["work", ...names], unique(heap.map(row => `${row.work} ${model(row)}`)).map(label => [label,
      ...names.map(name => {
        const found = heap.filter(row => `${row.work} ${model(row)}` === label && row.variant === name);
        return found.length ? Math.round(Math.max(...found.map(perToken))) + " B" : "";
      })]));
    caption(list.parentNode, heap.map(row => row.source));
  }
  if (!box.children.length) box.remove();
  finish(part);
}

/** Everything but products. */
function operations() {
  const part = section("Element by element and row by row");
  const list = own.filter(row => row.source.report.command === "ops" && row.threads === most);
  for (const size of unique(list.map(row => row.size))) {
    bars(part, `${size} elements, ${threads(most)}`, "GB/s", list.filter(row => row.size === size),
      row => row.work, row => row.variant, rate);
  }
  finish(part);
}

/** Where the time of a token goes. */
function hotPath() {
  const part = section("Hot path");
  const steps = all.filter(row => row.work === "profile");
  bars(part, "Where the time of a pass goes", "per cent of the pass", steps,
    row => `${row.subject.split(" ").at(-1)}, ${row.variant} ×${row.threads}`, row => row.size,
    row => 100 * row.figures.shareOfPass, {stacked: true, max: 100});
  const box = grid(part);
  const fast = steps.filter(row => row.threads === most && row.share != null);
  for (const subject of unique(fast.map(row => row.subject))) {
    bars(box, `${subject}: share of the roofline, ${threads(most)}`, "per cent",
      fast.filter(row => row.subject === subject), row => row.size, row => row.variant, row => 100 * row.share);
  }
  for (const subject of unique(steps.map(row => row.subject))) {
    const layered = steps.filter(row => row.subject === subject && row.threads === most && row.series?.length > 1);
    const points = unique(layered.map(row => row.variant)).flatMap(variant => {
      const mine = layered.filter(row => row.variant === variant);
      return mine[0].series.map((_, layer) => ({source: mine[0].source, variant, layer,
        us: mine.reduce((sum, row) => sum + (row.series[layer] || 0), 0) / 1e3}));
    });
    lines(box, `${subject}: time of each layer, ${threads(most)}`, "layer", "µs", points,
      row => row.variant, row => row.layer, row => row.us);
  }
  if (!box.children.length) box.remove();
  const cost = unique(steps.filter(row => row.figures.overhead != null)
    .map(row => `${row.subject}, ${row.variant} ×${row.threads}: ${(100 * row.figures.overhead).toFixed(1)} %`));
  if (cost.length) add(part, "p", "Watching made passes longer by: " + cost.join("; ") + ".", "dim");
  finish(part);
}

/** Until something is there. */
function starting() {
  const part = section("Loading");
  const box = grid(part);
  bars(box, "A model, from its file until it can run, " + threads(most), "ms, less is better",
    own.filter(row => row.work === "load"), row => `${row.subject}, ${row.size}`, row => row.variant,
    row => row.nanos.median / 1e6);
  bars(box, "A fresh process", "ms, less is better", own.filter(row => row.work === "startup"),
    row => `${row.subject}, ${row.size}`, row => row.variant, row => row.nanos.median / 1e6);
  bars(box, "A fresh process with a model, until its first token", "ms, less is better",
    all.filter(row => row.work === "first token"), row => `${row.subject}, ${threads(row.threads)}`, row => row.variant,
    row => row.nanos.median / 1e6);
  if (!box.children.length) box.remove();
  finish(part);
}

/** Shares of what the machine can do. */
function limits() {
  const part = section("Per cent of the limits");
  const limited = own.filter(row => row.share != null && row.threads === most && row.role === "backend"
    && !["load", "first token"].includes(row.work) && !/loop/.test(row.shareOf));
  const box = grid(part);
  for (const limit of unique(limited.map(row => row.shareOf))) {
    const list = limited.filter(row => row.shareOf === limit);
    const last = row => list.filter(one => one.work === row.work && one.subject === row.subject).at(-1).size === row.size;
    bars(box, `${limit}, ${threads(most)}`, "per cent", list.filter(last),
      row => row.work === row.subject ? row.work : `${row.work} ${model(row)}`, row => row.variant, row => 100 * row.share);
  }
  if (!box.children.length) box.remove();
  finish(part);
}

/** Rates of the same rows over several runs, the first one being 1. */
function trend() {
  const part = section("Trend");
  for (const command of unique(sources.map(source => source.report.command))) {
    const runs = sources.filter(source => source.report.command === command);
    if (runs.length < 2) continue;
    const kinds = run => {
      const groups = new Map();
      run.report.results.filter(row => row.nanos && row.role === "backend").forEach(row => {
        const name = `${row.work} ${row.variant} ×${row.threads}`;
        groups.set(name, [...groups.get(name) || [], row]);
      });
      return groups;
    };
    const first = kinds(runs[0]);
    const points = runs.flatMap((run, i) => [...kinds(run)].flatMap(([name, list]) => {
      const logs = list.map(row => [row, (first.get(name) || []).find(one => one.id === row.id)])
        .filter(pair => pair[1]).map(([now, then]) => Math.log(then.nanos.median / now.nanos.median));
      return logs.length ? [{source: run, name, i, speed: Math.exp(logs.reduce((a, b) => a + b) / logs.length)}] : [];
    }));
    lines(part, `bench ${command}: speed against the first run`, "run", "times as fast", points, row => row.name,
      row => row.i, row => row.speed, {close: true, ticks: value => Number.isInteger(value) && runs[value]
        ? runs[value].report.startedAt.slice(5, 16).replace("T", " ") : ""});
  }
  finish(part);
}

/** Who could do what, and was right. */
function features() {
  const part = section("Feature matrix");
  const scroll = add(part, "div", undefined, "scroll");
  const label = row => row.work === row.subject ? row.work : `${row.work} ${model(row)}`;
  const asked = rows.filter(row => row.source.report.command !== "profile" && row.work !== "startup");
  const names = unique(asked.map(row => row.variant));
  table(scroll, ["verified and measured", ...names], unique(asked.map(label)).map(text => [text,
    ...names.map(name => {
      const found = asked.filter(row => label(row) === text && row.variant === name);
      return !found.length ? "" : found.some(row => row.status === "ok") ? "✓" : found[0].status;
    })]), cell => cell === "✓" ? "yes" : ["failed", "wrong"].includes(cell) ? "no" : "");
  const backends = unique(newest.flatMap(source => source.report.backends.map(one => JSON.stringify(one.available
    ? [one.name, "✓", one.detail.replace(/, \/\S*$/, "")] : [one.name, "–", one.detail])))).map(text => JSON.parse(text));
  table(scroll, ["backend", "here", "why"], backends, (cell, i) => i === 2 ? "text" : cell === "✓" ? "yes" : "");
  finish(part);
}

function table(parent, head, body, kind = () => "") {
  const element = add(parent, "table");
  const line = add(add(element, "thead"), "tr");
  head.forEach((text, i) => add(line, "th", text, kind("", i)));
  const rest = add(element, "tbody");
  body.forEach(cells => {
    const row = add(rest, "tr");
    cells.forEach((text, i) => add(row, "td", text, kind(text, i)));
  });
}

/** The tables, run by run, newest last. */
function everyFigure() {
  const parent = document.getElementById("runs");
  const ms = nanos => nanos === undefined ? "" : (nanos / 1e6).toPrecision(3);
  for (const {file, report, wins} of sources) {
    const part = add(parent, "details");
    add(part, "summary", "bench " + report.command + ", " + report.startedAt);
    const origin = add(part, "p", undefined, "dim");
    origin.append("Made by ");
    add(origin, "code", "scripts/smallmind " + command(report));
    origin.append(`, source ${report.host.revision || "unknown"}; all figures: `);
    add(origin, "a", file).href = file;
    add(part, "p", "Limits: " + (report.limits.map(one =>
      `${one.kind} ×${one.threads} ${one.start.toFixed(0)} ${one.unit}`).join(", ") || "not measured"), "dim");
    table(add(part, "div", undefined, "scroll"),
      ["row", "by", "threads", "rate", "unit", "median ms", "95 %", "99 %", "of limit", "heap/call", "status"],
      report.results.map(row => {
        const speed = row.nanos ? rate(row) : null;
        return [row.work + " " + (row.work === row.subject ? "" : row.subject + " ") + row.size, row.variant,
          row.threads, speed == null ? "" : speed.toPrecision(4), row.rateUnit, ms(row.nanos?.median),
          ms(row.nanos?.p95), ms(row.nanos?.p99), row.share == null ? "" : Math.round(row.share * 100) + " %",
          row.heapBytesPerCall == null ? "" : Math.round(row.heapBytesPerCall),
          row.status !== "ok" ? row.status + ": " + row.message : wins[row.id] ? "wins" : "ok"];
      }), (cell, i) => i === 10 && !["ok", "wins"].includes(cell) ? "text" : cell === "wins" ? "no" : "");
    report.warnings.forEach(text => add(part, "p", "Note: " + text, "dim"));
  }
}

/** Draws in the colours of the page as it is shown or printed. */
function paint() {
  const {ink: text, line} = ink();
  Chart.defaults.color = text;
  Chart.defaults.borderColor = line;
  charts.forEach(chart => {
    chart.options.color = text;
    Object.values(chart.options.scales).forEach(scale => {
      scale.ticks.color = text;
      scale.title.color = text;
      scale.grid.color = line;
    });
    chart.options.plugins.legend.labels.color = text;
    chart.resize();
    chart.update("none");
  });
}

Chart.defaults.animation = false;
Chart.defaults.color = ink().ink;
Chart.defaults.borderColor = ink().line;
const machine = newest[0]?.report;
if (machine) {
  document.getElementById("machine").textContent = `${machine.host.cpu}, ${machine.host.processors} processors, `
    + `${machine.host.os}, Java ${machine.host.javaVersion}; ${machine.startedAt.slice(0, 10)}. `
    + machine.limits.map(one => `${one.kind} ×${one.threads}: ${one.start.toFixed(0)} ${one.unit}`).join(", ");
}
[systems, wins, scaling, conditions, memory, operations, hotPath, starting, limits, trend, features, everyFigure].forEach(draw => draw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach(one => { one.open = true; });
  paint();
});
addEventListener("afterprint", paint);
document.body.dataset.charts = String(charts.length);

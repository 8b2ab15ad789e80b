"use strict";
/* Draws the lanes and steps through the events. The data's shape is described in data.py. */
const data = JSON.parse(document.getElementById("data").textContent);
const text = data.strings;
const [READY, RUNNING, WAITING, BLOCKED] = [0, 1, 2, 3];
const ENDINGS = ["done", "failed", "cancelled", "not awaited", "still there"];
const ROW = 22, MARGIN = 8;
const $ = id => document.getElementById(id);

/* ---- The runs, unpacked ---- */

const runs = data.runs.map((run, which) => {
  let t = 0;
  const times = run.events.map(event => t += event[0]);
  const rows = new Map(run.lanes.map((lane, row) => [lane[1], row]));
  return {...run, which, times, rows, at: 0};
});
const end = Math.max(1, ...runs.map(run => run.end));

/* What is shown of the time, in ns. Never less than SHORTEST, never beyond the ends. */
const SHORTEST = Math.min(1000, end);
let view = {from: 0, to: end};

/* One step goes one event on in each run that has another one at this instant: so both stand at the same time. */
const steps = (() => {
  const all = [], next = runs.map(() => 0);
  for (;;) {
    const t = Math.min(...runs.map((run, i) => run.times[next[i]] ?? Infinity));
    if (t === Infinity)
      return all;
    runs.forEach((run, i) => { if (run.times[next[i]] === t) next[i]++; });
    all.push([t, ...next.map(n => n - 1)]);
  }
})();
let step = 0;

function ms(ns) {
  const whole = Math.floor(ns / 1e6), rest = String(Math.round(ns % 1e6)).padStart(6, "0").replace(/0+$/, "");
  return whole.toLocaleString("en") + (rest ? "." + rest : "") + " ms";
}

/* What a lane does after event `at`: its last span that has begun. Spans are in order, so halve. */
function spanAt(spans, at) {
  let low = 0, high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle][3] <= at) low = middle + 1; else high = middle;
  }
  const span = spans[low - 1];
  return span && at < span[3] + span[4] ? span : null;
}

function state(lane, at) {
  const span = spanAt(lane[7], at);
  if (span) return text[span[5]];
  const spans = lane[7];
  if (!spans.length || at < spans[0][3]) return "";
  return ENDINGS[lane[3]] + (lane[3] === 1 ? " (" + lane[4] + ")" : "");
}

/* ---- Drawing ---- */

let colours = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["paper", "ink", "dim", "line", "soft", "wait", "run", "ready", "block", "cancel", "part",
      "accent", "lit"])
    colours[name] = style.getPropertyValue("--" + name).trim();
}

function size(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  canvas.style.width = width + "px";
  canvas.style.height = height + "px";
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  return pen;
}

/* The columns: name, time, state. A name that says what tells it apart has more room. */
const told = runs.some(run => run.lanes.some(lane => text[lane[8]]));
function layout(width) {
  const [name, says] = width < 600 ? [92, 0] : told ? [200, 220] : [150, 270];
  return {width, left: name, right: width - says - MARGIN, says};
}
const x = (place, t) => place.left + (t - view.from) / (view.to - view.from) * (place.right - place.left);
const timeAt = (place, px) => view.from + (px - place.left) / (place.right - place.left) * (view.to - view.from);
const inView = (from, to) => to >= view.from && from <= view.to;

/* Each state has a shape of its own, so that nobody needs the colours. */
function drawSpan(pen, kind, from, to, y) {
  const wide = Math.max(to - from, 2);
  if (kind === WAITING) {
    pen.fillStyle = colours.wait;
    pen.fillRect(from, y + 9, wide, 4);
  } else if (kind === READY) {
    pen.fillStyle = colours.ready;
    for (let dot = from; dot < from + wide; dot += 5) pen.fillRect(dot, y + 8, Math.min(2, wide), 6);
  } else if (kind === RUNNING) {
    pen.fillStyle = colours.run;
    pen.fillRect(from, y + 3, wide, 16);
  } else {
    pen.fillStyle = colours.block;
    pen.fillRect(from, y + 2, wide, 18);
    pen.strokeStyle = colours.paper;
    pen.lineWidth = 1.5;
    pen.save();
    pen.beginPath();
    pen.rect(from, y + 2, wide, 18);
    pen.clip();
    pen.beginPath();
    for (let slash = from - 20; slash < from + wide; slash += 7) {
      pen.moveTo(slash, y + 20);
      pen.lineTo(slash + 18, y + 2);
    }
    pen.stroke();
    pen.restore();
  }
}

function drawEnding(pen, lane, place, y) {
  const spans = lane[7], last = spans[spans.length - 1];
  if (!last) return;
  const ended = last[1] + last[2], at = x(place, ended);
  pen.font = "bold 12px system-ui, sans-serif";
  if (lane[5] >= view.from && lane[5] <= view.to) {
    pen.fillStyle = colours.cancel;
    pen.fillText("✕", x(place, lane[5]) - 4, y + 15);
  }
  if (!inView(ended, ended)) return;
  if (lane[3] === 3) {
    pen.fillStyle = colours.block;
    pen.fillText("? not awaited", Math.min(at + 4, place.right - 80), y + 15);
  }
  else if (lane[3] === 1) { pen.fillStyle = colours.block; pen.fillText("!", at + 3, y + 15); }
  else if (lane[3] === 4) { pen.fillStyle = colours.block; pen.fillText("…", at - 12, y + 9); }
}

function ellipsis(pen, words, most) {
  if (pen.measureText(words).width <= most) return words;
  let keep = Math.floor(words.length * most / pen.measureText(words).width);
  while (keep > 1 && pen.measureText(words.slice(0, keep) + "…").width > most) keep--;
  return words.slice(0, keep) + "…";
}

/* As labels.py: number, name, and what tells the lane apart from others of its name, as far as there is room. */
function label(pen, lane, most) {
  const [number, name, full, short] = [lane[1], text[lane[0]], text[lane[8]], text[lane[9]]];
  if (!full) return ellipsis(pen, number + " " + name, most);
  const fits = words => pen.measureText(words).width <= most;
  const words = [name + " " + full, name + " " + short, short].map(one => number + " " + one).find(fits);
  if (words) return words;
  let keep = short.length;
  while (keep > 1 && !fits(number + " …" + short.slice(-keep))) keep--;
  return number + " …" + short.slice(-keep);
}

function drawLane(pen, run, row, place, y) {
  const lane = run.lanes[row];
  pen.font = "13px system-ui, sans-serif";
  pen.fillStyle = colours.ink;
  pen.fillText(label(pen, lane, place.left - 12), 4, y + 15);
  let drawn = -1;
  for (const span of lane[7]) {
    if (span[2] === 0 && span[0] !== RUNNING || !inView(span[1], span[1] + span[2])) continue;
    const from = Math.max(x(place, span[1]), place.left), to = Math.min(x(place, span[1] + span[2]), place.right);
    if (to < drawn && span[0] !== BLOCKED) continue;     /* nothing to see: another one covers this pixel already */
    drawSpan(pen, span[0], from, to, y);
    drawn = span[0] === RUNNING ? Math.floor(to) + 1 : drawn;
  }
  drawEnding(pen, lane, place, y);
  if (place.says) {
    pen.font = "12px system-ui, sans-serif";
    pen.fillStyle = colours.dim;
    pen.fillText(ellipsis(pen, state(lane, run.at), place.says - 8), place.right + MARGIN + 4, y + 15);
  }
}

/* Who woke whom: all of it in a small run, else what happens at this instant. */
function drawWakes(pen, run, place, top) {
  const t = run.times[run.at];
  pen.lineWidth = 1;
  for (const [index, by, task] of run.wakes) {
    const at = run.times[index], current = index === run.at;
    if (run.wakes.length > 300 && at !== t || !inView(at, at)) continue;
    const from = run.rows.get(by), to = run.rows.get(task);
    if (from === undefined || to === undefined || from === to) continue;
    const px = x(place, at), y1 = from * ROW - top + ROW / 2, y2 = to * ROW - top + ROW / 2, down = y2 > y1 ? 1 : -1;
    pen.strokeStyle = pen.fillStyle = current ? colours.accent : colours.dim;
    pen.globalAlpha = current ? 1 : .45;
    pen.beginPath();
    pen.moveTo(px, y1);
    pen.lineTo(px, y2 - 6 * down);
    pen.stroke();
    pen.beginPath();
    pen.moveTo(px, y2); pen.lineTo(px - 3, y2 - 6 * down); pen.lineTo(px + 3, y2 - 6 * down);
    pen.fill();
    pen.globalAlpha = 1;
  }
}

function drawUpright(pen, place, t, height, colour, dashes) {
  if (!inView(t, t)) return;
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.setLineDash(dashes);
  pen.beginPath();
  pen.moveTo(x(place, t), 0);
  pen.lineTo(x(place, t), height);
  pen.stroke();
  pen.setLineDash([]);
}

function drawLanes(run) {
  const box = run.box, width = box.clientWidth, place = layout(width);
  const height = Math.min(run.lanes.length * ROW, run.printing ? 30000 : box.clientHeight || 400), top = box.scrollTop;
  const pen = size(run.canvas, width, height);
  pen.clearRect(0, 0, width, height);
  const from = Math.floor(top / ROW), to = Math.min(run.lanes.length, Math.ceil((top + height) / ROW));
  for (let row = from; row < to; row++) {
    const y = row * ROW - top;
    if (run.lanes[row][1] === run.events[run.at]?.[1]) { pen.fillStyle = colours.lit; pen.fillRect(0, y, width, ROW); }
    else if (row % 2) { pen.fillStyle = colours.soft; pen.fillRect(0, y, width, ROW); }
    drawLane(pen, run, row, place, y);
  }
  drawWakes(pen, run, place, top);
  if (marked) {
    pen.fillStyle = colours.accent;
    pen.globalAlpha = .2;
    pen.fillRect(Math.min(marked.from, marked.to), 0, Math.abs(marked.to - marked.from), height);
    pen.globalAlpha = 1;
  }
  if (data.parts) drawUpright(pen, place, data.parts.t, height, colours.part, [5, 3]);
  drawUpright(pen, place, run.times[run.at] ?? 0, height, colours.accent, []);
}

/* The requests in flight, as steps, with a ruler under them. */
function drawCurve(run) {
  const width = run.box.clientWidth, place = layout(width), height = 62, base = 40;
  const pen = size(run.curve, width, height);
  const most = Math.max(1, ...run.flight.map(([, n]) => n));
  pen.font = "12px system-ui, sans-serif";
  pen.fillStyle = colours.dim;
  pen.fillText("in flight (" + Math.max(0, ...run.flight.map(([, n]) => n)) + ")", 4, base - 12);
  pen.fillStyle = colours.wait;
  run.flight.forEach(([t, n], i) => {
    const until = i + 1 < run.flight.length ? run.flight[i + 1][0] : run.end, tall = n / most * (base - 6);
    if (!inView(t, until)) return;
    const left = Math.max(x(place, t), place.left), right = Math.min(x(place, until), place.right);
    pen.fillRect(left, base - tall, Math.max(right - left, .5), tall);
  });
  pen.fillStyle = colours.line;
  pen.fillRect(place.left, base, place.right - place.left, 1);
  pen.fillStyle = colours.dim;
  for (const [said, from] of axis(pen, place)) pen.fillText(said, from, base + 16);
  drawUpright(pen, place, run.times[run.at] ?? 0, base, colours.accent, []);
}

/* The axis: both edges, and round times between them, as many as have room. [[label, left edge], …] */
function axis(pen, place) {
  const wide = said => pen.measureText(said).width, first = ms(view.from), last = ms(view.to);
  const all = [[first, place.left]], right = Math.max(place.right - wide(last), place.left);
  const length = view.to - view.from;
  let upto = place.left + wide(first) + 12;
  let unit = 10 ** Math.floor(Math.log10(length / 4));
  unit *= [1, 2, 5, 10].find(times => times * unit >= length / 5);
  unit = Math.max(1, Math.round(unit));
  for (let t = Math.ceil((view.from + 1) / unit) * unit; t < view.to; t += unit) {
    const said = ms(t), from = x(place, t) - wide(said) / 2;
    if (from < upto || from + wide(said) + 12 > right) continue;
    all.push([said, from]);
    upto = from + wide(said) + 12;
  }
  if (right > upto - 12) all.push([last, right]);
  return all;
}

function draw() {
  for (const run of runs) { drawLanes(run); drawCurve(run); }
}

function drawLegend() {
  const legend = document.querySelector(".legend");
  legend.replaceChildren();
  for (const [kind, words] of [[RUNNING, "runs"], [READY, "could run, another one does"],
      [WAITING, "waits"], [BLOCKED, "stops the whole loop"]]) {
    const canvas = document.createElement("canvas");
    drawSpan(size(canvas, 26, 22), kind, 1, kind === RUNNING ? 4 : 25, 0);
    const item = document.createElement("span");
    item.append(canvas, words);
    legend.append(item);
  }
  const marks = document.createElement("span");
  marks.textContent = "✕ cancelled   ! ended with an error   ? never awaited   arrow: who woke whom";
  legend.append(marks);
}

/* ---- Stepping ---- */

function show() {
  const [t, ...at] = steps[step] ?? [0];
  runs.forEach((run, i) => { run.at = Math.max(at[i], 0); });
  const mine = runs[0], event = mine.events[mine.at] ?? [0, 0, 0, 0];
  const who = event[1] ? "task " + event[1] + " " : "";
  const said = text[event[2]] ?? "";
  const here = ms(t) + "  ·  " + (said.startsWith("task ") ? said : who + said);
  $("now").textContent = here + "  ·  event " + (mine.at + 1) + " of " + mine.events.length;
  $("scrub").value = step;
  $("scrub").setAttribute("aria-valuetext", here);
  light(lineAt(mine));
  lightRow(mine.at);
  reveal(mine);
  if (!inView(t, t)) pan(t);
  requestAnimationFrame(draw);
}

/* The line of the task that this event is about: the event's own, else where it waits. */
function lineAt(run) {
  const event = run.events[run.at];
  if (!event) return 0;
  if (event[3]) return event[3];
  const lane = run.lanes[run.rows.get(event[1])];
  for (let i = lane ? lane[7].length - 1 : -1; i >= 0; i--)
    if (lane[7][i][3] <= run.at && lane[7][i][6]) return lane[7][i][6];
  return 0;
}

let lit = null;
function light(number) {
  const line = number ? document.getElementById("L" + number) : null;
  if (line === lit) return;
  lit?.classList.remove("lit");
  lit?.removeAttribute("aria-current");
  lit = line;
  if (!line) return;
  line.classList.add("lit");
  line.setAttribute("aria-current", "true");
  const box = $("source");
  if (line.offsetTop < box.scrollTop || line.offsetTop > box.scrollTop + box.clientHeight - 40)
    box.scrollTop = line.offsetTop - box.clientHeight / 2;
}

function reveal(run) {
  const row = run.rows.get(run.events[run.at]?.[1]);
  if (row === undefined) return;
  const y = row * ROW, box = run.box;
  if (y < box.scrollTop || y + ROW > box.scrollTop + box.clientHeight) box.scrollTop = y - box.clientHeight / 2;
}

function go(to) {
  step = Math.min(Math.max(to, 0), steps.length - 1);
  show();
}

/* ---- Zooming: a span of the time, in both runs at once ---- */

let marked = null;      /* the span that is being drawn with the pointer: {from, to} in pixels */

function zoom(from, to) {
  const length = Math.min(Math.max(to - from, SHORTEST), end), middle = (from + to) / 2, all = length >= end;
  from = Math.round(Math.min(Math.max(middle - length / 2, 0), end - length));
  view = {from, to: Math.round(from + length)};
  const part = all ? "all" : ms(view.from) + " to " + ms(view.to);
  $("span").textContent = "shown: " + part + " of " + ms(end);
  $("out").disabled = $("whole").disabled = all;
  $("in").disabled = length <= SHORTEST;
  requestAnimationFrame(draw);
}

/* The same length of time, with t in its middle. */
function pan(t) {
  const half = (view.to - view.from) / 2;
  zoom(t - half, t + half);
}

/* Closer, or further away, around the event that we stand at. */
function scale(factor) {
  const t = steps[step]?.[0] ?? 0, half = (view.to - view.from) * factor / 2;
  const round = 10 ** Math.max(Math.floor(Math.log10(half)) - 1, 0);
  zoom(Math.round((t - half) / round) * round, Math.round((t + half) / round) * round);
}

const closer = () => scale(1 / 2), further = () => scale(2), whole = () => zoom(0, end);

/* A span drawn with the mouse or a finger is zoomed to; a click goes to the instant. Up and down still scrolls. */
function listen(run) {
  const canvas = run.canvas, place = () => layout(run.box.clientWidth);
  const within = px => Math.min(Math.max(px, place().left), place().right);
  canvas.addEventListener("pointerdown", event => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    marked = {from: within(event.offsetX), to: within(event.offsetX)};
  });
  canvas.addEventListener("pointermove", event => {
    if (!marked) return;
    marked.to = within(event.offsetX);
    requestAnimationFrame(draw);
  });
  canvas.addEventListener("pointerup", () => {
    if (!marked) return;
    const {from, to} = marked, [one, other] = [from, to].sort((a, b) => a - b).map(px => timeAt(place(), px));
    marked = null;
    if (Math.abs(to - from) >= 6) return zoom(one, other);
    const found = steps.findIndex(([at]) => at >= one);
    go(found < 0 ? steps.length - 1 : found);
  });
  canvas.addEventListener("pointercancel", () => { marked = null; requestAnimationFrame(draw); });
  canvas.addEventListener("dblclick", whole);
}

/* ---- The event table: made when it is opened, a piece at a time ---- */

const PIECE = 500;
let shown = 0;
function moreRows(upTo) {
  const run = runs[0], body = document.querySelector("#rows tbody");
  const piece = document.createDocumentFragment();
  for (; shown < Math.min(upTo, run.events.length); shown++) {
    const row = document.createElement("tr"), event = run.events[shown];
    row.id = "E" + shown;
    for (const cell of [ms(run.times[shown]), event[1] || "", text[event[2]]]) {
      const td = document.createElement("td");
      td.textContent = cell;
      row.append(td);
    }
    piece.append(row);
  }
  body.append(piece);
}
function openTable() {
  if ($("table").open && !shown) {
    $("rows").innerHTML = "<table><thead><tr><th>time</th><th>task</th><th>event</th></tr></thead>"
        + "<tbody></tbody></table>";
    moreRows(PIECE);
    lightRow(runs[0].at);
  }
}
let litRow = null;
function lightRow(index) {
  if (!shown) return;
  if (index >= shown) moreRows(index + PIECE);
  litRow?.classList.remove("lit");
  litRow = document.getElementById("E" + index);
  litRow?.classList.add("lit");
  const box = $("rows");
  if (litRow && (litRow.offsetTop < box.scrollTop || litRow.offsetTop > box.scrollTop + box.clientHeight - 30))
    box.scrollTop = litRow.offsetTop - box.clientHeight / 2;
}

/* ---- Setting up ---- */

function build() {
  for (const run of runs) {
    const figure = document.createElement("div"), head = document.createElement("h3");
    figure.className = "run";
    head.textContent = run.name;
    run.box = document.createElement("div");
    run.box.className = "lanes";
    run.box.tabIndex = 0;
    run.canvas = document.createElement("canvas");
    run.canvas.setAttribute("role", "img");
    run.canvas.setAttribute("aria-label", run.name + ": " + run.lanes.length + " tasks over " + ms(run.end)
        + "; the event table below says the same in words");
    run.box.setAttribute("role", "region");
    run.box.setAttribute("aria-label", run.name);
    const space = document.createElement("div");
    space.append(run.canvas);
    space.style.height = run.lanes.length * ROW + "px";
    run.box.append(space);
    run.curve = document.createElement("canvas");
    run.curve.className = "curve";
    run.curve.setAttribute("role", "img");
    run.curve.setAttribute("aria-label", "requests in flight over time, at most "
        + Math.max(0, ...run.flight.map(([, n]) => n)));
    figure.append(head, run.box, run.curve);
    $("runs").append(figure);
    run.box.addEventListener("scroll", () => requestAnimationFrame(() => drawLanes(run)));
    listen(run);
  }
}

/* Where the two runs part: that event, and the time around it. */
const partsAt = steps.findIndex(([, mine, other]) => mine >= data.parts?.mine || other >= data.parts?.other);
function toParts() {
  if (!data.parts) return;
  zoom(data.parts.from, data.parts.to);
  go(Math.max(partsAt, 0));
}

function repaint() { readColours(); drawLegend(); draw(); }

build();
readColours();
$("scrub").max = Math.max(steps.length - 1, 0);
$("scrub").addEventListener("input", () => go(Number($("scrub").value)));
$("first").addEventListener("click", () => go(0));
$("back").addEventListener("click", () => go(step - 1));
$("on").addEventListener("click", () => go(step + 1));
$("last").addEventListener("click", () => go(steps.length - 1));
$("table").addEventListener("toggle", openTable);
document.addEventListener("keydown", event => {
  if (event.target.id === "scrub" || event.ctrlKey || event.metaKey || event.altKey) return;
  const to = {ArrowLeft: step - 1, ArrowRight: step + 1, Home: 0, End: steps.length - 1}[event.key];
  const act = {"+": closer, "=": closer, "-": further, "0": whole, p: toParts}[event.key];
  if (to === undefined && !act) return;
  event.preventDefault();
  act ? act() : go(to);
});
for (const [id, act] of [["in", closer], ["out", further], ["whole", whole], ["parts", toParts]])
  $(id).addEventListener("click", act);
whole();
if (data.parts) {
  $("parts").hidden = false;
  step = Math.max(partsAt, 0);
  if (data.parts.zoom) zoom(data.parts.from, data.parts.to);
}
addEventListener("resize", () => requestAnimationFrame(draw));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
addEventListener("beforeprint", () => {
  document.documentElement.classList.add("print");
  for (const run of runs) run.printing = true;
  repaint();
});
addEventListener("afterprint", () => {
  document.documentElement.classList.remove("print");
  for (const run of runs) run.printing = false;
  repaint();
});
drawLegend();
show();
document.documentElement.dataset.ready = "1";

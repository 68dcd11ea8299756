// A scene in the page: what has to be said to the kernel, controls, sentences, and where all stands.
// Panels are drawn by draw.js. README.md, beside this file, says what travels.
import { PanelView } from "./draw.js";

const PEN = 0.047; // the width of the pen as a part of the paper: Omniglot's
const BUSY_AFTER = 300; // milliseconds
const LATE_AFTER = 6000;
const AROUND = 350; // CSS pixels on a screen that a panel must leave: JupyterLab's, controls, a sentence
const LEAST = 300;
const LATE =
  "Still no answer: the kernel is busy. Or it was restarted: then run this cell once more.";
const NO_KERNEL = "There is no kernel behind this figure: run its cell once more.";

const paint = (token) => `var(--ml-${token.replaceAll(" ", "-")})`;
const alike = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const equal = (a, b) =>
  a === b ||
  (typeof a === "number" && Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b)));
let count = 0;
const unique = () => `ml-${Math.random().toString(36).slice(2, 8)}-${++count}`;

/** A new element; an attribute that is null or false is left out. */
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false)
      made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function button(label, act, name = "") {
  return make("button", { type: "button", class: name, onclick: act }, label);
}

/** Puts `nodes` into `parent`, and moves none that stands right, nor `held`: a moved one is let go. */
function place(parent, nodes, held) {
  for (const old of [...parent.childNodes]) if (!nodes.includes(old)) old.remove();
  for (const [at, node] of nodes.entries()) {
    while (node === held && node.parentNode === parent && parent.childNodes[at] !== node)
      parent.append(parent.childNodes[at]);
    if (parent.childNodes[at] !== node) parent.insertBefore(node, parent.childNodes[at] ?? null);
  }
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = !text;
}

/** Text that keeps the room it once needed: what is below it must not jump up and down. */
function speak(element, text) {
  if (element.textContent === text) return;
  element.textContent = text;
  keepRoom(element);
}

function keepRoom(element) {
  element.style.minHeight = `${element.offsetHeight}px`;
}

// --- columns ------------------------------------------------------------------------------------

const decoded = new WeakMap();

/** A column as draw.js takes it: a list, or `{shape, data}`. */
function decode(column) {
  if (Array.isArray(column)) return column;
  if (!decoded.has(column)) {
    let raw = column.floats ?? column.bytes;
    if (typeof raw === "string") raw = Uint8Array.from(atob(raw), (one) => one.charCodeAt(0));
    const bytes = new Uint8Array(raw.buffer ?? raw, raw.byteOffset ?? 0, raw.byteLength);
    const data = column.floats ? new Float32Array(bytes.slice().buffer) : bytes;
    decoded.set(column, { shape: column.shape, data });
  }
  return decoded.get(column);
}

/** All columns by mark, out of the traits and, where there is one, a recorded frame. */
function columns(model, frame = {}) {
  const all = {};
  for (const part of ["fixed", "moving"]) {
    const whole = { ...model.get(part), ...frame[part] };
    for (const key of frame.gone ?? []) if (!frame[part]?.[key]) delete whole[key];
    for (const [key, mark] of Object.entries(whole)) {
      all[key] ??= {};
      for (const [name, column] of Object.entries(mark)) all[key][name] = decode(column);
    }
  }
  return all;
}

// --- the wire -----------------------------------------------------------------------------------

/** What goes between one model and all its views. One message is on its way; others wait. */
class Wire {
  constructor(model, kernel = true) {
    this.model = model;
    this.kernel = kernel; // a recorded page has none
    this.views = new Set();
    this.sent = null;
    this.waiting = new Map();
    this.mine = new Map(); // controls whose value here is newer than the kernel's
    this.last = 0; // the newest id
    this.other = 0; // the newest one that was not about a `by` control
    this.by = [];
    this.dragged = false;
    this.playing = new Set(); // names of sliders that walk by themselves
    this.waits = "";
    this.fresh = true; // the columns in the traits are those of now
    for (const name of ["look", "fixed", "moving", "state", "recorded", "ack"]) {
      model.on(`change:${name}`, () => this.hear(name));
    }
    model.on("change:progress", () => this.wait(this.waits));
    this.index();
  }

  send(kind, fields, settled = true) {
    if (!this.kernel) return this.go(kind, fields, settled);
    this.words = "";
    if (kind === "drag") this.dragged = !settled;
    const scrub = kind === "set" && this.by.includes(fields.name) && this.valid();
    if (this.views.size && [...this.views].every((view) => view.orphaned())) {
      if (!scrub) this.refuse(fields.name);
      return;
    }
    // A newer value or place takes the room of one that waits. What was done is done: it waits too.
    const of = { set: ["name"], drag: ["key", "index"], pick: ["key"] }[kind];
    const slot = of ? [kind, ...of.map((name) => fields[name])].join(" ") : Symbol(kind);
    const body = settled ? { kind, ...fields } : { kind, ...fields, settled };
    this.waiting.delete(slot);
    this.waiting.set(slot, { body, scrub });
    this.next();
    this.watch();
  }

  next() {
    const [slot] = this.waiting.keys();
    if (this.sent || slot === undefined) return;
    this.sent = this.waiting.get(slot);
    this.waiting.delete(slot);
    // As a time, so that two pages with one kernel do not use the same one.
    this.last = Math.max(this.last + 1, this.model.get("ack") + 1, Date.now());
    const { body } = this.sent;
    if (!(body.kind === "set" && this.by.includes(body.name))) this.other = this.last;
    this.model.send({ ...body, id: this.last });
  }

  hear(name) {
    if (name === "recorded") this.index();
    if (name === "look" || name === "fixed" || name === "moving") this.fresh = true;
    if (!this.heard) queueMicrotask(() => this.settle());
    this.heard = true;
  }

  /** After all that came in one message. */
  settle() {
    this.heard = false;
    if (this.sent && this.model.get("ack") === this.last) {
      const { kind, name } = this.sent.body;
      // To a step over recorded frames the kernel answers without columns.
      if (!(kind === "set" && this.by.includes(name) && this.frames.length)) this.fresh = true;
      this.sent = null;
      this.rest();
      this.next();
      this.watch();
    }
    for (const [name, { held }] of this.mine) {
      if (!held && !this.pending("set", name)) this.mine.delete(name);
    }
    this.draw();
  }

  refuse(name) {
    this.mine.delete(name);
    this.words = NO_KERNEL;
    this.fresh = true; // what was moved goes back
    this.draw();
  }

  /** Whether a message that is not answered says something of this kind. */
  pending(kind, name) {
    return [this.sent, ...this.waiting.values()].some(
      (one) => one?.body.kind === kind && (one.body.name ?? one.body.pad) === name,
    );
  }

  /** Whether an answer is owed that has not been drawn beforehand. */
  busy() {
    return [this.sent, ...this.waiting.values()].some((one) => one && !one.scrub);
  }

  /** Says that an answer takes long, and how much of it is done. */
  watch() {
    if (this.timer || !this.busy()) return;
    const late = () => this.wait(LATE);
    const working = () => {
      this.wait("Working…");
      this.timer = setTimeout(late, LATE_AFTER);
    };
    this.timer = setTimeout(working, BUSY_AFTER);
  }

  rest() {
    clearTimeout(this.timer);
    this.timer = null;
    this.wait("");
  }

  wait(words) {
    this.waits = words;
    const done = this.model.get("progress");
    const said = words && done ? `Working… ${Math.round(100 * done)} %` : words;
    for (const view of this.views) view.wait(said);
  }

  // Recorded frames

  index() {
    const { by = [], at = {}, stamp = Number.POSITIVE_INFINITY } = this.model.get("recorded") ?? {};
    if (by.length) this.by = by; // while a point is held there are no frames, and still the same controls
    this.stamp = stamp;
    this.frames = Object.entries(at).map(([key, frame]) => [JSON.parse(key), frame]);
  }

  valid() {
    return this.frames.length > 0 && this.stamp >= this.other;
  }

  frame() {
    if (!this.valid()) return undefined;
    const now = this.by.map((name) => this.value(name));
    return this.frames.find(([at]) => at.every((one, place) => equal(one, now[place])))?.[1];
  }

  // Controls

  value(name) {
    return this.mine.has(name) ? this.mine.get(name).value : this.model.get("state").values[name];
  }

  /** A control has a new value. It may not have `settled`; `held` is one that has a finger on it. */
  set(name, value, settled = true, held = !settled) {
    this.mine.set(name, { value, held });
    this.words = "";
    this.draw();
    this.send("set", { name, value }, settled);
  }

  /** Whether something is held: then nothing glides. */
  held() {
    return this.dragged || [...this.mine.values()].some((one) => one.held);
  }

  draw() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = undefined;
      const frame = this.frame();
      if (this.fresh || (frame && frame !== this.framed)) {
        this.look = frame?.look ?? this.model.get("look");
        this.columns = columns(this.model, frame);
        this.framed = frame;
        this.fresh = false;
      }
      this.state = frame?.state ?? this.model.get("state");
      for (const view of this.views) view.draw();
    });
  }
}

// --- controls -----------------------------------------------------------------------------------

/** A number with so many significant digits; the whole of an integer. */
function written(value, digits) {
  if (typeof value !== "number") return String(value);
  const short = Number.isInteger(value) ? value : Number(value.toPrecision(digits));
  return String(short).replace("-", "−");
}

/** What all controls have: a label, a word of help, a place. */
class Control {
  constructor(tag, spec, wire) {
    this.wire = wire;
    this.id = unique();
    this.help = make("span", { class: "ml-help", id: `${this.id}-help` });
    this.el = make(tag, {
      class: `ml-control ml-${spec.kind.toLowerCase()}`,
      "data-name": spec.name,
    });
    // Help is in the way of who has begun.
    this.el.addEventListener("keydown", () => this.el.classList.add("ml-begun"));
    this.el.addEventListener("focusout", () => this.el.classList.remove("ml-begun"));
  }

  look(spec) {
    if (alike(spec, this.spec)) return;
    this.spec = spec;
    this.change();
    say(this.help, spec.help);
    this.el.classList.toggle("ml-helped", Boolean(spec.help));
    for (const one of this.el.querySelectorAll("input, select, .ml-press")) {
      if (spec.help) one.setAttribute("aria-describedby", this.help.id);
      else one.removeAttribute("aria-describedby");
    }
  }

  destroy() {}
}

/** All values that a slider has. */
function stops({ stops, low, high, step, log }) {
  if (stops.length) return stops;
  return Array.from({ length: Math.round((high - low) / step) + 1 }, (_, place) => {
    const value = low + step * place;
    return Number((log ? 10 ** value : value).toPrecision(12));
  });
}

/** Where `value`, or what is nearest to it, stands in `values`. */
function nearest(values, value) {
  const exact = values.indexOf(value);
  if (exact >= 0 || typeof value !== "number") return Math.max(0, exact);
  const away = values.map((one) => Math.abs(one - value));
  return away.indexOf(Math.min(...away));
}

class SliderControl extends Control {
  constructor(spec, wire) {
    super("div", spec, wire);
    this.label = make("label", { for: this.id });
    this.input = make("input", { type: "range", id: this.id, min: 0, step: 1 });
    this.read = make("span", { class: "ml-read", "aria-hidden": "true" });
    this.button = button("", () => this.toggle(), "ml-play");
    this.el.append(this.label, this.input, this.read, this.button, this.help);
    const on = (name, act) => this.input.addEventListener(name, act);
    on("pointerdown", () => {
      this.pressed = true;
    });
    on("keydown", (event) => {
      this.pressed = this.repeats = event.repeat;
    });
    on("input", () => {
      this.stop();
      this.unsettled = this.pressed;
      wire.set(this.spec.name, this.values[this.input.valueAsNumber], !this.pressed);
    });
    // A handle that was let go where it had been taken makes no "change", and a key that repeats many.
    for (const end of ["change", "pointerup", "pointercancel", "keyup", "blur"]) {
      on(end, () =>
        setTimeout(() => {
          if (end !== "change" || !this.repeats) this.settle();
        }),
      );
    }
  }

  change() {
    const { label, play } = this.spec;
    this.label.textContent = label;
    this.values = stops(this.spec);
    this.input.max = this.values.length - 1;
    this.button.hidden = !play;
    if (!play) this.stop();
    this.name();
    this.shown = undefined;
    // As wide as it will ever be: nothing may move while it changes.
    const longest = Math.max(...this.values.map((one) => this.text(one).length));
    this.read.style.minWidth = `${longest}ch`;
  }

  text(value) {
    const { texts, digits, unit } = this.spec;
    return texts[nearest(this.values, value)] ?? `${written(value, digits)}${unit && ` ${unit}`}`;
  }

  show(value) {
    if (this.shown === value) return;
    this.shown = value;
    this.input.value = nearest(this.values, value);
    this.read.textContent = this.text(value);
    this.input.setAttribute("aria-valuetext", this.text(value));
  }

  settle() {
    this.pressed = false;
    if (!this.unsettled) return;
    this.unsettled = false;
    this.wire.set(this.spec.name, this.wire.value(this.spec.name));
  }

  // Play: one step after the other, and never faster than the kernel answers.

  toggle() {
    if (this.timer) return this.stop();
    const { name, play } = this.spec;
    const go = (place) => {
      this.unsettled = place < this.values.length - 1;
      this.wire.set(name, this.values[place], !this.unsettled, false);
      if (!this.unsettled) this.stop();
    };
    const place = () => nearest(this.values, this.wire.value(name));
    this.timer = setInterval(() => {
      if (!this.wire.busy()) go(place() + 1);
    }, play);
    this.wire.playing.add(name);
    this.name();
    if (place() === this.values.length - 1) go(0);
  }

  stop() {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = null;
    this.wire.playing.delete(this.spec.name);
    this.name();
    this.settle();
  }

  name() {
    this.button.textContent = this.timer ? "❚❚ Pause" : "▶ Play";
    this.button.setAttribute("aria-label", `${this.timer ? "Pause" : "Play"}: ${this.spec.label}`);
  }

  destroy() {
    this.stop();
  }
}

class ChoiceControl extends Control {
  constructor(spec, wire) {
    super(spec.menu ? "div" : "fieldset", spec, wire);
  }

  change() {
    const { name, label, options, menu } = this.spec;
    const choose = (value) => this.wire.set(name, value);
    if (menu) {
      this.menu = make("select", { id: this.id, onchange: () => choose(this.menu.value) });
      this.menu.append(...options.map((one) => make("option", { value: one }, one)));
      this.el.replaceChildren(make("label", { for: this.id }, label), this.menu, this.help);
      return;
    }
    this.radios = options.map((one) =>
      make("input", { type: "radio", name: this.id, value: one, onchange: () => choose(one) }),
    );
    const row = this.radios.map((one) => make("label", {}, one, make("span", {}, one.value)));
    this.el.replaceChildren(
      make("legend", {}, label),
      make("div", { class: "ml-row" }, ...row),
      this.help,
    );
  }

  show(value) {
    if (this.menu) this.menu.value = value;
    for (const one of this.radios ?? []) one.checked = one.value === value;
  }
}

class SwitchControl extends Control {
  constructor(spec, wire) {
    super("div", spec, wire);
    this.input = make("input", { type: "checkbox", id: this.id });
    this.input.addEventListener("change", () => wire.set(this.spec.name, this.input.checked));
    this.label = make("label", { for: this.id });
    this.el.append(this.input, this.label, this.help);
  }

  change() {
    this.label.textContent = this.spec.label;
  }

  show(value) {
    this.input.checked = value;
  }
}

class ButtonControl extends Control {
  constructor(spec, wire) {
    super("div", spec, wire);
    const press = () => this.off || wire.send("press", { name: this.spec.name });
    this.button = button("", press, "ml-press");
    this.el.append(this.button, this.help);
  }

  change() {
    this.button.style.minWidth = `${this.button.offsetWidth}px`; // other words move nothing
    this.button.textContent = this.spec.label;
    this.button.classList.toggle("ml-primary", this.spec.primary);
  }

  // Not `disabled`: the button that was pressed last would lose the focus.
  show(_, off) {
    this.off = off;
    this.button.setAttribute("aria-disabled", off);
  }
}

const CONTROLS = {
  Slider: SliderControl,
  Choice: ChoiceControl,
  Switch: SwitchControl,
  Button: ButtonControl,
};

// --- beside the panels --------------------------------------------------------------------------

class TableView {
  constructor(look) {
    this.table = make("table", {});
    this.el = make("div", { class: "ml-table" }, this.table);
    this.look(look);
  }

  look(look) {
    const { caption, head } = look;
    this.body = make("tbody");
    const names = head.map((one) => (one ? make("th", { scope: "col" }, one) : make("td")));
    this.table.replaceChildren(make("thead", {}, make("tr", {}, ...names)), this.body);
    if (caption) this.table.prepend(make("caption", {}, caption));
    this.shown = null;
  }

  update({ rows = [], swatches = [] }) {
    if (alike([rows, swatches], this.shown)) return;
    this.shown = [rows, swatches];
    const swatch = (color) =>
      make("span", { class: "ml-swatch", style: `background: ${paint(color)}` });
    this.body.replaceChildren(
      ...rows.map(([first, ...others], at) =>
        make(
          "tr",
          {},
          make("th", { scope: "row" }, ...(swatches[at] ? [swatch(swatches[at])] : []), first),
          ...others.map((one) => make("td", {}, one)),
        ),
      ),
    );
  }

  light() {}
  destroy() {}
}

const SVG = "http://www.w3.org/2000/svg";

/** Paper to draw on. The page inks while the pen moves; the kernel hears of a stroke when it ends. */
class PadView {
  constructor(look, wire) {
    this.wire = wire;
    this.strokes = [];
    this.badge = make("span", { class: "ml-badge" });
    this.heading = make("span");
    this.ink = document.createElementNS(SVG, "svg");
    this.ink.setAttribute("viewBox", "0 0 1 1");
    this.image = make("div", { class: "ml-example" });
    this.paper = make("div", { class: "ml-paper", role: "img" }, this.image, this.ink);
    this.buttons = ["Undo", "Clear", "Example"].map((what) =>
      button(what, () => this.tell(what.toLowerCase())),
    );
    const row = make("div", { class: "ml-row", hidden: !wire.kernel }, ...this.buttons);
    this.el = make(
      "div",
      { class: "ml-pad" },
      make("div", { class: "ml-heading" }, this.badge, this.heading),
      this.paper,
      row,
    );
    if (wire.kernel) this.listen();
    this.look(look);
  }

  look({ key, heading, letter, color, size }) {
    this.key = key;
    this.heading.textContent = heading;
    say(this.badge, letter);
    this.badge.style.borderColor = paint(color);
    this.paper.style.width = this.paper.style.height = `${size}px`;
    for (const one of this.buttons)
      one.setAttribute("aria-label", `${one.textContent}: ${heading}`);
  }

  // What the kernel shows may be older than what was just drawn: then wait for its next word.
  update({ strokes = [], example, description = [] }) {
    if (this.wire.pending("draw", this.key)) return;
    this.strokes = strokes;
    this.paper.setAttribute("aria-label", description[0] ?? this.heading.textContent);
    const image = example && !strokes.length ? `url(${mask(example)})` : "";
    this.image.style.maskImage = image;
    this.image.hidden = !image;
    this.paint();
  }

  light() {}
  destroy() {}

  tell(what, points = []) {
    this.wire.send("draw", { pad: this.key, what, points });
  }

  paint() {
    const all = this.drawing ? [...this.strokes, this.drawing] : this.strokes;
    while (this.ink.childNodes.length > all.length) this.ink.lastChild.remove();
    while (this.ink.childNodes.length < all.length) {
      const line = document.createElementNS(SVG, "polyline");
      line.setAttribute("stroke-width", PEN);
      this.ink.append(line);
    }
    for (const [at, points] of all.entries()) {
      // A dot is a line that goes nowhere.
      const [x, y] = points.at(-1);
      this.ink.childNodes[at].setAttribute("points", `${points.join(" ")} ${x + 1e-4},${y}`);
    }
    this.image.hidden ||= Boolean(this.drawing);
  }

  listen() {
    const part = (value) => Math.round(1e4 * Math.min(1, Math.max(0, value))) / 1e4;
    const at = ({ clientX, clientY }) => {
      const box = this.ink.getBoundingClientRect();
      return [part((clientX - box.left) / box.width), part((clientY - box.top) / box.height)];
    };
    let pointer = null; // one at a time: a palm on the paper does not write
    const on = (name, act) => this.paper.addEventListener(name, act);
    on("pointerdown", (event) => {
      if (event.button !== 0 || pointer !== null) return;
      event.preventDefault();
      pointer = event.pointerId;
      this.paper.setPointerCapture(pointer);
      this.drawing = [at(event)];
      this.paint();
    });
    on("pointermove", (event) => {
      if (event.pointerId !== pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      this.drawing.push(...(events.length ? events : [event]).map(at));
      this.paint();
    });
    const lift = (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      this.strokes = [...this.strokes, this.drawing];
      const points = this.drawing;
      this.drawing = null;
      this.tell("stroke", points);
    };
    on("pointerup", lift);
    on("pointercancel", lift);
  }
}

/** The address of a picture whose opacity is ink. */
function mask({ shape: [height, width], data }) {
  const canvas = make("canvas", { width, height });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(width, height);
  for (const [at, ink] of data.entries()) image.data[4 * at + 3] = ink;
  pen.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

// --- a view -------------------------------------------------------------------------------------

class View {
  constructor(wire, el) {
    this.wire = wire;
    this.cells = new Map();
    this.controls = new Map();
    this.groups = new Map();
    this.chips = make("div", { class: "ml-tries", role: "group", "aria-label": "Try this" });
    this.looks = make("div", { class: "ml-looks" });
    this.panels = make("div", { class: "ml-panels" });
    this.below = make("div", { class: "ml-controls" });
    this.sentence = make("p", { class: "ml-sentence", role: "status" });
    this.middle = make("div", { class: "ml-middle" }, this.below, this.sentence);
    this.note = make("p", { class: "ml-note" });
    this.line = make("code");
    this.copy = button("Copy", () => this.take());
    this.code = make("div", { class: "ml-code" }, this.copy, this.line);
    this.busy = make("div", { class: "ml-busy", role: "status", hidden: true });
    this.el = make(
      "div",
      { class: "ml-live" },
      make("div", { class: "ml-suggest" }, this.chips, this.looks),
      this.panels,
      this.note,
      this.code,
      this.busy,
    );
    el.replaceChildren(this.el);

    // JupyterLab's shortcuts of one key are not for who holds a slider; Ctrl-S is.
    this.keys = (event) => {
      if (!this.el.contains(event.target)) return;
      const { ctrlKey, metaKey, altKey, shiftKey, key } = event;
      const theirs = ctrlKey || metaKey || altKey || (shiftKey && key === "Enter");
      event.target.toggleAttribute("data-lm-suppress-shortcuts", !theirs);
    };
    window.addEventListener("keydown", this.keys, true);
    this.fit = () => {
      const width = this.el.clientWidth;
      // Not innerHeight: that changes while a phone's reader scrolls and its address bar goes.
      const height = document.documentElement.clientHeight;
      if (this.width === width && this.height === height) return;
      if (this.width !== width) {
        for (const text of [this.sentence, this.note]) {
          text.style.minHeight = "";
          keepRoom(text);
        }
      }
      [this.width, this.height] = [width, height];
      // A frame is as tall as what is in it, which says nothing of the screen.
      const seen = self === top ? height : screen.availHeight;
      this.el.style.setProperty("--tall", `${Math.max(LEAST, seen - AROUND)}px`);
      this.flow();
    };
    this.size = new ResizeObserver(this.fit);
    this.size.observe(this.el);
    window.addEventListener("resize", this.fit);
    wire.views.add(this);
    wire.draw();
  }

  destroy() {
    this.wire.views.delete(this);
    window.removeEventListener("keydown", this.keys, true);
    window.removeEventListener("resize", this.fit);
    this.size.disconnect();
    for (const { part } of this.cells.values()) part.destroy();
    for (const control of this.controls.values()) control.destroy();
    this.el.remove();
  }

  /** Whether JupyterLab shows a figure that has lost its kernel, or never had one. */
  orphaned() {
    return Boolean(this.el.closest(".jupyter-widgets-disconnected"));
  }

  /** Controls and sentence stand below the first row of panels: they are seen with it. */
  flow() {
    const cells = [...this.cells.values()].map((cell) => cell.el);
    const focus = document.activeElement;
    const part = (at) =>
      place(this.panels, [...cells.slice(0, at), this.middle, ...cells.slice(at)], this.middle);
    this.middle.hidden = true;
    part([...this.panels.childNodes].indexOf(this.middle));
    const row = cells.filter((one) => one.offsetTop <= cells[0].offsetTop + 1);
    this.middle.hidden = false;
    part(row.length);
    if (focus !== document.activeElement && this.el.contains(focus)) focus.focus();
    this.level();
  }

  /** Charts of a row begin at one height, whatever stands above each. */
  level() {
    const charts = [...this.cells.values()].filter(({ part }) => part.head);
    for (const { part } of charts) part.head.style.minHeight = "";
    const heads = charts.map(({ el, part }) => [el.offsetTop, part.head.offsetHeight]);
    for (const [at, { part }] of charts.entries()) {
      const row = heads.filter(([top]) => top === heads[at][0]).map(([, tall]) => tall);
      part.head.style.minHeight = `${Math.max(...row)}px`;
    }
  }

  wait(words) {
    say(this.busy, words);
    this.el.setAttribute("aria-busy", Boolean(words));
  }

  draw() {
    const { wire } = this;
    if (this.look !== wire.look) this.arrange(wire.kernel ? wire.look : wire.frozen());
    this.look = wire.look;
    // What a hand has let go is told when the last answer is there, whatever that is.
    const owed = wire.busy();
    if (this.columns !== wire.columns || this.owed !== owed) this.update();
    this.owed = owed;
    for (const [name, control] of this.controls) {
      control.show(wire.value(name), wire.state.off.includes(name));
    }
    const { sentence, note, code } = wire.state;
    // A screen reader is told when the hand rests.
    this.sentence.setAttribute("aria-busy", wire.held() || wire.busy() || wire.playing.size > 0);
    speak(this.sentence, wire.words || sentence);
    speak(this.note, note);
    this.line.textContent = code;
    this.code.hidden = !code;
  }

  update() {
    const { columns } = this.wire;
    const glide = !this.wire.held();
    for (const [key, { part, marks }] of this.cells) {
      const all = {};
      for (const name of marks ?? [key]) all[name] = columns[name] ?? {};
      part.update(marks ? all : all[key], { glide });
    }
    this.columns = columns;
  }

  arrange({ panels, controls, tries }) {
    const keep = (map, keys) => {
      for (const [key, one] of map) {
        if (!keys.includes(key)) {
          (one.part ?? one).destroy();
          map.delete(key);
        }
      }
    };
    keep(
      this.cells,
      panels.map((one) => one.key),
    );
    const known = new Map(this.cells);
    this.cells.clear(); // in their new order
    for (const look of panels) {
      const cell = known.get(look.key) ?? this.cell(look);
      this.cells.set(look.key, cell);
      if (!alike(cell.look, look)) cell.part.look(look);
      cell.look = look;
      cell.marks = look.marks?.map((mark) => mark.key);
      if (!look.marks) continue;
      cell.el.style.setProperty("--wide", `${look.width}px`);
      cell.el.style.flexGrow = look.width; // so that those of one height stay so
      cell.el.style.setProperty("--ratio", look.width / look.height);
    }

    keep(
      this.controls,
      controls.map((one) => one.name),
    );
    const at = new Map([["", []], ...panels.map((one) => [one.key, []])]);
    const inside = new Map();
    for (const spec of controls) {
      let control = this.controls.get(spec.name);
      if (control?.spec.kind !== spec.kind) {
        control?.destroy();
        control = new CONTROLS[spec.kind](spec, this.wire);
        this.controls.set(spec.name, control);
      }
      control.look(spec);
      const nodes = at.get(spec.beside) ?? at.get("");
      if (!spec.group) {
        nodes.push(control.el);
        continue;
      }
      const key = `${spec.beside} ${spec.group}`;
      if (!this.groups.has(key)) this.groups.set(key, make("fieldset", { class: "ml-group" }));
      if (!inside.has(key)) {
        inside.set(key, [make("legend", {}, spec.group)]);
        nodes.push(this.groups.get(key));
      }
      inside.get(key).push(control.el);
    }
    for (const [key, nodes] of inside) {
      const group = this.groups.get(key);
      if (group.firstChild) nodes[0] = group.firstChild;
      place(group, nodes);
    }
    place(this.below, at.get(""));
    for (const [key, cell] of this.cells) place(cell.below, at.get(key));
    this.suggest(tries);
    const sizes = panels.map(({ key, width }) => [key, width]);
    if (alike(sizes, this.sizes)) this.level();
    else this.flow();
    this.sizes = sizes;
  }

  cell(look) {
    const hooks = {
      send: (kind, fields, settled) => this.wire.send(kind, fields, settled),
      light: (link, index) => {
        for (const { part } of this.cells.values()) part.light(link, index);
      },
      busy: () => this.wire.busy(),
    };
    const part =
      look.kind === "Table"
        ? new TableView(look)
        : look.kind === "Pad"
          ? new PadView(look, this.wire)
          : new PanelView(look, hooks);
    const below = make("div", { class: "ml-controls" });
    const name = { class: `ml-cell ml-of-${look.kind.toLowerCase()}`, "data-panel": look.key };
    return { part, below, look, el: make("div", name, part.el, below) };
  }

  suggest(tries) {
    if (alike(tries, this.tries)) return;
    this.tries = tries;
    // All that can be said stands in one place, one at a time to be seen: the room is kept.
    const looks = tries.map((one) => make("p", { id: unique() }, one.look));
    const choose = (chosen) => {
      for (const [at, look] of looks.entries()) look.classList.toggle("ml-shown", at === chosen);
      this.wire.send("try", { index: tries[chosen].at ?? chosen });
    };
    const chips = tries.map((one, at) => button(one.label, () => choose(at), "ml-chip"));
    for (const [at, chip] of chips.entries()) chip.setAttribute("aria-describedby", looks[at].id);
    this.chips.replaceChildren(make("span", {}, "Try this:"), ...chips);
    this.looks.replaceChildren(...looks);
    this.chips.hidden = this.looks.hidden = !tries.length;
  }

  async take() {
    let done = true;
    try {
      await navigator.clipboard.writeText(this.line.textContent);
    } catch {
      // On a page that is not served safely there is no clipboard but this one.
      getSelection().selectAllChildren(this.line);
      done = document.execCommand("copy");
    }
    this.copy.textContent = done ? "Copied" : "Ctrl-C";
    setTimeout(() => {
      this.copy.textContent = "Copy";
    }, 1500);
  }
}

// For each model once: all its views share what is on the wire.
export default () => {
  let wire = null;
  return {
    initialize({ model }) {
      wire = new Wire(model);
    },
    render({ model, el }) {
      wire ??= new Wire(model);
      const view = new View(wire, el);
      return () => view.destroy();
    },
  };
};

export { equal, nearest, stops, View, Wire };

// A figure in a page without a kernel: what `Live.record` made, shown by live.js.
import { equal, nearest, stops, View, Wire } from "./live.js";

const LITTLE = 0.05; // of the way to the next recorded place: a finger that trembles is no step

/** A number of 16 bits: a sign, five bits of its power of two, ten of what stands before it. */
function half(bits) {
  const power = (bits >> 10) & 31;
  const part = (bits & 1023) / 1024;
  const size = power ? (1 + part) * 2 ** (power - 15) : part * 2 ** -14;
  return power === 31 ? Number.NaN : bits >> 15 ? -size : size;
}

/** A column as live.js takes it, or as it is. */
function unpack(column) {
  if (!column.halves) return column;
  const bytes = Uint8Array.from(atob(column.halves), (one) => one.charCodeAt(0));
  const numbers = Float32Array.from(new Uint16Array(bytes.buffer), half);
  if (column.shape) return { shape: column.shape, floats: numbers };
  return Array.from(numbers, (one) => (Number.isNaN(one) ? null : one));
}

/** What a page without a kernel knows: states, each with its frames, and the ways between them. */
class Record {
  constructor({ columns, parts, states, ways }) {
    const shared = columns.map(unpack);
    const meant = (one) => (typeof one === "number" ? shared[one] : unpack(one));
    for (const state of states) {
      for (const frame of [state, ...Object.values(state.recorded.at)]) {
        for (const marks of [frame.moving, frame.fixed])
          for (const mark of Object.values(marks ?? {})) fill(mark, meant);
        if (frame.look) fill(frame.look, (some) => some.map((one) => parts[one]));
        frame.state.note = parts[frame.state.note];
      }
    }
    this.states = states;
    this.all = ways;
    this.turns = new Map();
    this.here = 0;
    this.heard = {};
  }

  get(name) {
    return name === "ack" ? 0 : this.states[this.here][name];
  }

  on(event, act) {
    this.heard[event] = act;
  }

  /** Where a gesture leads from here, or else where it first led. A button that led here leads back. */
  ways(kind, which, index) {
    const all = this.all.filter((one) => one[kind] === which && (one.index ?? index) === index);
    const here = all.filter((one) => one.from === this.here);
    if (here.length) return here;
    const back = (one) =>
      kind === "press" && one.to === this.here ? { ...one, to: one.from } : one;
    return all.slice(0, 1).map(back);
  }

  /** From one place it may lead to several: to one after the other. */
  way(kind, which, index) {
    const some = this.ways(kind, which, index);
    const turn = `${kind} ${which} ${index} ${this.here}`;
    const number = this.turns.get(turn) ?? 0;
    this.turns.set(turn, number + 1);
    return some[number % some.length];
  }

  move(place) {
    this.here = place;
    for (const act of Object.values(this.heard)) act();
  }
}

/** Puts in the place of each value what it stands for. */
function fill(all, meant) {
  for (const [name, value] of Object.entries(all)) all[name] = meant(value);
}

/** A wire that ends in a record. */
class RecordedWire extends Wire {
  constructor(record) {
    super(record, false);
    for (const name of this.by) this.choose(name, this.value(name));
  }

  /** The values of controls are the page's own: no kernel has others. */
  settle() {
    this.heard = false;
    this.draw();
  }

  known(name) {
    const place = this.by.indexOf(name);
    return [...new Set(this.frames.map(([at]) => at[place]))];
  }

  /** Whether in a state controls have these values, or can be given them. */
  has(state, values) {
    return Object.entries(values).every(([name, value]) =>
      (this.by.includes(name) ? this.known(name) : [state.state.values[name]]).some((one) =>
        equal(one, value),
      ),
    );
  }

  /** Where a suggestion leads that is nothing but values: it stays here, if it can. */
  suits({ press, values }) {
    const { states, here } = this.model;
    if (press) return undefined;
    const to = [here, ...states.keys()].find((place) => this.has(states[place], values));
    return to === undefined ? undefined : { to, values };
  }

  choose(name, value) {
    const values = this.known(name);
    this.mine.set(name, { value: values[nearest(values, value)] });
  }

  /** Does what a kernel would do, so far as it was recorded. */
  go(kind, fields, settled) {
    const { tries } = this.model.get("look");
    let way;
    if (kind === "press") way = this.model.way(kind, fields.name);
    if (kind === "try") way = this.model.way(kind, fields.index) ?? this.suits(tries[fields.index]);
    if (kind === "drag") way = this.nearest(fields, settled);
    if (kind === "pick") way = this.model.way(kind, fields.key, fields.index);
    if (!way) return;
    this.model.move(way.to);
    for (const [control, value] of Object.entries(way.values)) {
      if (this.by.includes(control)) this.choose(control, value);
    }
    this.draw();
  }

  /** The recorded place that is nearest to where a point is, or was let go. */
  nearest({ key, index, x, y }, settled) {
    const { states, here } = this.model;
    const { values } = states[here].state;
    const ways = this.model.all.filter(
      (one) =>
        one.drag === key &&
        one.index === index &&
        Object.entries(states[one.to].state.values).every(
          ([name, value]) => this.by.includes(name) || value === values[name],
        ),
    );
    const away = (one, from) => Math.hypot(one.x - from.x, one.y - from.y);
    const closest = (some, to) =>
      some.reduce((best, one) => (best && away(best, to) <= away(one, to) ? best : one), undefined);
    this.taken ??= ways.find((one) => one.to === here);
    const { taken } = this;
    let found = closest(ways, { x, y });
    if (settled) this.taken = undefined;
    if (!settled || !taken || found !== taken) return found;
    // It was moved a little, as with an arrow key: on to the next place in this direction.
    const on = ways.filter((one) => {
      const along = (one.x - taken.x) * (x - taken.x) + (one.y - taken.y) * (y - taken.y);
      return along > 0.8 * away(one, taken) * away({ x, y }, taken) && along > 0;
    });
    const next = closest(on, taken);
    if (next && away({ x, y }, taken) > LITTLE * away(next, taken)) found = next;
    return found;
  }

  /** What of the look can be used. */
  frozen() {
    const some = (kind, key) => this.model.all.some((one) => one[kind] === key);
    const panel = (one) => ({
      ...one,
      click: "",
      marks: one.marks.map((mark) => ({
        ...mark,
        pick: some("pick", mark.key) ? mark.pick : "",
        drag: some("drag", mark.key) ? { ...mark.drag, removable: false } : null,
      })),
    });
    const usable = ({ kind, name }) =>
      kind === "Button"
        ? this.model.ways("press", name).length
        : this.by.includes(name) && this.known(name).length > 1;
    const control = (one) => {
      if (one.kind === "Choice") return { ...one, options: this.known(one.name) };
      if (one.kind !== "Slider") return one;
      const values = this.known(one.name);
      const all = stops(one);
      return {
        ...one,
        stops: values,
        texts: one.texts.length ? values.map((each) => one.texts[nearest(all, each)]) : [],
      };
    };
    const known = (one) => this.model.ways("try", one.at).length || this.suits(one);
    return {
      panels: this.look.panels.map((one) => (one.marks ? panel(one) : one)),
      controls: this.look.controls.filter(usable).map(control),
      tries: this.look.tries.map((one, at) => ({ ...one, at })).filter(known),
    };
  }
}

/** Shows what `Live.record` made, in a page without a kernel. */
export function recorded(json, element) {
  const view = new View(new RecordedWire(new Record(json)), element);
  return () => view.destroy();
}

// Draw your own: `DrawModel` and `DrawYourOwn` of metalearn_lite/widgets/draw.py, in the page.
// How it looks was recorded from those; what moves is said here, and a test holds the two together.
import { fetched, LETTERS, percent, Refusal, require, show, unpacked } from "./kernel.js";
import { load } from "./networks.js";
import { inkImage } from "./strokes.js";

const FAILED = "The networks did not load: draw once more, and they are asked for again.";

const largest = (values) => values.indexOf(Math.max(...values));
const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

function softmax(logits) {
  const top = Math.max(...logits);
  const parts = logits.map((one) => Math.exp(one - top));
  const whole = parts.reduce((sum, one) => sum + one);
  return parts.map((one) => one / whole);
}

/** What is drawn on one pad: strokes, or else an example, or nothing. It never changes. */
class Sheet {
  constructor(pen, strokes = [], example = null) {
    Object.assign(this, { pen, strokes, example });
    this.points = new Map(); // what a network makes of it
  }

  get hasInk() {
    return this.strokes.length > 0 || this.example !== null;
  }

  /** Ink 0 … 1, as the networks see it. */
  get image() {
    this.seen ??= this.strokes.length
      ? inkImage(this.strokes, this.pen)
      : Float32Array.from(
          this.example?.pixels ?? new Uint8Array(this.pen.size ** 2),
          (ink) => ink / 255,
        );
    return this.seen;
  }

  /** The same in bytes, as a scene shows it. */
  get pixels() {
    this.shown ??=
      this.example?.pixels ?? Uint8Array.from(this.image, (ink) => Math.round(255 * ink));
    return this.shown;
  }

  async embedded(name, network) {
    if (!this.points.has(name))
      this.points.set(name, await network.embed(this.image, this.pen.size));
    return this.points.get(name);
  }
}

export class DrawYourOwn {
  /**
   * @param data what tools/site/drawing.py has recorded.
   * @param networks a function that loads them, told whom to tell how much is there.
   * @param draw a number from 0 to `count - 1`, by lot.
   */
  constructor(data, networks, draw = (count) => Math.floor(Math.random() * count)) {
    this.data = data;
    this.asked = networks;
    this.drawLot = draw;
    this.query = data.query; // the number of the query's sheet
    this.examples = Object.fromEntries(
      Object.entries(data.examples).map(([name, { shape, bytes }]) => [
        name,
        { characters: shape[0], drawers: shape[1], data: unpacked(bytes) },
      ]),
    );
    [this.source] = Object.keys(this.examples);
    this.all_but_one_stroke();
    this.begun = data.begun;
  }

  // Gestures

  set({ name, value }) {
    this.opened();
    if (name === "num_ways") this.num_ways = value;
    else this.source = value;
  }

  press({ name }) {
    this.opened();
    this[name]();
  }

  draw({ pad, what, points }) {
    this.opened();
    const sheet = Number(pad.replace("pad ", ""));
    if (what === "stroke") this.addStroke(sheet, points);
    else if (what === "undo") this.undo(sheet);
    else if (what === "clear") this.change(sheet, []);
    else this.drawExample(sheet);
  }

  /** The first gesture loads the networks; until then what they said of the beginning was recorded. */
  opened() {
    this.begun = null;
    this.ready ??= this.asked(this.working)
      .catch((fault) => {
        console.warn(fault);
        this.ready = null;
      })
      .finally(() => this.working(1));
  }

  // Drawing

  get classes() {
    return Array.from({ length: this.num_ways }, (_, way) => way);
  }

  change(sheet, strokes, example = null) {
    this.sheets[sheet] = new Sheet(this.data.pen, strokes, example);
  }

  addStroke(sheet, points) {
    require(points.length, "That stroke has no points: draw it once more.");
    this.change(sheet, [...this.sheets[sheet].strokes, points]);
  }

  undo(sheet) {
    const name = sheet === this.query ? "the query" : `class ${LETTERS[sheet]}`;
    require(this.sheets[sheet].hasInk, `There is nothing to undo: ${name} has no ink.`);
    this.change(sheet, this.sheets[sheet].strokes.slice(0, -1));
  }

  clear_all() {
    this.sheets = Array.from({ length: this.query + 1 }, () => new Sheet(this.data.pen));
  }

  all_but_one_stroke() {
    const { classes, query } = this.data.signs;
    this.clear_all();
    for (const [way, strokes] of classes.entries()) this.change(way, strokes);
    this.change(this.query, query.slice(0, -1));
    this.num_ways ??= classes.length;
  }

  /** For a class a character that no other has; for the query one of theirs, by another person. */
  drawExample(sheet) {
    const examples = this.classes.map((way) => this.sheets[way].example);
    if (sheet === this.query) {
      const known = examples.filter(Boolean);
      require(known.length, "An example of a query needs a class that is an example: choose one for class A first, or draw the query yourself.");
      const { source, character, drawer } = known[this.drawLot(known.length)];
      this.drawFrom(sheet, source, character, drawer);
      return;
    }
    const taken = examples
      .filter((one, way) => way !== sheet && one?.source === this.source)
      .map((one) => one.character);
    const all = Array.from({ length: this.examples[this.source].characters }, (_, one) => one);
    const free = all.filter((one) => !taken.includes(one));
    require(free.length, `All ${taken.length} characters of ${this.source} are classes already: draw this class yourself, or choose fewer.`);
    this.drawFrom(sheet, this.source, free[this.drawLot(free.length)]);
  }

  drawFrom(sheet, source, character, other = null) {
    const { drawers, data } = this.examples[source];
    const free = Array.from({ length: drawers }, (_, one) => one).filter((one) => one !== other);
    const drawer = free[this.drawLot(free.length)];
    const area = this.data.pen.size ** 2;
    const from = (character * drawers + drawer) * area;
    this.change(sheet, [], { pixels: data.slice(from, from + area), source, character, drawer });
  }

  draw_all_examples() {
    this.clear_all();
    for (const sheet of [...this.classes, this.query]) this.drawExample(sheet);
  }

  // Answering

  /** By learner its probabilities; none while a sheet has no ink. */
  async answers() {
    if (this.begun) return this.begun;
    if (this.missing() !== undefined) return {};
    const networks = await this.ready;
    if (!networks) throw new Refusal(FAILED);
    const answers = {};
    for (const [name, network] of networks) {
      const prototypes = [];
      for (const way of this.classes)
        prototypes.push(await this.sheets[way].embedded(name, network));
      const point = await this.sheets[this.query].embedded(name, network);
      answers[name] = softmax(await network.compare(point, prototypes));
    }
    return answers;
  }

  /** The first sheet that must have ink before there is an answer. */
  missing() {
    return [...this.classes, this.query].find((sheet) => !this.sheets[sheet].hasInk);
  }

  truth() {
    const query = this.sheets[this.query].example;
    const same = ({ example }) =>
      query && example?.source === query.source && example.character === query.character;
    return this.classes.find((way) => same(this.sheets[way]));
  }

  // In words and in a scene

  sentence(answers) {
    const missing = this.missing();
    if (missing === this.query) {
      return `Now draw the query: one of the ${this.num_ways} classes once more, as you would write it the next time.`;
    }
    if (missing !== undefined) return `Draw class ${LETTERS[missing]} first: it has no ink.`;
    const said = Object.entries(answers).map(([name, probabilities]) => {
      const choice = LETTERS[largest(probabilities)];
      return `${name} says ${choice} (${percent(Math.max(...probabilities))}; nearest drawing ${choice})`;
    });
    const truth = this.truth();
    return `The query: ${said.join(", ")}.${truth === undefined ? "" : ` It is class ${LETTERS[truth]}.`}`;
  }

  async scene() {
    let answers = {};
    let words = "";
    try {
      answers = await this.answers();
    } catch (fault) {
      if (!(fault instanceof Refusal)) throw fault;
      words = fault.message;
    }
    const recorded = this.data.ways[this.num_ways];
    const titles = new Map(
      this.data.learners.map((name) => {
        const answer = answers[name];
        const says = answer ? `says ${LETTERS[largest(answer)]}` : "no answer yet";
        return [`answers ${name}`, `${name}: ${says}`];
      }),
    );
    const panels = recorded.look.panels.map((panel) =>
      titles.has(panel.key) ? { ...panel, title: titles.get(panel.key) } : panel,
    );
    return {
      look: { ...recorded.look, panels },
      moving: this.moving(recorded.moving, answers),
      state: {
        values: { num_ways: this.num_ways, source: this.source },
        sentence: this.begun
          ? `${this.data.hint} ${this.sentence(answers)}`
          : words || this.sentence(answers),
        note: this.data.note,
      },
    };
  }

  moving(recorded, answers) {
    const { size } = this.data.pen;
    const images = (sheets) => {
      const bytes = new Uint8Array(sheets.length * size * size);
      for (const [at, sheet] of sheets.entries()) bytes.set(sheet.pixels, at * size * size);
      return { shape: [sheets.length, size, size], bytes };
    };
    const moving = {};
    for (const number of [...this.classes, this.query]) {
      moving[`pad ${number}`] = this.pad(number, this.sheets[number]);
    }
    moving.query = { ...recorded.query, pixels: images([this.sheets[this.query]]) };
    const drawings = images(this.classes.map((way) => this.sheets[way]));
    for (const name of this.data.learners) {
      moving[`${name} drawings`] = { ...recorded[`${name} drawings`], pixels: drawings };
      const probabilities = answers[name];
      if (!probabilities) continue;
      const y = [this.num_ways - 1 - largest(probabilities)]; // the nearest drawing is the answer's
      moving[`${name} nearest`] = { ...recorded[`${name} nearest`], y };
      const bars = { x: probabilities, texts: probabilities.map(percent) };
      moving[`${name} bars`] = { ...recorded[`${name} bars`], ...bars };
    }
    return moving;
  }

  pad(number, { strokes, example, hasInk }) {
    const heading = number === this.query ? "Query" : `Class ${LETTERS[number]}`;
    const what = example ? "an example" : count(strokes.length, "stroke");
    const shown = { description: [`${heading}: ${hasInk ? what : "no ink"}`] };
    const { size } = this.data.pen;
    if (strokes.length) shown.strokes = strokes;
    if (example) shown.example = { shape: [size, size], bytes: example.pixels };
    return shown;
  }
}

/** Puts it in place of what is in `element`. */
export async function open(element, folder) {
  const data = await (await fetched(`${folder}draw.json`)).json();
  const networks = (working) => load(folder, data.learners, data.sizes, working);
  await show(new DrawYourOwn(data, networks), element);
}

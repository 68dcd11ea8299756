// A widget that answers in the page: what live.py does behind a notebook, without Python.
// The kit draws it and hears the gestures; its README says what travels.
import kit from "../_figures/kit.js";

export const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** What a gesture cannot do, as a sentence to show: Python's ValueError. */
export class Refusal extends Error {}

export function require(condition, complaint) {
  if (!condition) throw new Refusal(complaint);
}

/** What refused `deed`, as a sentence; empty where it was done. */
function complaint(deed) {
  try {
    deed();
    return "";
  } catch (fault) {
    if (!(fault instanceof Refusal)) throw fault;
    return `${fault.message.replace(/\.+$/, "")}.`;
  }
}

/** Bytes out of base64. */
export function unpacked(text) {
  return Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
}

/** A probability in words, as `words.percent` has it. */
export function percent(probability) {
  if (Number.isNaN(probability)) return "no number";
  if (probability > 0 && probability < 0.005) return "<1%";
  if (probability >= 0.995 && probability < 1) return ">99%";
  return `${(100 * probability).toFixed(0)}%`;
}

/**
 * What the kit takes for a kernel. A widget has `scene()`, which may be a promise, of `look`,
 * `moving` and `state`, and a method for each kind of gesture.
 */
export class PageModel {
  constructor(widget) {
    this.widget = widget;
    this.traits = { look: null, fixed: {}, recorded: {}, progress: 0, ack: 0 };
    this.heard = {};
    this.complaint = "";
    widget.working = (done) => this.tell({ progress: done < 1 ? done : 0 });
  }

  get(name) {
    return this.traits[name];
  }

  on(event, act) {
    this.heard[event] ??= [];
    this.heard[event].push(act);
  }

  tell(news) {
    Object.assign(this.traits, news);
    for (const name of Object.keys(news)) {
      for (const act of this.heard[`change:${name}`] ?? []) act();
    }
  }

  async send({ kind, id, settled, ...fields }) {
    try {
      this.complaint = complaint(() => this.act(kind, fields));
      await this.show({ ack: id });
    } catch (fault) {
      this.tell({ ack: id }); // the page waits for an answer, whatever happened
      throw fault;
    }
  }

  act(kind, fields) {
    if (kind !== "try") return this.widget[kind](fields);
    const { values, press } = this.traits.look.tries[fields.index];
    for (const [name, value] of Object.entries(values)) this.widget.set({ name, value });
    if (press) this.widget.press({ name: press });
  }

  /** Tells what there is to see now, and `news` with it. */
  async show(news = {}) {
    const { look, moving, state } = await this.widget.scene();
    const sentence = `${this.complaint} ${state.sentence}`.trim();
    const all = { moving, state: { off: [], note: "", code: "", ...state, sentence }, ...news };
    // A look that is told again is laid out again.
    if (JSON.stringify(look) !== JSON.stringify(this.traits.look)) all.look = look;
    this.tell(all);
  }
}

/** Shows a widget in place of what is in `element`. */
export async function show(widget, element) {
  const model = new PageModel(widget);
  await model.show();
  const view = kit();
  view.initialize({ model });
  view.render({ model, el: element });
}

export async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer;
}

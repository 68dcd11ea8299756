/**
 * Draws one panel of a scene (`scene.py` says what its marks mean): SVG, and below it one canvas
 * for shades and drawings. Lengths are CSS pixels, so that text keeps its size.
 *
 * hooks.send(kind, fields, settled)  a gesture
 * hooks.light(link, index)           an element is pointed at; `("", -1)`: none any more. It is to
 *                                    be told to `light` of every panel, of this one as well
 * hooks.busy()                       whether an answer is owed: until then a point that was let go
 *                                    stays where it is. So `update` has to follow the last answer
 */

const GLIDE = 150; // milliseconds
const REACH = 24; // how far the pointer reads
const GRIP = 12; // half of what a finger has to hit
const TEXT = 12;
const LINE = 15; // from one line of text to the next
const DASHES = { "--": [3.7, 1.6], ":": [1, 1.65], "-.": [6.4, 1.6, 1, 1.6] };
const PENALTY = { Line: 1, Rules: 4, Boxes: 3, Band: 12 }; // lines and areas give way to points
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TURNS = { PageUp: -1, PageDown: 1, Home: Number.NEGATIVE_INFINITY, End: Infinity };
const EVENTS = "pointermove pointerdown pointerup pointercancel pointerleave";
const OTHERS = "click dblclick keydown keyup focusin focusout";
const SVG = "http://www.w3.org/2000/svg";

const variable = (token) => `--ml-${token.replaceAll(" ", "-")}`;
const ink = (token) => (token ? `var(${variable(token)})` : "none");
const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));
const digit = (value) => Math.round(value * 10) / 10;
const range = (length) => Array.from({ length }, (_, place) => place);
const known = (...values) => values.every(Number.isFinite);
const count = (columns) => (columns.x ?? columns.at ?? []).length;
const pick = (column, n, otherwise) => column?.[n] || otherwise;

/** Sets attributes, and touches the page only for those that are not as they were set before. */
function put(node, attributes) {
  node.was ??= {};
  for (const [name, value] of Object.entries(attributes)) {
    if (node.was[name] === value) continue;
    node.was[name] = value;
    if (name === "text") node.textContent = value;
    else if (value == null) node.removeAttribute(name);
    else node.setAttribute(name, value);
  }
  return node;
}

function add(parent, tag, name = "") {
  const node = parent.ownerDocument.createElementNS(SVG, tag);
  if (name) node.setAttribute("class", name);
  return parent.appendChild(node);
}

/** Just so many children: those that are there stay, and keep the focus. */
function children(parent, tag, number) {
  while (parent.childNodes.length > number) parent.lastChild.remove();
  while (parent.childNodes.length < number) add(parent, tag);
  return [...parent.childNodes];
}

/** One child for each, with the attributes that `attributes(n)` says. */
function each(parent, tag, number, attributes) {
  const nodes = children(parent, tag, number);
  for (let n = 0; n < number; n++) put(nodes[n], attributes(n));
}

function html(page, tag, name, ...inside) {
  const node = page.createElement(tag);
  node.className = name;
  node.append(...inside);
  return node;
}

// --- numbers ------------------------------------------------------------------------------------

function power(exponent) {
  const digits = [...`${Math.abs(exponent)}`].map((one) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[one]).join("");
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

/** A number as it is read: three digits, or as many as a step of an axis needs. */
export function say(value, step = 0) {
  if (value == null) return "–";
  const size = Math.abs(value);
  let text = `${Number(value.toPrecision(3))}`;
  if (size >= 1e5 || (size && size < 1e-3 && !step)) {
    const exponent = Math.floor(Math.log10(size) + 1e-9);
    const first = Number((value / 10 ** exponent).toPrecision(3));
    text = (first === 1 ? "" : `${first} · `) + power(exponent);
  } else if (step) text = value.toFixed(Math.max(0, Math.ceil(-Math.log10(step) - 1e-6)));
  else if (size >= 1000) text = `${Math.round(value)}`;
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** Where ticks stand on an axis with room for so many, and what they say. */
export function ticks({ low, high, log, ticks: given, names }, room) {
  const [least, most] = [Math.min(low, high), Math.max(low, high)];
  const within = ({ value }) =>
    value >= least - 1e-9 * (most - least) && value <= most + 1e-9 * (most - least);
  if (given)
    return given.map((value, n) => ({ value, name: names?.[n] ?? say(value) })).filter(within);
  if (log) {
    const [first, last] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
    const apart = Math.max(1, Math.ceil((last - first) / room));
    const parts = last - first <= 2 && room >= 4 ? [1, 2, 5] : [1];
    const powers = range(last - first + 1).map((n) => first + n);
    return powers
      .filter((exponent) => exponent % apart === 0)
      .flatMap((exponent) => parts.map((part) => Number(`${part}e${exponent}`)))
      .map((value) => ({ value, name: say(value) }))
      .filter(within);
  }
  const rough = (most - least) / Math.max(1, room);
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((times) => times * unit >= rough * (1 - 1e-9));
  const first = Math.ceil(least / step - 1e-9);
  const places = range(Math.floor(most / step + 1e-9) - first + 1);
  return places.map((n) => ({ value: (first + n) * step, name: say((first + n) * step, step) }));
}

/** From the numbers of an axis to pixels, and back. */
function scale(axis, from, to) {
  const plain = axis.log
    ? (value) => (value > 0 ? Math.log10(value) : -Infinity)
    : (value) => value;
  const value = axis.log ? (one) => 10 ** one : (one) => one;
  const [low, high] = [plain(axis.low), plain(axis.high)];
  const pixel = (one) => from + ((one - low) / (high - low)) * (to - from);
  const grain = 10 ** (Math.floor(Math.log10(Math.abs(high - low))) - 4);
  return {
    ...axis,
    from,
    to,
    at: (one) => (one == null ? Number.NaN : pixel(plain(one))),
    within: (one) =>
      clamp(one == null ? Number.NaN : pixel(plain(one)), Math.min(from, to), Math.max(from, to)),
    wide: (one, width) => [pixel(plain(one) - width / 2), pixel(plain(one) + width / 2)],
    moved: (one, by) => (one == null ? null : value(plain(one) + plain(by[1]) - plain(by[0]))),
    /** the number at a pixel of the axis, as round as cannot be seen */
    back(place) {
      const inside = clamp(place, Math.min(from, to), Math.max(from, to));
      const rough = low + ((inside - from) / (to - from)) * (high - low);
      return Number(value(Math.round(rough / grain) * grain).toPrecision(12));
    },
  };
}

// --- shapes -------------------------------------------------------------------------------------

/** A closed path through `[angle, radius]`, from wherever the pen is. */
function polygon(corners) {
  let [atX, atY] = [0, 0];
  const steps = corners.map(([angle, radius], n) => {
    const turn = ((angle - 90) * Math.PI) / 180;
    const [x, y] = [radius * Math.cos(turn), radius * Math.sin(turn)];
    const step = `${n ? "l" : "m"}${(x - atX).toFixed(2)},${(y - atY).toFixed(2)}`;
    [atX, atY] = [x, y];
    return step;
  });
  return `${steps.join("")}z`;
}
const star = (corners, r, turn = 0, inner = 1) =>
  polygon(range(corners).map((n) => [turn + (n / corners) * 360, n % 2 ? r * inner : r]));
const PLUS = [
  [-18.4, 1.05],
  [18.4, 1.05],
  [45, 0.47],
];
const cross = (r, turn) =>
  polygon(
    range(12).map((n) => [turn + 90 * Math.floor(n / 3) + PLUS[n % 3][0], r * PLUS[n % 3][1]]),
  );
const circle = (r) => `m${-r},0a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0z`;

/** By matplotlib's names, for a radius. */
const MARKERS = {
  o: circle,
  ".": (r) => circle(r / 2),
  s: (r) => star(4, r * 1.2, 45),
  "^": (r) => star(3, r),
  v: (r) => star(3, r, 180),
  "<": (r) => star(3, r, -90),
  ">": (r) => star(3, r, 90),
  D: (r) => star(4, r),
  d: (r) => star(4, r, 0, 0.6),
  p: (r) => star(5, r),
  h: (r) => star(6, r),
  "*": (r) => star(10, r, 0, 0.42),
  P: (r) => cross(r, 0),
  X: (r) => cross(r, 45),
  "+": (r) => `m${-r},0h${2 * r}m${-r},${-r}v${2 * r}`,
  x: (r) => `m${-0.8 * r},${-0.8 * r}l${1.6 * r},${1.6 * r}m${-1.6 * r},0l${1.6 * r},${-1.6 * r}`,
  "|": (r) => `m0,${-r}v${2 * r}`,
};
const drawn = new Map();
function marker(kind, size) {
  const name = kind + size;
  if (!drawn.has(name)) drawn.set(name, MARKERS[kind](size / 2));
  return drawn.get(name);
}

/** The colours of a marker. */
function filled(kind, { color, hollow, edge }) {
  const open = "+x|".includes(kind);
  const drawn = open || hollow;
  const fill = open ? "none" : ink(hollow ? "paper" : color);
  return { fill, stroke: ink(drawn ? color : edge), "stroke-width": drawn ? 2 : 1.5 };
}

/** The colour, width and dash of a line. */
function stroked({ color, width = 1.5, dash = "-" }) {
  const lengths = typeof dash === "string" ? DASHES[dash] : dash;
  const dashes = lengths?.map((length) => digit(length * Math.max(width, 1))).join(" ");
  return { stroke: ink(color), "stroke-width": width, "stroke-dasharray": dashes };
}

/** A path through pixels, with gaps where there is no number. */
function path(xs, ys) {
  let text = "";
  let drawing = false;
  for (let n = 0; n < xs.length; n++) {
    const there = Number.isFinite(xs[n]) && Number.isFinite(ys[n]);
    if (there) text += `${drawing ? "L" : "M"}${digit(xs[n])},${digit(ys[n])}`;
    drawing = there;
  }
  return text;
}

// --- where an element of a mark is: a dot, a segment or a box, in pixels --------------------------

function dot(p, { look, shown: c }, n) {
  const [x, y] = [p.x.at(c.x[n]), p.y.at(c.y[n])];
  const r = look.kind === "Points" ? look.size / 2 : 0;
  return { x0: x, x1: x, y0: y, y1: y, r, hidden: !p.inside(x, y) };
}
function segment([x0, y0], [x1, y1], flat = false) {
  const [a, b, c, d] = flat ? [y0, x0, y1, x1] : [x0, y0, x1, y1];
  return { x0: a, y0: b, x1: c, y1: d, line: true, hidden: !known(a, b, c, d) };
}
function box([a, b], [c, d], flat = false) {
  const [[x0, x1], [y0, y1]] = [[a, b].sort((u, v) => u - v), [c, d].sort((u, v) => u - v)];
  const part = flat ? { x0: y0, x1: y1, y0: x0, y1: x1 } : { x0, x1, y0, y1 };
  return { ...part, box: true, hidden: !known(a, b, c, d) };
}
const card = (p, { look, shown: c }, n) => {
  const part = box(p.x.wide(c.x[n], look.wide), p.y.wide(c.y[n], look.tall));
  return { ...part, hidden: !p.inside((part.x0 + part.x1) / 2, (part.y0 + part.y1) / 2) };
};
/** The two axes of a mark: the one it stands on, and the one it measures along. */
const turned = (p, look) => (look.flat ? [p.y, p.x] : [p.x, p.y]);

const PLACE = {
  Line: dot,
  Points: dot,
  Texts: dot,
  Images: card,
  Boxes: card,
  Bars(p, { look, shown: c }, n) {
    const [across, along] = turned(p, look);
    const [at, end] = look.flat ? [c.y[n], c.x[n]] : [c.x[n], c.y[n]];
    const base = along.at(look.base);
    const ends = [known(base) ? base : along.from, along.at(end)];
    return box(across.wide(at, look.thick), ends, look.flat);
  },
  Spans(p, { look, shown: c }, n) {
    const [across, along] = turned(p, look);
    const [at, from, to] = [across.at(c.at[n]), along.within(c.low[n]), along.within(c.high[n])];
    return segment([at, from], [at, to], look.flat);
  },
  Band(p, { shown: c }, n) {
    const at = p.x.at(c.x[n]);
    return segment([at, p.y.at(c.low[n])], [at, p.y.at(c.high[n])]);
  },
  Arrows(p, { shown: c }, n) {
    const ends = [p.x.at(c.x[n] + c.dx[n]), p.y.at(c.y[n] + c.dy[n])];
    return segment([p.x.at(c.x[n]), p.y.at(c.y[n])], ends);
  },
  Rules(p, { look, shown: c }, n) {
    const [across, along] = turned(p, look);
    const at = across.at(c.at[n]);
    return segment([at, along.from], [at, along.to], look.flat);
  },
};

/** Pixels between a place and an element. */
function distance({ x0, y0, x1, y1, line, r = 0 }, { x, y }) {
  if (!line) {
    const [dx, dy] = [Math.max(x0 - x, 0, x - x1), Math.max(y0 - y, 0, y - y1)];
    return Math.max(0, Math.hypot(dx, dy) - r);
  }
  const [dx, dy] = [x1 - x0, y1 - y0];
  const part = clamp(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1), 0, 1);
  return Math.hypot(x - x0 - part * dx, y - y0 - part * dy);
}

/** A path around an element, so many pixels away from it. */
function outline({ x0, y0, x1, y1, line, box, r = 0, hidden }, away) {
  if (hidden) return "";
  if (line) return `M${digit(x0)},${digit(y0)}L${digit(x1)},${digit(y1)}`;
  if (!box) return `M${digit(x0)},${digit(y0)}${circle(digit(r + away))}`;
  const [width, height] = [digit(x1 - x0 + 2 * away), digit(y1 - y0 + 2 * away)];
  return `M${digit(x0 - away)},${digit(y0 - away)}h${width}v${height}h${-width}z`;
}

// --- how each kind of mark is drawn ---------------------------------------------------------------

/** `p` is the panel, `m` the mark; what is drawn in `m.clipped` ends at the axes. */
const DRAW = {
  Line(p, { look, shown: c, clipped, free }) {
    const [xs, ys] = [(c.x ?? []).map((x) => p.x.at(x)), (c.y ?? []).map((y) => p.y.at(y))];
    const area = { fill: look.fill ? ink(look.color) : null, "fill-opacity": look.fill };
    each(clipped, "path", 1, () => ({ d: path(xs, ys), ...area, ...stroked(look) }));
    if (!look.marker) return;
    let d = "";
    const one = marker(look.marker, 4 + 2 * look.width);
    for (let n = look.every[0]; n < xs.length; n += look.every[1])
      if (p.inside(xs[n], ys[n])) d += `M${digit(xs[n])},${digit(ys[n])}${one}`;
    each(free, "path", 1, () => ({ d, ...filled(look.marker, look) }));
  },
  Points(p, m) {
    const { look, shown: c } = m;
    each(m.free, "path", count(c), (n) => {
      const { x0, y0, hidden } = dot(p, m, n);
      const kind = pick(c.markers, n, look.marker);
      const d = hidden ? "" : `M${digit(x0)},${digit(y0)}${marker(kind, look.size)}`;
      return { d, ...filled(kind, { ...look, color: pick(c.colors, n, look.color) }) };
    });
  },
  Bars(p, m) {
    const { look, shown: c } = m;
    const parts = range(count(c)).map((n) => PLACE.Bars(p, m, n));
    const fill = (n) => ink(pick(c.colors, n, look.color));
    each(m.clipped, "rect", parts.length, (n) => ({ ...rect(parts[n]), fill: fill(n) }));
    each(m.free, "text", c.texts?.length ?? 0, (n) => {
      const [text, { x0, y0, x1, y1 }] = [c.texts[n], parts[n]];
      const [down, wide] = [(look.flat ? c.x : c.y)[n] < look.base, p.widthOf(text) + 4];
      const right = clamp(down ? x0 - wide : p.beyond(x1, c.y[n], look) + 4, 0, p.width - wide);
      const above = clamp(down ? y1 + 9 : p.beyond(y0, c.x[n], look) - 8, 8, p.y.from - 7);
      return look.flat
        ? { text, x: digit(right), y: digit((y0 + y1) / 2) }
        : { text, x: digit((x0 + x1) / 2), y: digit(above), "text-anchor": "middle" };
    });
  },
  Spans(p, m) {
    const cap = m.look.flat ? "m0,-4v8" : "m-4,0h8";
    each(m.free, "path", count(m.shown), (n) => {
      const part = PLACE.Spans(p, m, n);
      const seen = !part.hidden && p.inside(part.x0, part.y0);
      const d = seen ? `${outline(part, 0)}${cap}M${digit(part.x0)},${digit(part.y0)}${cap}` : "";
      return { d, ...stroked({ color: pick(m.shown.colors, n, m.look.color) }) };
    });
  },
  Band(p, { look, shown: c, clipped }) {
    const there = range(count(c)).filter((n) => c.low[n] != null && c.high[n] != null);
    const pixel = (value) => clamp(p.y.at(value), -1e4, 1e4); // the logarithm of 0 is far below
    const xs = [...there, ...[...there].reverse()].map((n) => p.x.at(c.x[n]));
    const lows = there.map((n) => pixel(c.low[n])).reverse();
    const ys = [...there.map((n) => pixel(c.high[n])), ...lows];
    const d = path(xs, ys) && `${path(xs, ys)}z`;
    each(clipped, "path", 1, () => ({ d, fill: ink(look.color) }));
  },
  Arrows(p, m) {
    let [shafts, heads] = ["", ""];
    for (let n = 0; n < count(m.shown); n++) {
      const { x0, y0, x1, y1 } = PLACE.Arrows(p, m, n);
      const length = Math.hypot(x1 - x0, y1 - y0);
      if (!(length > 0.5)) continue;
      const size = Math.min(4 + 2.5 * m.look.width, length);
      const [ux, uy] = [((x1 - x0) / length) * size, ((y1 - y0) / length) * size];
      const [x, y] = [x1 - ux, y1 - uy];
      shafts += `M${digit(x0)},${digit(y0)}L${digit(x)},${digit(y)}`;
      heads += `${path([x1, x - uy * 0.45, x + uy * 0.45], [y1, y + ux * 0.45, y - ux * 0.45])}z`;
    }
    const [shaft, head] = children(m.clipped, "path", 2);
    put(shaft, { d: shafts, ...stroked(m.look) });
    put(head, { d: heads, fill: ink(m.look.color) });
  },
  Rules(p, m) {
    const lines = range(count(m.shown)).map((n) => outline(PLACE.Rules(p, m, n), 0));
    each(m.clipped, "path", 1, () => ({ d: lines.join(""), ...stroked(m.look) }));
  },
  Boxes(p, m) {
    each(m.clipped, "rect", count(m.shown), (n) => {
      const fill = m.below ? null : ink(pick(m.shown.fills, n, ""));
      return { ...rect(card(p, m, n)), fill, ...frame(m.shown, n) };
    });
  },
  Images(p, m) {
    each(m.free, "rect", count(m.shown), (n) => ({ ...rect(card(p, m, n)), ...frame(m.shown, n) }));
  },
  Texts(p, m) {
    const { look, shown: c } = m;
    const weight = look.bold ? "bold" : null;
    const same = { "font-size": look.size, "font-weight": weight, "text-anchor": look.anchor };
    each(m.free, "text", count(c), (n) => {
      const { x0, y0, hidden } = dot(p, m, n);
      if (hidden) return { text: "" };
      const [x, y, color] = [digit(x0), digit(y0), pick(c.colors, n, look.color)];
      const stroke = color === "paper" ? null : ink("paper");
      return { text: pick(c.texts, n, ""), x, y, fill: ink(color), stroke, ...same };
    });
  },
  Heat() {},
};

function rect({ x0, y0, x1, y1, hidden }) {
  if (hidden) return { visibility: "hidden" };
  const [x, y, width, height] = [x0, y0, x1 - x0, y1 - y0].map(digit);
  return { visibility: null, x, y, width, height };
}
const frame = (c, n) => ({
  ...stroked({ color: pick(c.edges, n, ""), width: 2 }),
  "stroke-dasharray": c.dashed?.[n] ? "5 3" : null,
});

/** What lies on the canvas, whose context is `pen`. */
const PAINT = {
  Heat(p, { look, shown: { values } }, pen) {
    if (!values) return;
    const [rows, columns] = values.shape;
    const [x, y, width, height] = [p.x.from, p.y.to, p.x.to - p.x.from, p.y.from - p.y.to];
    const bands = look.steps.length;
    const share = (value) => {
      if (!bands) return clamp((value - look.low) / (look.high - look.low), 0, 1);
      let band = 0;
      while (value >= look.steps[band]) band++;
      return band / bands;
    };
    // Bands are told apart once the values have been made finer; all else the canvas makes finer.
    const [wide, tall] = bands ? [Math.round(width), Math.round(height)] : [columns, rows];
    const rgb = p.rgb(look.color);
    const alpha = (n) => {
      const [column, row] = [n % wide, tall - 1 - Math.floor(n / wide)];
      const value = bands
        ? between(values, column / (wide - 1), row / (tall - 1))
        : values.data[row * columns + column];
      return 255 * share(value) * look.opacity;
    };
    const sheet = p.sheet(wide, tall, () => rgb, alpha);
    pen.save();
    pen.beginPath();
    pen.rect(x, y, width, height);
    pen.clip();
    pen.imageSmoothingEnabled = bands > 0 || look.smooth;
    // Values that are blended lie on the edges of the panel; else their cells fill it.
    const blended = look.smooth && !bands;
    const [over, above] = blended ? [width / (columns - 1) / 2, height / (rows - 1) / 2] : [0, 0];
    pen.drawImage(sheet, x - over, y - above, width + 2 * over, height + 2 * above);
    pen.strokeStyle = `rgb(${rgb.join(" ")} / ${Math.min(1, look.opacity + 0.2)})`;
    pen.lineWidth = 0.8;
    pen.beginPath();
    for (const step of look.steps)
      for (const [a, b] of contour(values, step)) {
        pen.moveTo(x + a[0] * width, y + (1 - a[1]) * height);
        pen.lineTo(x + b[0] * width, y + (1 - b[1]) * height);
      }
    pen.stroke();
    pen.restore();
  },
  Images(p, m, pen) {
    const { pixels, colors, fades } = m.shown;
    if (!pixels) return;
    const [number, height, width] = pixels.shape;
    const rgb = range(number).map((n) => p.rgb(pick(colors, n, m.look.color)));
    const area = width * height;
    const color = (n) => rgb[Math.floor(n / area)];
    const sheet = p.sheet(width, height * number, color, (n) =>
      fades ? pixels.data[n] * fades[Math.floor(n / area)] : pixels.data[n],
    );
    pen.imageSmoothingQuality = "high";
    for (let n = 0; n < number; n++) {
      const { x0, y0, x1, y1, hidden } = card(p, m, n);
      if (hidden) continue;
      const at = [x0, y0, x1 - x0, y1 - y0];
      pen.imageSmoothingEnabled = ((x1 - x0) * p.dense) / width < 2; // larger: each pixel is seen
      pen.drawImage(sheet, 0, n * height, width, height, ...at);
    }
  },
  Boxes(p, m, pen) {
    for (let n = 0; m.below && n < count(m.shown); n++) {
      const { x0, y0, x1, y1, hidden } = card(p, m, n);
      if (hidden || !m.shown.fills?.[n]) continue;
      pen.fillStyle = `rgb(${p.rgb(m.shown.fills[n])})`;
      pen.fillRect(x0, y0, x1 - x0, y1 - y0);
    }
  },
};

/** The value at shares of the way over the columns and up the rows. */
function between({ shape, data }, over, up) {
  const columns = shape[1];
  const x = over * (columns - 1); // without lists: this is asked for every pixel
  const y = up * (shape[0] - 1);
  const column = Math.min(Math.floor(x), columns - 2);
  const row = Math.min(Math.floor(y), shape[0] - 2);
  const at = row * columns + column;
  const low = data[at] + (x - column) * (data[at + 1] - data[at]);
  const high = data[at + columns] + (x - column) * (data[at + columns + 1] - data[at + columns]);
  return low + (y - row) * (high - low);
}

/** Both ends of each piece of the line on which the values are `level`, as shares of the ways. */
function contour({ shape: [rows, columns], data }, level) {
  const pieces = [];
  const around = [0, 1, columns + 1, columns]; // the corners of a cell, once around it
  for (let at = 0; at < columns * (rows - 1); at++) {
    const above = around.filter((corner) => data[at + corner] >= level).length;
    if (at % columns === columns - 1 || above % 4 === 0) continue;
    const ends = [];
    for (let n = 0; n < 4; n++) {
      const [from, to] = [at + around[n], at + around[(n + 1) % 4]];
      if (data[from] < level === data[to] < level) continue;
      const part = (level - data[from]) / (data[to] - data[from]);
      const [x, y] = [from % columns, Math.floor(from / columns)];
      const [dx, dy] = [(to % columns) - x, Math.floor(to / columns) - y];
      ends.push([(x + part * dx) / (columns - 1), (y + part * dy) / (rows - 1)]);
    }
    for (let n = 0; n + 1 < ends.length; n += 2) pieces.push([ends[n], ends[n + 1]]);
  }
  return pieces;
}

/** How a mark looks in the legend. */
function glyph(svg, g, look) {
  const [line, one] = children(g, "path", 2);
  const { kind, color } = look;
  const round = kind === "Points" || look.marker;
  const size = Math.min(look.size ?? 4 + 2 * look.width, 12);
  put(g, { opacity: look.opacity, fill: "none" });
  if (round) put(one, { d: `M14,7${marker(look.marker, size)}`, ...filled(look.marker, look) });
  if (["Line", "Arrows", "Rules", "Spans"].includes(kind))
    put(line, { d: kind === "Arrows" ? "M1,7H26m-6,-4l6,4l-6,4" : "M1,7H27", ...stroked(look) });
  else if (kind === "Heat") {
    const last = look.steps.length || 5;
    put(svg, { width: 12 * (last + 1) + 2 });
    each(g, "path", last + 1, (n) => {
      const shade = { fill: ink(color), "fill-opacity": n / last, stroke: ink("gray") };
      return { d: `M${1 + 12 * n},1h12v12h-12z`, ...shade };
    });
  } else if (!round && kind !== "Texts") put(line, { d: "M7,1h14v12h-14z", fill: ink(color) });
}

/** Columns of numbers, on their way from one to the other. */
function mixed(from, to, part) {
  const mix = { ...to };
  for (const [name, column] of Object.entries(to)) {
    const old = from[name];
    if (!Array.isArray(column) || old?.length !== column.length) continue;
    mix[name] = column.map((value, n) =>
      typeof value === "number" && typeof old[n] === "number"
        ? old[n] + (value - old[n]) * part
        : value,
    );
  }
  return mix;
}

/** On which axis a column of numbers lies: "x", "y", or neither. */
function axisOf(column, { kind, flat }) {
  if (column === "low" || column === "high") return kind === "Spans" && flat ? "x" : "y";
  return column === "at" ? (flat ? "y" : "x") : { x: "x", y: "y" }[column];
}

// --- the panel ------------------------------------------------------------------------------------

let made = 0;

export class PanelView {
  constructor(look, hooks, page = document) {
    Object.assign(this, { hooks, page, window: page.defaultView, marks: new Map() });
    this.lit = this.told = ["", -1];
    this.widths = new Map();
    this.title = html(page, "div", "ml-title");
    this.legend = html(page, "div", "ml-legend");
    this.canvas = html(page, "canvas", "ml-canvas");
    this.tip = html(page, "div", "ml-tip");
    this.said = html(page, "div", "ml-said");
    this.plot = html(page, "div", "ml-plot", this.canvas, this.tip, this.said);
    this.head = html(page, "div", "ml-head", this.title, this.legend);
    this.el = html(page, "div", "ml-panel", this.head, this.plot);
    this.svg = add(this.plot, "svg", "ml-svg");
    this.canvas.after(this.svg);
    const clip = put(add(this.svg, "clipPath"), { id: `ml-clip-${++made}-${Math.random()}` });
    this.edge = add(clip, "rect");
    this.picture = add(this.svg, "g", "ml-picture");
    this.axes = add(this.picture, "g", "ml-axes");
    [this.ruled, this.numerals, this.names] = children(this.axes, "g", 3);
    this.stack = add(this.picture, "g");
    this.over = add(this.svg, "g", "ml-lit");
    this.cross = add(this.svg, "path", "ml-cross");
    this.grips = add(this.svg, "g", "ml-grips");
    this.ground = add(this.grips, "rect", "ml-ground");
    this.clip = `url(#${clip.id})`;
    this.said.setAttribute("aria-live", "polite");
    for (const part of [this.canvas, this.legend, this.tip, this.axes])
      put(part, { "aria-hidden": "true" });
    for (const name of `${EVENTS} ${OTHERS}`.split(" "))
      this.plot.addEventListener(name, (event) => this[name](event)); // an svg would be a Tab stop
    // Within an SVG `touch-action` has no effect: a finger on a point would scroll the page.
    const stay = (event) => this.down && event.preventDefault();
    this.plot.addEventListener("touchmove", stay, { passive: false });
    // A theme changes the colour of the canvas, which takes a millisecond: draw.css.
    this.canvas.addEventListener("transitionend", () => this.draw(true));
    this.resized = () => this.measure();
    this.window.addEventListener("resize", this.resized);
    this.observer = new this.window.ResizeObserver(this.resized);
    this.observer.observe(this.plot);
    this.look(look);
  }

  destroy() {
    this.observer.disconnect();
    this.window.removeEventListener("resize", this.resized);
    this.window.cancelAnimationFrame(this.frame);
    this.el.remove();
  }

  /** Another look: what is there still keeps its nodes. */
  look(look) {
    this.is = look;
    const before = this.marks;
    this.marks = new Map();
    const images = look.marks.findLastIndex((mark) => mark.kind === "Images");
    look.marks.forEach((mark, n) => {
      let m = before.get(mark.key);
      if (m?.look.kind !== mark.kind) m = { columns: {}, shown: {}, active: 0 };
      else before.delete(mark.key);
      m.g ??= add(this.stack, "g");
      m.clipped ??= put(add(m.g, "g"), { "clip-path": this.clip });
      m.free ??= add(m.g, "g");
      put(m.g, { class: `ml-${mark.kind}`, "data-key": mark.key, fill: "none" });
      put(m.g, { opacity: mark.opacity });
      this.stack.append(m.g);
      if (mark.drag || mark.pick) {
        m.grips ??= add(this.grips, "g");
        put(m.grips, { class: mark.drag ? "ml-drag" : "ml-pick" });
      } else m.grips = m.grips?.remove();
      this.marks.set(mark.key, Object.assign(m, { look: mark, below: n < images }));
    });
    for (const { g, grips } of before.values()) for (const gone of [g, grips]) gone?.remove();
    if (!this.marks.has(this.held?.key)) this.held = null;
    this.title.textContent = look.title;
    this.title.hidden = !look.title;
    const name = look.alt || look.title || look.y.label || look.key;
    put(this.picture, { role: "img", "aria-label": name });
    put(this.svg, { role: "group", "aria-label": look.title || name });
    const words = `${look.click}: arrow keys move a cross, Enter is a click`;
    const stop = { tabindex: 0, role: "application", "aria-label": words };
    put(this.ground, look.click ? stop : { tabindex: null, role: null, "aria-label": null });
    this.plot.style.aspectRatio = `${look.width} / ${look.height}`;
    this.plot.style.minHeight = look.bare ? "" : `${Math.min(look.height, 180)}px`;
    this.el.style.width = `${look.width}px`;
    this.explain();
    this.measure();
  }

  /** Columns of all marks, by key. Those that are as long as before may glide to their new place. */
  update(columns, { glide = false } = {}) {
    if (this.held && !this.held.pressed && !this.hooks.busy()) this.held = null;
    const still = !glide || this.window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    for (const [key, m] of this.marks) {
      m.from = still || !count(m.shown) ? null : m.shown;
      m.columns = columns[key] ?? {};
    }
    this.since = still ? -GLIDE : this.window.performance.now();
    this.draw();
  }

  /** Elements of this number in marks of this link light up, all others no longer. */
  light(link, index) {
    this.lit = [link, index];
    this.drawLit();
  }

  // --- layout -------------------------------------------------------------------------------------

  widthOf(text) {
    this.pen ??= this.page.createElement("canvas").getContext("2d", { willReadFrequently: true });
    if (!this.widths.has(text)) {
      this.pen.font = `${TEXT}px ${this.window.getComputedStyle(this.plot).fontFamily}`;
      this.widths.set(text, this.pen.measureText(text).width);
    }
    return this.widths.get(text);
  }

  inside(x, y) {
    const { x: across, y: up } = this;
    return x >= across.from - 1 && x <= across.to + 1 && y >= up.to - 1 && y <= up.from + 1;
  }

  measure() {
    const [width, height] = [this.plot.clientWidth, this.plot.clientHeight];
    if (!width || !height) return;
    const { is, svg, canvas } = this;
    Object.assign(this, { width, height, dense: this.window.devicePixelRatio || 1 });
    put(svg, { viewBox: `0 0 ${width} ${height}` });
    [canvas.width, canvas.height] = [width, height].map((size) => Math.round(size * this.dense));
    let [left, right, top, bottom] = is.bare ? [4, 4, 4, 4] : [10, 12, 10, 8];
    let [across, up, below, beside] = [[], [], [], []];
    if (!is.bare) {
      if (is.marks.some(({ kind, flat }) => kind === "Bars" && !flat)) top += 8; // for their words
      up = ticks(is.y, clamp(Math.floor((height - 50) / 45), 2, 8));
      beside = this.wrapped(is.y.label, height - 60);
      left += Math.max(0, ...up.map(({ name }) => this.widthOf(name))) + beside.length * LINE + 4;
      across = ticks(is.x, clamp(Math.floor((width - left) / 70), 2, 10));
      const room = (width - left - right) / Math.max(1, across.length) - 6;
      across = across.map((tick) => ({ ...tick, lines: this.wrapped(tick.name, room) }));
      below = this.wrapped(is.x.label, width - left - right);
      bottom += Math.max(0, ...across.map(({ lines }) => lines.length)) * LINE + 4;
      right = Math.max(right, this.widthOf(across.at(-1)?.lines[0] ?? "") / 2 + 2);
    }
    const [aside, under] = [left - beside.length * LINE, bottom];
    bottom += below.length * LINE;
    let [wide, tall] = [width - left - right, height - top - bottom];
    if (is.square) {
      const [units, rows] = [is.x, is.y].map(({ low, high }) => Math.abs(high - low));
      const unit = Math.min(wide / units, tall / rows);
      left += (wide - unit * units) / 2;
      top += tall - unit * rows; // so that it stands on one line with its neighbours
      [wide, tall] = [unit * units, unit * rows];
    }
    this.x = scale(is.x, Math.round(left), Math.round(left + wide));
    this.y = scale(is.y, Math.round(top + tall), Math.round(top));
    const rim = { x0: this.x.from - 2, x1: this.x.to + 2, y0: this.y.to - 2, y1: this.y.from + 2 };
    put(this.edge, rect(rim));
    put(this.ground, rect(rim));
    this.drawAxes(across, up);
    const middle = { "text-anchor": "middle" };
    const [x, y] = [(this.x.from + this.x.to) / 2, this.y.from + under + LINE / 2];
    const names = below.map((text, n) => ({ text, x, y: y + n * LINE, ...middle }));
    beside.forEach((text, n) => {
      const at = `${this.x.from - aside + (n - beside.length + 0.5) * LINE} ${(this.y.from + this.y.to) / 2}`;
      names.push({ text, transform: `translate(${at}) rotate(-90)`, ...middle });
    });
    this.write(this.names, names);
    this.draw(true);
  }

  write(g, texts) {
    g.replaceChildren();
    each(g, "text", texts.length, (n) => texts[n]);
  }

  /** A name over as many lines as it takes. */
  wrapped(name, room) {
    const lines = [];
    for (const word of name ? name.split(" ") : []) {
      const longer = `${lines.at(-1)} ${word}`;
      if (lines.length && this.widthOf(longer) <= room) lines.splice(-1, 1, longer);
      else lines.push(word);
    }
    return lines;
  }

  drawAxes(across, up) {
    const { is, x, y } = this;
    const [grid, lines] = children(this.ruled, "path", 2);
    const placed = (all, axis) =>
      all
        .map((tick) => ({ ...tick, place: Math.round(axis.at(tick.value)) + 0.5 }))
        .sort((a, b) => a.place - b.place);
    const [columns, rows] = [placed(across, x), placed(up, y)];
    const texts = [];
    let end = Number.NEGATIVE_INFINITY;
    for (const { lines, place } of columns) {
      const half = Math.max(...lines.map((line) => this.widthOf(line))) / 2;
      if (place - half < end + 4) continue; // one that has no room is left out
      end = place + half;
      lines.forEach((text, n) => {
        texts.push({ text, x: place, y: y.from + 13 + n * LINE, "text-anchor": "middle" });
      });
    }
    end = Number.NEGATIVE_INFINITY;
    for (const { name, place } of rows) {
      if (place < end + TEXT + 1) continue;
      end = place;
      texts.push({ text: name, x: x.from - 6, y: place, "text-anchor": "end" });
    }
    this.write(this.numerals, texts);
    const upright = columns.map(({ place }) => `M${place},${y.from}V${y.to}`);
    const lying = rows.map(({ place }) => `M${x.from},${place}H${x.to}`);
    const small = columns.map(({ place }) => `M${place},${y.from}v4`);
    const corner = `M${x.from + 0.5},${y.to}V${y.from + 0.5}H${x.to}${small.join("")}`;
    put(grid, { d: is.grid ? [...upright, ...lying].join("") : "" });
    put(lines, { d: is.bare ? "" : corner });
  }

  /** The legend: an entry for each label, with the lines, markers and areas that bear it. */
  explain() {
    const entries = new Map();
    for (const mark of this.is.marks) {
      const name = `${mark.label} ${mark.color}`;
      if (mark.label && mark.listed) entries.set(name, [...(entries.get(name) ?? []), mark]);
    }
    this.legend.hidden = !entries.size;
    const drawn = [...entries.values()].map((marks) => {
      const entry = html(this.page, "span", "ml-entry");
      const svg = put(add(entry, "svg"), { width: 28, height: 14 });
      for (const mark of marks) glyph(svg, add(svg, "g"), mark);
      const { label, names } = marks[0];
      entry.append([label, names?.join(" to ")].filter(Boolean).join(" "));
      return entry;
    });
    this.legend.replaceChildren(...drawn);
  }

  // --- drawing ------------------------------------------------------------------------------------

  draw(anew = false) {
    if (!this.x) return;
    const part = clamp((this.window.performance.now() - this.since) / GLIDE, 0, 1);
    const eased = part * part * (3 - 2 * part);
    const held = this.held && this.marks.get(this.held.key);
    for (const m of this.marks.values()) {
      m.shown = m.from && part < 1 ? mixed(m.from, m.columns, eased) : m.columns;
      if (held && this.held.index < count(held.columns)) m.shown = this.carried(m, held);
    }
    for (const m of this.marks.values()) {
      DRAW[m.look.kind](this, m);
      if (m.grips) this.drawGrips(m);
    }
    this.paint(anew);
    this.read();
    this.window.cancelAnimationFrame(this.frame);
    if (part < 1) this.frame = this.window.requestAnimationFrame(() => this.draw());
  }

  /** A mark's columns: what is held where it is held, and what it carries as far from there. */
  carried(m, held) {
    const own = m === held;
    if (!own && !held.look.drag.carries.includes(m.look.key)) return m.shown;
    const { index } = this.held;
    const single = own || count(m.shown) === count(held.columns);
    const shown = { ...m.shown };
    for (const [name, column] of Object.entries(shown)) {
      const axis = axisOf(name, m.look);
      if (!axis) continue;
      const by = [held.columns[axis][index], this.held[axis]];
      shown[name] = column.map((value, n) => {
        if (single && n !== index) return value;
        return own ? by[1] : this[axis].moved(value, by);
      });
    }
    return shown;
  }

  /** Where the words of a bar stand that ends here: beyond an interval that is drawn over it. */
  beyond(end, at, { flat }) {
    for (const m of this.marks.values()) {
      const n =
        m.look.kind === "Spans" && m.look.flat === flat ? (m.shown.at ?? []).indexOf(at) : -1;
      if (n < 0) continue;
      const { x1, y1 } = PLACE.Spans(this, m, n);
      end = flat ? Math.max(end, x1 || end) : Math.min(end, y1 || end);
    }
    return end;
  }

  paint(anew) {
    const marks = [...this.marks.values()].filter(({ look }) => PAINT[look.kind]);
    const columns = marks.flatMap(({ look, shown }) => [look, ...Object.values(shown)]);
    const same =
      columns.length === this.painted?.length && columns.every((one, n) => one === this.painted[n]);
    if (same && !anew) return;
    this.painted = columns;
    const pen = this.canvas.getContext("2d");
    pen.setTransform(this.dense, 0, 0, this.dense, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    this.style = this.window.getComputedStyle(this.canvas);
    for (const m of marks) {
      pen.globalAlpha = m.look.kind === "Heat" ? 1 : m.look.opacity;
      PAINT[m.look.kind](this, m, pen);
    }
  }

  /** A colour as three numbers, as it is in this page now. */
  rgb(token) {
    const code = this.style.getPropertyValue(variable(token)).trim();
    return [1, 3, 5].map((at) => Number.parseInt(code.slice(at, at + 2), 16) || 0);
  }

  /** A canvas whose pixel `n` has this colour and this much of it. */
  sheet(width, height, rgb, alpha) {
    const sheet = Object.assign(this.page.createElement("canvas"), { width, height });
    const picture = new ImageData(width, height);
    const { data } = picture;
    for (let n = 0, at = 0; n < width * height; n++) {
      const color = rgb(n);
      for (let part = 0; part < 3; part++) data[at++] = color[part];
      data[at++] = alpha(n);
    }
    sheet.getContext("2d").putImageData(picture, 0, 0);
    return sheet;
  }

  drawLit() {
    if (!this.x) return;
    const parts = [];
    for (const m of this.marks.values()) {
      const linked = m.look.link && m.look.link === this.lit[0];
      const n = this.hit?.m === m ? this.hit.index : linked ? this.lit[1] : -1;
      if (n < 0 || n >= count(m.shown)) continue;
      parts.push(outline(PLACE[m.look.kind](this, m, n), m.look.kind === "Line" ? 4 : 2.5));
    }
    each(this.over, "path", parts.length, (n) => ({ d: parts[n] }));
  }

  /** What can be dragged or picked: as large as a finger, with a name, one Tab stop for each mark. */
  drawGrips(m) {
    const { look, shown, grips } = m;
    const [number, name] = [count(shown), look.drag?.name ?? look.pick];
    const had = () => grips.contains(this.plot.getRootNode().activeElement);
    const focused = had();
    m.active = clamp(m.active, 0, number - 1);
    each(grips, "path", number, (n) => {
      const part = PLACE[look.kind](this, m, n);
      const read = this.numbersOf(m, n) || `${n + 1}`;
      const same = { tabindex: n === m.active ? 0 : -1, "data-key": look.key, "data-index": n };
      const d = outline(part, part.box ? 2 : Math.max(4, GRIP - (part.r ?? 0)));
      const all = look.drag
        ? number > 1 && n + 1
        : `${[look.label, read].filter(Boolean).join(", ")}`;
      const label = [name, all].filter(Boolean).join(look.drag ? " " : ": ");
      const at = look.drag ? { "aria-valuenow": shown.x[n], "aria-valuetext": read } : {};
      return { d, role: look.drag ? "slider" : "button", "aria-label": label, ...at, ...same };
    });
    if (focused && !had()) (grips.childNodes[m.active] ?? this.ground).focus();
  }

  // --- reading ------------------------------------------------------------------------------------

  /** The element that is nearest to a place, of the marks that are wanted. */
  nearest(place, wanted, reach) {
    let [best, least] = [null, reach];
    for (const m of this.marks.values()) {
      const where = PLACE[m.look.kind];
      if (!where || !wanted(m)) continue;
      for (let n = 0; n < count(m.shown); n++) {
        const part = where(this, m, n);
        const far = distance(part, place) + (PENALTY[m.look.kind] ?? 0);
        if (far <= least && !part.hidden) [best, least] = [{ m, index: n, part }, far];
      }
    }
    return best;
  }

  /** What is held, pointed at or has the focus is told in a few words, and lights up. */
  read() {
    const { pointer, tip } = this;
    const chosen = this.held ?? (pointer ? null : this.focus);
    const m = this.marks.get(chosen?.key);
    const told = ({ look, shown }) =>
      look.label || look.link || look.drag || look.pick || shown.texts;
    this.hit = pointer && !chosen ? this.nearest(pointer, told, REACH) : null;
    if (m && chosen.index < count(m.shown))
      this.hit = { m, index: chosen.index, part: PLACE[m.look.kind](this, m, chosen.index) };
    const light = this.hit?.m.look.link ? [this.hit.m.look.link, this.hit.index] : ["", -1];
    if (String(light) !== String(this.told)) this.hooks.light(...light);
    this.told = light;
    this.drawLit();
    const words = this.hit ? this.words(this.hit.m, this.hit.index) : this.shade();
    tip.hidden = !words.length;
    if (!words.length) return;
    if (String(words) !== tip.words)
      tip.replaceChildren(...words.map((text, n) => html(this.page, n ? "div" : "b", "", text)));
    tip.words = String(words);
    const { x, y } = pointer ?? {};
    const { x0, y0, x1, y1 } = this.hit?.part ?? { x0: x, x1: x, y0: y, y1: y };
    const [wide, tall, middle] = [tip.offsetWidth, tip.offsetHeight, (x0 + x1) / 2];
    const [above, below] = [Math.min(y0, y1) - tall - 12, Math.max(y0, y1) + 12];
    const right = middle + 8 + wide <= this.width;
    tip.style.left = `${Math.round(clamp(right ? middle + 8 : middle - 8 - wide, 0, this.width - wide))}px`;
    tip.style.top = `${Math.round(clamp(above >= 0 ? above : below, 0, this.height - tall))}px`;
  }

  words(m, n) {
    const name = m.look.label || m.look.drag?.name;
    if (!name && !m.shown.texts?.[n]) return m.look.pick ? [m.look.pick] : [];
    return [name, this.numbersOf(m, n), m.look.pick].filter(Boolean);
  }

  /** What there is to read at an element: its text, or its numbers. */
  numbersOf({ look, shown: c }, n) {
    const { x, y, bare } = this.is;
    if (look.kind !== "Bars" && look.kind !== "Texts" && c.texts?.[n]) return c.texts[n];
    if (bare || ["Boxes", "Images", "Texts"].includes(look.kind)) return "";
    const one = (axis, value) => {
      const named = axis.names?.[axis.ticks.indexOf(value)];
      return named ?? [axis.label, say(value)].filter(Boolean).join(" = ");
    };
    const two = (axis) => `${axis.label} ${say(c.low[n])} to ${say(c.high[n])}`.trim();
    if (look.kind === "Rules") return one(look.flat ? y : x, c.at[n]);
    if (look.kind === "Spans")
      return `${one(look.flat ? y : x, c.at[n])}, ${two(look.flat ? x : y)}`;
    if (look.kind === "Band") return `${one(x, c.x[n])}, ${two(y)}`;
    return `${one(x, c.x[n] + (c.dx?.[n] ?? 0))}, ${one(y, c.y[n] + (c.dy?.[n] ?? 0))}`;
  }

  /** What is read where there are but shades. */
  shade() {
    const told = ({ look, shown }) => look.kind === "Heat" && look.label && shown.values;
    const m = [...this.marks.values()].findLast(told);
    if (!m || !this.pointer || !this.inside(this.pointer.x, this.pointer.y)) return [];
    const over = (this.pointer.x - this.x.from) / (this.x.to - this.x.from);
    const up = (this.pointer.y - this.y.from) / (this.y.to - this.y.from);
    return [m.look.label, say(between(m.shown.values, clamp(over, 0, 1), clamp(up, 0, 1)))];
  }

  // --- gestures -----------------------------------------------------------------------------------

  place({ clientX, clientY }) {
    const { left, top, width, height } = this.svg.getBoundingClientRect();
    return {
      x: ((clientX - left) * this.width) / width,
      y: ((clientY - top) * this.height) / height,
    };
  }

  /** The place in the panel's numbers: on a line, if there is one, at this x or its nearest end. */
  numbers(place, along) {
    const at = [this.x.back(place.x), this.y.back(place.y)];
    const { x: xs = [], y: ys = [] } = this.marks.get(along)?.columns ?? {};
    let [best, least] = [at, Number.POSITIVE_INFINITY];
    for (let n = 0; n + 1 < xs.length; n++) {
      if (!known(xs[n], xs[n + 1], ys[n], ys[n + 1])) continue;
      const part = clamp((at[0] - xs[n]) / (xs[n + 1] - xs[n] || 1), 0, 1);
      const on = [xs[n] + part * (xs[n + 1] - xs[n]), ys[n] + part * (ys[n + 1] - ys[n])];
      if (part > 0 && part < 1) on[0] = at[0];
      if (Math.abs(on[0] - at[0]) < least) [best, least] = [on, Math.abs(on[0] - at[0])];
    }
    return best;
  }

  /** A point is here now: in the page at once, and the kernel is told. */
  hold(key, index, place) {
    const [x, y] = this.numbers(place, this.marks.get(key).look.drag.along);
    const held = { key, index, x, y, pressed: true };
    if (String(Object.values(held)) === String(Object.values(this.held ?? {}))) return;
    this.held = held;
    this.hooks.send("drag", { key, index, x, y }, false);
    this.draw();
  }

  release() {
    this.down = null;
    if (!this.held?.pressed) return;
    const { key, index, x, y } = this.held;
    this.held.pressed = false;
    this.hooks.send("drag", { key, index, x, y }, true);
    if (this.hooks.busy()) return;
    this.held = null; // nobody will answer
    this.draw();
  }

  remove(m, index) {
    if (m.look.drag?.removable) this.hooks.send("remove", { key: m.look.key, index }, true);
  }

  pick(m, index) {
    if (m.look.pick) this.hooks.send("pick", { key: m.look.key, index }, true);
  }

  ask(place) {
    const [x, y] = this.numbers(place, this.is.click_along);
    this.hooks.send("click", { panel: this.is.key, x, y }, true);
  }

  pointerdown(event) {
    if (!event.isPrimary) return; // a second finger
    const place = this.place(event);
    const hit = event.button ? null : this.nearest(place, ({ look }) => look.drag, GRIP);
    this.downs = [this.downs?.[1], hit];
    this.moved = false;
    this.down = hit && { hit, place, dx: hit.part.x0 - place.x, dy: hit.part.y0 - place.y };
    this.drawCross(null);
    if (hit) {
      hit.m.active = hit.index;
      this.plot.setPointerCapture(event.pointerId);
    }
    if (event.pointerType === "touch") this.pointermove(event);
  }

  pointermove(event) {
    if (!event.isPrimary) return;
    const pointer = this.place(event);
    const { down } = this;
    this.pointer = pointer;
    if (
      down &&
      (this.moved || Math.hypot(pointer.x - down.place.x, pointer.y - down.place.y) > 3)
    ) {
      this.moved = true;
      const there = { x: pointer.x + down.dx, y: pointer.y + down.dy };
      return this.hold(down.hit.m.look.key, down.hit.index, there);
    }
    if (this.is.click_along && event.pointerType === "mouse") {
      const taken = this.nearest(pointer, ({ look }) => look.drag || look.pick, GRIP);
      const free = this.inside(pointer.x, pointer.y) && !taken;
      this.drawCross(free ? pointer : null, true);
    }
    this.read();
  }

  pointerup(event) {
    this.pointermove(event);
    this.release();
  }

  pointercancel() {
    this.release();
    this.pointerleave({});
  }

  pointerleave({ pointerType }) {
    if (pointerType === "touch" || this.down) return; // what a finger tapped can be read on
    this.pointer = null;
    this.drawCross(null);
    this.read();
  }

  click(event) {
    const [place, moved] = [this.place(event), this.moved];
    this.moved = false;
    if (moved) return;
    const hit = this.nearest(place, ({ look }) => look.drag || look.pick, GRIP);
    if (hit) this.pick(hit.m, hit.index);
    else if (this.is.click && this.inside(place.x, place.y)) this.ask(place);
  }

  dblclick() {
    const [first, second] = this.downs ?? [];
    if (first && first.m === second?.m) this.remove(second.m, second.index);
  }

  keydown(event) {
    const { key, index } = event.target.dataset;
    const cross = event.target === this.ground;
    const done = cross ? this.moveCross(event) : this.moveGrip(event, this.marks.get(key), +index);
    if (!done) return;
    event.preventDefault();
    event.stopPropagation();
  }

  moveCross({ key, shiftKey }) {
    const { x, y, is } = this;
    const step = ARROWS[key];
    const enter = key === "Enter" || key === " ";
    if (!step && !enter) return false;
    const far = shiftKey ? 1 : 8;
    if (step) this.at.x = clamp(this.at.x + step[0] * far, x.from, x.to);
    if (step) this.at.y = clamp(this.at.y + step[1] * far, y.to, y.from);
    if (enter) this.ask(this.at);
    this.drawCross(this.at);
    const [across, up] = this.numbers(this.at, is.click_along);
    this.said.textContent = `${is.x.label} ${say(across)}, ${is.y.label} ${say(up)}`;
    return true;
  }

  moveGrip({ key, shiftKey }, m, n) {
    if (!m) return false;
    const step = ARROWS[key];
    const turn = TURNS[key] ?? (step && !m.look.drag ? step[0] + step[1] : 0);
    const far = shiftKey ? 1 : 8;
    if (turn) {
      m.active = clamp(n + turn, 0, count(m.shown) - 1);
      m.grips.childNodes[m.active].focus();
      this.drawGrips(m);
    } else if (step) {
      const { x0, y0 } = dot(this, m, n);
      const right = m.look.drag.along ? step[0] - step[1] : step[0]; // on a line, up is on as well
      this.hold(m.look.key, n, { x: x0 + right * far, y: y0 + step[1] * far });
    } else if (key === "Enter" || key === " ") this.pick(m, n);
    else if (key === "Delete" || key === "Backspace") this.remove(m, n);
    else return false;
    return true;
  }

  keyup() {
    if (!this.down) this.release();
  }

  focusin({ target }) {
    if (!target.matches(":focus-visible")) return;
    this.pointer = null;
    this.at ??= { x: (this.x.from + this.x.to) / 2, y: (this.y.from + this.y.to) / 2 };
    if (target === this.ground) this.drawCross(this.at);
    else this.focus = { key: target.dataset.key, index: Number(target.dataset.index) };
    this.read();
  }

  focusout() {
    this.focus = null;
    this.keyup();
    this.drawCross(null);
    this.read();
  }

  /** The cross of the keyboard; for a pointer only the dot on the line where a click will put one. */
  drawCross(place, small = false) {
    let d = "";
    if (place) {
      const at = this.numbers(place, this.is.click_along);
      const [x, y] = [digit(this.x.at(at[0])), digit(this.y.at(at[1]))];
      d = `M${x},${y}${circle(5)}`;
      if (!small) d += `M${x},${this.y.from}V${this.y.to}M${this.x.from},${y}H${this.x.to}`;
    }
    put(this.cross, { d });
  }
}

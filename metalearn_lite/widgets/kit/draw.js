/**
 * Draws one panel of a scene (`scene.py` says what its marks mean): SVG, and below it one canvas
 * for shades and drawings. Lengths are CSS pixels, so that text keeps its size.
 *
 * hooks.send(kind, fields, settled)  a gesture
 * hooks.light(link, index)           an element is pointed at; `("", -1)`: none any more. To be
 *                                    told to `light` of every panel, this one as well
 * hooks.busy()                       whether an answer is owed: as long, a point that was let go
 *                                    stays where it is. So `update` has to follow the last answer
 */

const GLIDE = 150; // ms
const REACH = 24; // how far the pointer reads
const GRIP = 12; // half of what a finger must hit
const TEXT = 12;
const LINE = 15; // from one line of text to the next
const DASHES = { "--": [3.7, 1.6], ":": [1, 1.65], "-.": [6.4, 1.6, 1, 1.6] };
const PENALTY = { Line: 1, Rules: 4, Boxes: 3, Band: 12 }; // areas and lines give way to points

const ink = (token) => (token ? `var(--ml-${token.replaceAll(" ", "-")})` : "none");
const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));
const digit = (value) => Math.round(value * 10) / 10;
const range = (count) => Array.from({ length: count }, (_, place) => place);

/** Sets attributes, and touches the page only for those that differ from the last time. */
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

/** Just so many children of this kind: those that are there stay. */
function children(parent, tag, count) {
  while (parent.childNodes.length > count) parent.lastChild.remove();
  while (parent.childNodes.length < count) {
    const page = parent.ownerDocument;
    parent.append(page.createElementNS("http://www.w3.org/2000/svg", tag));
  }
  return parent.childNodes;
}

function html(page, tag, name, ...inside) {
  const node = page.createElement(tag);
  node.className = name;
  node.append(...inside);
  return node;
}

// --- numbers -----------------------------------------------------------------------------------

const SUPER = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const power = (n) => `10${n < 0 ? "⁻" : ""}${[...`${Math.abs(n)}`].map((d) => SUPER[d]).join("")}`;

/** A number to be read: three digits, or as many as a step of the axis needs. */
export function say(value, step) {
  const size = Math.abs(value);
  if (size && (size >= 1e5 || size < 1e-3)) {
    const exponent = Math.floor(Math.log10(size) + 1e-9);
    const first = Number((value / 10 ** exponent).toPrecision(3));
    return (first === 1 ? "" : `${first} · `).replace("-", "−") + power(exponent);
  }
  const digits = step ? Math.max(0, Math.ceil(-Math.log10(step) - 1e-6)) : 0;
  const text = step ? value.toFixed(digits) : `${Number(value.toPrecision(3))}`;
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** Where ticks stand on an axis with room for `count`, and what they say. */
export function ticks(axis, count) {
  const [low, high] = [Math.min(axis.low, axis.high), Math.max(axis.low, axis.high)];
  const within = (value) => value >= low - 1e-9 * (high - low) && value <= high * (1 + 1e-9 * Math.sign(high));
  if (axis.ticks) {
    const all = axis.ticks.map((value, place) => ({ value, name: axis.names?.[place] ?? say(value) }));
    return all.filter(({ value }) => within(value));
  }
  if (axis.log) {
    const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
    const apart = Math.max(1, Math.ceil((last - first) / count));
    const each = last - first <= 2 && count >= 4 ? [1, 2, 5] : [1];
    const powers = range(last - first + 1).map((n) => first + n).filter((n) => n % apart === 0);
    const values = powers.flatMap((n) => each.map((times) => Number(`${times}e${n}`)));
    return values.filter(within).map((value) => ({ value, name: say(value) }));
  }
  const rough = (high - low) / Math.max(1, count);
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((times) => times * unit >= rough * (1 - 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  const places = range(Math.floor(high / step + 1e-9) - first + 1);
  return places.map((n) => ({ value: (first + n) * step, name: say((first + n) * step, step) }));
}

/** From an axis' numbers to pixels and back. */
function scale(axis, from, to) {
  const plain = axis.log ? Math.log10 : (value) => value;
  const value = axis.log ? (plain) => 10 ** plain : (plain) => plain;
  const [low, high] = [plain(axis.low), plain(axis.high)];
  const pixel = (one) => from + ((one - low) / (high - low)) * (to - from);
  const grain = 10 ** (Math.floor(Math.log10(Math.abs(high - low))) - 4);
  return {
    from,
    to,
    at: (one) => (one == null ? NaN : pixel(plain(one))),
    wide: (one, width) => [pixel(plain(one) - width / 2), pixel(plain(one) + width / 2)],
    moved: (one, there, here) => (one == null ? null : value(plain(one) + plain(here) - plain(there))),
    /** the number at a pixel of the axis, as round as is not seen */
    back(place) {
      const inside = clamp(place, Math.min(from, to), Math.max(from, to));
      const rough = low + ((inside - from) / (to - from)) * (high - low);
      return Number(value(Math.round(rough / grain) * grain).toPrecision(12));
    },
  };
}

// --- shapes ------------------------------------------------------------------------------------

const CROSS = [[-1, -3], [1, -3], [1, -1], [3, -1], [3, 1], [1, 1], [1, 3], [-1, 3], [-1, 1], [-3, 1], [-3, -1], [-1, -1]]; // biome-ignore format: one table
const polygon = (corners) => `m${corners.map((xy) => xy.map((n) => n.toFixed(2))).map(([x, y], n, all) => n ? `${(x - all[n - 1][0]).toFixed(2)},${(y - all[n - 1][1]).toFixed(2)}` : `${x},${y}l`).join(" ")}z`;
const circle = (r) => `m${-r},0a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0z`;
const markers = new Map();

/** A marker, as matplotlib calls it, as a path to follow `M x,y`. */
function marker(kind, size) {
  const name = kind + size;
  if (!markers.has(name)) markers.set(name, shape(kind, size / 2));
  return markers.get(name);
}

function shape(kind, r) {
  const star = (corners, turn, inner = 1, flat = 1) =>
    polygon(range(corners).map((n) => {
      const angle = ((n / corners) * 360 + turn - 90) * (Math.PI / 180);
      const far = n % 2 ? r * inner : r;
      return [far * Math.cos(angle) * flat, far * Math.sin(angle)];
    }));
  const turned = (angle) =>
    polygon(CROSS.map(([x, y]) => [
      ((x * Math.cos(angle) - y * Math.sin(angle)) * r) / 3,
      ((x * Math.sin(angle) + y * Math.cos(angle)) * r) / 3,
    ]));
  const d = r * 0.8;
  switch (kind) {
    case ".": return circle(r / 2);
    case "s": return `m${-r * 0.88},${-r * 0.88}h${r * 1.76}v${r * 1.76}h${-r * 1.76}z`;
    case "^": return star(3, 0);
    case "v": return star(3, 180);
    case "<": return star(3, -90);
    case ">": return star(3, 90);
    case "D": return star(4, 0);
    case "d": return star(4, 0, 1, 0.6);
    case "p": return star(5, 0);
    case "h": return star(6, 0);
    case "*": return star(10, 0, 0.42);
    case "P": return turned(0);
    case "X": return turned(Math.PI / 4);
    case "+": return `m${-r},0h${2 * r}m${-r},${-r}v${2 * r}`;
    case "x": return `m${-d},${-d}l${2 * d},${2 * d}m${-2 * d},0l${2 * d},${-2 * d}`;
    case "|": return `m0,${-r}v${2 * r}`;
    default: return circle(r);
  }
} // prettier

const isStroke = (kind) => "+x|".includes(kind);

function dashes(dash, width) {
  const lengths = typeof dash === "string" ? DASHES[dash] : dash;
  return lengths ? lengths.map((length) => digit(length * Math.max(width, 1))).join(" ") : null;
}

/** A path through pixels, with gaps where there is no number. */
function path(xs, ys) {
  let text = "";
  let drawing = false;
  for (let n = 0; n < xs.length; n++) {
    const known = Number.isFinite(xs[n]) && Number.isFinite(ys[n]);
    if (known) text += `${drawing ? "L" : "M"}${digit(xs[n])},${digit(ys[n])}`;
    drawing = known;
  }
  return text;
}

// --- where an element of a mark is: a dot, a segment or a box, in pixels ------------------------

const dot = (p, { look }, c, n) => {
  const [x, y] = [p.x.at(c.x[n]), p.y.at(c.y[n])];
  const hidden = look.kind !== "Line" && !p.inside(x, y);
  return { x0: x, x1: x, y0: y, y1: y, r: look.kind === "Points" ? look.size / 2 : 0, hidden };
};
const segment = (x0, y0, x1, y1) => ({ x0, y0, x1, y1, line: true });
const box = (p, { look }, c, n) => {
  const [x0, x1] = p.x.wide(c.x[n], look.wide);
  const [y1, y0] = p.y.wide(c.y[n], look.tall);
  return ordered({ x0, x1, y0, y1, hidden: !p.inside((x0 + x1) / 2, (y0 + y1) / 2) });
};
const ordered = (b) => ({
  ...b,
  x0: Math.min(b.x0, b.x1),
  x1: Math.max(b.x0, b.x1),
  y0: Math.min(b.y0, b.y1),
  y1: Math.max(b.y0, b.y1),
  box: true,
});

const PLACE = {
  Line: dot,
  Points: dot,
  Texts: dot,
  Images: box,
  Boxes: box,
  Bars(p, { look }, c, n) {
    const [along, across] = look.flat ? [p.x, p.y] : [p.y, p.x];
    const [a, b] = across.wide((look.flat ? c.y : c.x)[n], look.thick);
    const base = along.at(look.base);
    const [from, to] = [Number.isFinite(base) ? base : along.from, along.at((look.flat ? c.x : c.y)[n])];
    return ordered(look.flat ? { x0: from, x1: to, y0: a, y1: b } : { x0: a, x1: b, y0: from, y1: to });
  },
  Spans(p, { look }, c, n) {
    const [along, across] = look.flat ? [p.x, p.y] : [p.y, p.x];
    const [at, low, high] = [across.at(c.at[n]), along.at(c.low[n]), along.at(c.high[n])];
    return look.flat ? segment(low, at, high, at) : segment(at, low, at, high);
  },
  Band: (p, _, c, n) => segment(p.x.at(c.x[n]), p.y.at(c.low[n]), p.x.at(c.x[n]), p.y.at(c.high[n])),
  Arrows: (p, _, c, n) =>
    segment(p.x.at(c.x[n]), p.y.at(c.y[n]), p.x.at(c.x[n] + c.dx[n]), p.y.at(c.y[n] + c.dy[n])),
  Rules(p, { look }, c, n) {
    const at = (look.flat ? p.y : p.x).at(c.at[n]);
    return look.flat ? segment(p.x.from, at, p.x.to, at) : segment(at, p.y.from, at, p.y.to);
  },
};

/** Pixels between a place and an element. */
function distance({ x0, y0, x1, y1, line, r = 0 }, x, y) {
  if (!line) {
    const [dx, dy] = [Math.max(x0 - x, 0, x - x1), Math.max(y0 - y, 0, y - y1)];
    return Math.max(0, Math.hypot(dx, dy) - r);
  }
  const [dx, dy] = [x1 - x0, y1 - y0];
  const part = clamp(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1), 0, 1);
  return Math.hypot(x - x0 - part * dx, y - y0 - part * dy);
}

/** A path around an element, `more` pixels away from it. */
function outline({ x0, y0, x1, y1, line, box, r = 0 }, more) {
  if (!Number.isFinite(x0 + y0 + x1 + y1)) return "";
  if (line) return `M${digit(x0)},${digit(y0)}L${digit(x1)},${digit(y1)}`;
  if (!box) return `M${digit(x0)},${digit(y0)}${circle(digit(r + more))}`;
  const [width, height] = [digit(x1 - x0 + 2 * more), digit(y1 - y0 + 2 * more)];
  return `M${digit(x0 - more)},${digit(y0 - more)}h${width}v${height}h${-width}z`;
}

// --- how each kind of mark is drawn --------------------------------------------------------------

const count = (c) => (c.x ?? c.at ?? []).length;
const of = (column, n, otherwise) => column?.[n] || otherwise;

const DRAW = {
  Line(p, { g, look }, c) {
    const [line, dots] = children(g, "path", 2);
    const [xs, ys] = [(c.x ?? []).map(p.x.at), (c.y ?? []).map(p.y.at)];
    put(line, {
      d: path(xs, ys),
      "clip-path": p.clip,
      fill: look.fill ? ink(look.color) : "none",
      "fill-opacity": look.fill,
      stroke: ink(look.color),
      "stroke-width": look.width,
      "stroke-dasharray": dashes(look.dash, look.width),
    });
    let d = "";
    if (look.marker) {
      const one = marker(look.marker, 4 + 2 * look.width);
      for (let n = look.every[0]; n < xs.length; n += look.every[1])
        if (p.inside(xs[n], ys[n])) d += `M${digit(xs[n])},${digit(ys[n])}${one}`;
    }
    put(dots, { d, ...inked(look.marker || "o", look) });
  },
  Points(p, m, c) {
    children(m.g, "path", count(c)).forEach((node, n) => {
      const { x0, y0, hidden } = dot(p, m, c, n);
      const kind = of(c.markers, n, m.look.marker);
      put(node, {
        d: hidden ? "" : `M${digit(x0)},${digit(y0)}${marker(kind, m.look.size)}`,
        ...inked(kind, { ...m.look, color: of(c.colors, n, m.look.color) }),
      });
    });
  },
  Bars(p, m, c) {
    const [bars, words] = children(m.g, "g", 2);
    const flat = m.look.flat;
    put(bars, { "clip-path": p.clip });
    const shown = range(count(c)).map((n) => PLACE.Bars(p, m, c, n));
    children(bars, "rect", shown.length).forEach((node, n) => {
      rectangle(node, shown[n], { fill: ink(of(c.colors, n, m.look.color)) });
    });
    children(words, "text", c.texts?.length ?? 0).forEach((node, n) => {
      const { x0, y0, x1, y1 } = shown[n];
      const down = (flat ? c.x : c.y)[n] < m.look.base;
      const wide = p.widthOf(c.texts[n]) + 4;
      put(node, {
        text: c.texts[n],
        x: digit(flat ? clamp(down ? x0 - wide : x1 + 4, 0, p.width - wide + 4) : (x0 + x1) / 2),
        y: digit(flat ? (y0 + y1) / 2 : clamp(down ? y1 + 9 : y0 - 8, p.y.to + 2, p.y.from - 7)),
        "text-anchor": flat ? "start" : "middle",
      });
    });
  },
  Spans(p, m, c) {
    children(m.g, "path", count(c)).forEach((node, n) => {
      const { x0, y0, x1, y1 } = PLACE.Spans(p, m, c, n);
      const cap = m.look.flat ? "m0,-4v8" : "m-4,0h8";
      const ends = [`M${digit(x0)},${digit(y0)}`, `L${digit(x1)},${digit(y1)}`];
      put(node, {
        d: Number.isFinite(x0 + x1 + y0 + y1) ? ends.join("") + cap + ends[0] + cap : "",
        "clip-path": p.clip,
        stroke: ink(of(c.colors, n, m.look.color)),
        "stroke-width": 1.5,
        fill: "none",
      });
    });
  },
  Band(p, { g, look }, c) {
    const [area] = children(g, "path", 1);
    const known = range(count(c)).filter((n) => c.low[n] != null && c.high[n] != null);
    const there = path(known.map((n) => p.x.at(c.x[n])), known.map((n) => p.y.at(c.high[n])));
    known.reverse();
    const back = path(known.map((n) => p.x.at(c.x[n])), known.map((n) => p.y.at(c.low[n])));
    const d = there && `${there}${back.replace("M", "L")}z`;
    put(area, { d, fill: ink(look.color), "clip-path": p.clip });
  },
  Arrows(p, m, c) {
    const [shafts, heads] = children(m.g, "path", 2);
    let [shaft, head] = ["", ""];
    for (let n = 0; n < count(c); n++) {
      const { x0, y0, x1, y1 } = PLACE.Arrows(p, m, c, n);
      const length = Math.hypot(x1 - x0, y1 - y0);
      if (!(length > 0.5)) continue;
      const size = Math.min(4 + 2.5 * m.look.width, length);
      const [ux, uy] = [((x1 - x0) / length) * size, ((y1 - y0) / length) * size];
      const [bx, by] = [x1 - ux, y1 - uy];
      shaft += `M${digit(x0)},${digit(y0)}L${digit(bx)},${digit(by)}`;
      head += `M${digit(x1)},${digit(y1)}L${digit(bx - uy * 0.45)},${digit(by + ux * 0.45)}L${digit(bx + uy * 0.45)},${digit(by - ux * 0.45)}z`;
    }
    const stroke = ink(m.look.color);
    const dash = dashes(m.look.dash, m.look.width);
    put(shafts, { d: shaft, stroke, "stroke-width": m.look.width, "stroke-dasharray": dash, "clip-path": p.clip });
    put(heads, { d: head, fill: stroke, "clip-path": p.clip });
  },
  Rules(p, m, c) {
    const [rules] = children(m.g, "path", 1);
    put(rules, {
      d: range(count(c)).map((n) => outline(PLACE.Rules(p, m, c, n), 0)).join(""),
      stroke: ink(m.look.color),
      "stroke-width": m.look.width,
      "stroke-dasharray": dashes(m.look.dash, m.look.width),
      "clip-path": p.clip,
    });
  },
  Boxes(p, m, c) {
    children(m.g, "rect", count(c)).forEach((node, n) => {
      const fill = m.below ? "none" : ink(of(c.fills, n, ""));
      rectangle(node, PLACE.Boxes(p, m, c, n), { fill, ...frame(c, n), "clip-path": p.clip });
    });
  },
  Images(p, m, c) {
    children(m.g, "rect", count(c)).forEach((node, n) => {
      rectangle(node, PLACE.Images(p, m, c, n), { fill: "none", ...frame(c, n) });
    });
  },
  Texts(p, m, c) {
    children(m.g, "text", count(c)).forEach((node, n) => {
      const { x0, y0, hidden } = dot(p, m, c, n);
      put(node, {
        text: hidden ? "" : of(c.texts, n, ""),
        x: digit(x0) || 0,
        y: digit(y0) || 0,
        fill: ink(of(c.colors, n, m.look.color)),
        "font-size": m.look.size,
        "font-weight": m.look.bold ? "bold" : null,
        "text-anchor": m.look.anchor,
      });
    });
  },
  Heat() {},
};

const inked = (kind, { color, hollow, edge }) => {
  const drawn = hollow || isStroke(kind);
  return {
    fill: isStroke(kind) ? "none" : ink(hollow ? "paper" : color),
    stroke: ink(drawn ? color : edge),
    "stroke-width": drawn ? 2 : 1.5,
  };
};
const frame = (c, n) => ({
  stroke: ink(of(c.edges, n, "")),
  "stroke-width": 2,
  "stroke-dasharray": c.dashed?.[n] ? "5 3" : null,
});
function rectangle(node, { x0, y0, x1, y1, hidden }, more) {
  const known = Number.isFinite(x0 + x1 + y0 + y1) && !hidden;
  const [width, height] = known ? [digit(x1 - x0), digit(y1 - y0)] : [0, 0];
  put(node, { x: known ? digit(x0) : 0, y: known ? digit(y0) : 0, width, height, ...more });
  put(node, { visibility: known ? null : "hidden" });
}

/** What lies on the canvas, from the lowest up. `paint` is its context, in CSS pixels. */
const PAINT = {
  Heat(p, m, c, paint) {
    if (!c.values) return;
    const [x, y, width, height] = [p.x.from, p.y.to, p.x.to - p.x.from, p.y.from - p.y.to];
    const { look } = m;
    const [rows, columns] = c.values.shape;
    const rgb = p.rgb(look.color);
    const bands = look.steps.length;
    const share = bands
      ? (value) => look.steps.filter((step) => value >= step).length / bands
      : (value) => clamp((value - look.low) / (look.high - look.low), 0, 1);
    const { data } = c.values;
    // Bands are told apart after the values have been made finer; all else the canvas makes finer.
    const [wide, tall] = bands ? [Math.round(width), Math.round(height)] : [columns, rows];
    const picture = new ImageData(wide, tall);
    for (let row = 0; row < tall; row++)
      for (let column = 0; column < wide; column++) {
        const value = bands
          ? between(c.values, column / (wide - 1), 1 - row / (tall - 1))
          : data[(rows - 1 - row) * columns + column];
        picture.data.set([...rgb, 255 * share(value) * look.opacity], 4 * (row * wide + column));
      }
    paint.save();
    paint.beginPath();
    paint.rect(x, y, width, height);
    paint.clip();
    paint.imageSmoothingEnabled = bands || look.smooth;
    // The outer values lie on the edges of the panel when they are blended, else their cells fill it.
    const [over, above] =
      look.smooth && !bands ? [width / (columns - 1) / 2, height / (rows - 1) / 2] : [0, 0];
    paint.drawImage(p.sheet(picture), x - over, y - above, width + 2 * over, height + 2 * above);
    paint.strokeStyle = `rgb(${rgb.join(" ")} / ${Math.min(1, look.opacity + 0.2)})`;
    paint.lineWidth = 0.8;
    paint.beginPath();
    for (const step of look.steps) contour(c.values, step, (a, b) => {
      paint.moveTo(x + a[0] * width, y + (1 - a[1]) * height);
      paint.lineTo(x + b[0] * width, y + (1 - b[1]) * height);
    });
    paint.stroke();
    paint.restore();
  },
  Images(p, m, c, paint) {
    if (!c.pixels) return;
    const [number, height, width] = c.pixels.shape;
    const picture = new ImageData(width, height * number);
    for (let n = 0, place = 0; n < number; n++) {
      const rgb = p.rgb(of(c.colors, n, m.look.color));
      for (let end = place + width * height; place < end; place++)
        picture.data.set([...rgb, c.pixels.data[place]], 4 * place);
    }
    const sheet = p.sheet(picture);
    paint.fillStyle = `rgb(${p.rgb("paper")})`;
    paint.globalAlpha = m.look.opacity;
    for (let n = 0; n < number; n++) {
      const { x0, y0, x1, y1, hidden } = PLACE.Images(p, m, c, n);
      if (hidden || !Number.isFinite(x0 + y0)) continue;
      const at = [x0, y0, x1 - x0, y1 - y0];
      paint.fillRect(...at);
      paint.imageSmoothingEnabled = ((x1 - x0) * p.dense) / width < 2;
      paint.imageSmoothingQuality = "high";
      paint.drawImage(sheet, 0, n * height, width, height, ...at);
    }
    paint.globalAlpha = 1;
  },
  Boxes(p, m, c, paint) {
    if (!m.below) return;
    paint.globalAlpha = m.look.opacity;
    for (let n = 0; n < count(c); n++) {
      const { x0, y0, x1, y1, hidden } = PLACE.Boxes(p, m, c, n);
      if (hidden || !c.fills?.[n]) continue;
      paint.fillStyle = `rgb(${p.rgb(c.fills[n])})`;
      paint.fillRect(x0, y0, x1 - x0, y1 - y0);
    }
    paint.globalAlpha = 1;
  },
};

/** The value at shares of the way over the columns and up the rows. */
function between({ shape: [rows, columns], data }, over, up) {
  const [x, y] = [over * (columns - 1), up * (rows - 1)];
  const [column, row] = [Math.min(x | 0, columns - 2), Math.min(y | 0, rows - 2)];
  const [dx, dy, at] = [x - column, y - row, row * columns + column];
  return (
    (1 - dy) * ((1 - dx) * data[at] + dx * data[at + 1]) +
    dy * ((1 - dx) * data[at + columns] + dx * data[at + columns + 1])
  );
}

/** Calls `line` with the two ends of each piece of the line on which the values are `level`. */
function contour({ shape: [rows, columns], data }, level, line) {
  for (let row = 0; row < rows - 1; row++)
    for (let column = 0; column < columns - 1; column++) {
      const at = row * columns + column;
      const around = [[0, 0, at], [1, 0, at + 1], [1, 1, at + columns + 1], [0, 1, at + columns]];
      const ends = [];
      around.forEach(([x, y, one], n) => {
        const [nextX, nextY, next] = around[(n + 1) % 4];
        if (data[one] < level === data[next] < level) return;
        const part = (level - data[one]) / (data[next] - data[one]);
        const place = [column + x + part * (nextX - x), row + y + part * (nextY - y)];
        ends.push([place[0] / (columns - 1), place[1] / (rows - 1)]);
      });
      for (let n = 0; n + 1 < ends.length; n += 2) line(ends[n], ends[n + 1]);
    }
}

// --- the panel -----------------------------------------------------------------------------------

/** On which axis a column of numbers lies. */
const axisOf = (name, { kind, flat }) =>
  ({ x: "x", y: "y", at: flat ? "y" : "x", low: flat && kind === "Spans" ? "x" : "y", high: flat && kind === "Spans" ? "x" : "y" })[name];

let made = 0;

export class PanelView {
  constructor(look, hooks, page = document) {
    this.hooks = hooks;
    this.page = page;
    this.window = page.defaultView;
    this.marks = new Map();
    this.held = this.pointer = this.focus = null;
    this.lit = ["", -1];
    this.widths = new Map();
    this.sheets = [];
    this.name = `ml-clip-${++made}-${Math.random().toString(36).slice(2, 8)}`;
    this.clip = `url(#${this.name})`;
    this.title = html(page, "div", "ml-title");
    this.legend = html(page, "div", "ml-legend");
    this.canvas = html(page, "canvas", "ml-canvas");
    const svg = (...[tag, name, parent]) => {
      const [node] = children(page.createElementNS("http://www.w3.org/2000/svg", "g"), tag, 1);
      if (name) node.setAttribute("class", name);
      parent?.append(node);
      return node;
    };
    this.svg = svg("svg", "ml-svg");
    this.clipped = svg("rect", "", svg("clipPath", "", this.svg));
    this.clipped.parentNode.id = this.name;
    this.picture = svg("g", "ml-picture", this.svg);
    this.axes = svg("g", "ml-axes", this.picture);
    this.stack = svg("g", "ml-marks", this.picture);
    this.over = svg("g", "ml-lit", this.svg);
    this.cross = svg("path", "ml-cross", this.svg);
    this.grips = svg("g", "ml-grips", this.svg);
    this.ground = svg("rect", "ml-ground", this.grips);
    this.tip = html(page, "div", "ml-tip");
    this.said = html(page, "div", "ml-said");
    this.said.setAttribute("aria-live", "polite");
    this.plot = html(page, "div", "ml-plot", this.canvas, this.svg, this.tip, this.said);
    this.el = html(page, "div", "ml-panel", this.title, this.legend, this.plot);
    for (const part of [this.canvas, this.legend, this.tip]) part.setAttribute("aria-hidden", "true");
    this.tip.hidden = true;
    for (const name of ["pointermove", "pointerdown", "pointerup", "pointercancel", "pointerleave", "click", "dblclick", "keydown", "keyup", "focusin", "focusout"])
      this.svg.addEventListener(name, (event) => this[name](event));
    // A theme changes the colour of the canvas, which takes a millisecond: `draw.css`.
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

  /** Another look: what stays the same keeps its nodes. */
  look(look) {
    this.is = look;
    const before = this.marks;
    this.marks = new Map();
    const image = look.marks.findLastIndex((mark) => mark.kind === "Images");
    look.marks.forEach((mark, place) => {
      const old = before.get(mark.key);
      const kept = old?.look.kind === mark.kind ? old : { columns: {}, shown: {}, active: 0 };
      before.delete(kept === old ? mark.key : null);
      kept.g ??= this.stack.appendChild(this.axes.cloneNode());
      put(kept.g, { class: `ml-${mark.kind}`, "data-key": mark.key, opacity: mark.opacity });
      this.stack.append(kept.g);
      if (mark.drag || mark.pick) {
        kept.grips ??= this.grips.appendChild(this.axes.cloneNode());
        put(kept.grips, { class: mark.drag ? "ml-drag" : "ml-pick" });
        this.grips.append(kept.grips);
      } else kept.grips = kept.grips?.remove();
      this.marks.set(mark.key, Object.assign(kept, { look: mark, below: place < image }));
    });
    for (const gone of before.values()) [gone.g, gone.grips].forEach((node) => node?.remove());
    if (!this.marks.has(this.held?.key)) this.held = null;
    this.title.textContent = look.title;
    this.title.hidden = !look.title;
    const name = look.alt || look.title || look.y.label;
    put(this.picture, { role: "img", "aria-label": name });
    put(this.svg, { role: "group", "aria-label": look.title || name });
    put(this.ground, {
      tabindex: look.click ? 0 : null,
      role: look.click ? "application" : null,
      "aria-label": look.click ? `${look.click}: move the cross with the arrow keys, then Enter` : null,
      "pointer-events": look.click ? "all" : "none",
    });
    this.plot.style.aspectRatio = `${look.width} / ${look.height}`;
    this.plot.style.minHeight = look.bare ? "" : `${Math.min(look.height, 180)}px`;
    this.el.style.width = `${look.width}px`;
    this.name_marks();
    this.measure();
  }

  /** Columns of all marks, by key. Those that are as long as before may glide to their new place. */
  update(columns, { glide = false } = {}) {
    if (this.held && !this.held.pressed && !this.hooks.busy()) this.held = null;
    const still = !glide || this.window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    for (const [key, mark] of this.marks) {
      mark.from = still || !count(mark.shown) ? null : mark.shown;
      mark.columns = columns[key] ?? {};
    }
    this.since = still ? -Infinity : this.window.performance.now();
    for (const entry of this.legend.children) {
      entry.classList.toggle("ml-absent", !entry.keys.some((key) => Object.keys(columns[key] ?? {}).length));
    }
    this.draw();
  }

  /** Elements of this number in marks of this link light up; all others no longer do. */
  light(link, index) {
    this.lit = [link, index];
    this.drawLit();
  }

  // --- layout ------------------------------------------------------------------------------------

  widthOf(text, size = TEXT) {
    const known = this.widths.get(text + size);
    if (known !== undefined) return known;
    this.pen ??= this.page.createElement("canvas").getContext("2d");
    this.pen.font = `${size}px ${this.window.getComputedStyle(this.plot).fontFamily || "sans-serif"}`;
    const width = this.pen.measureText(text).width;
    this.widths.set(text + size, width);
    return width;
  }

  inside(x, y) {
    const { x: across, y: up } = this;
    return x >= across.from - 1 && x <= across.to + 1 && y >= up.to - 1 && y <= up.from + 1;
  }

  measure() {
    [this.width, this.height] = [this.plot.clientWidth, this.plot.clientHeight];
    this.dense = this.window.devicePixelRatio || 1;
    if (!this.width || !this.height) return;
    const { is, width, height } = this;
    put(this.svg, { width, height, viewBox: `0 0 ${width} ${height}` });
    this.canvas.width = Math.round(width * this.dense);
    this.canvas.height = Math.round(height * this.dense);
    let [left, right, top, bottom] = is.bare ? [4, 4, 4, 4] : [10, 12, 10, 8];
    let [across, up] = [[], []];
    if (!is.bare) {
      up = ticks(is.y, clamp(Math.floor((height - 50) / 45), 2, 8));
      left += Math.max(0, ...up.map(({ name }) => this.widthOf(name))) + (is.y.label ? LINE + 4 : 0);
      across = ticks(is.x, clamp(Math.floor((width - left) / 70), 2, 10));
      this.wrap(across, (width - left - right) / Math.max(1, across.length));
      const lines = Math.max(0, ...across.map(({ lines }) => lines.length));
      bottom += (lines ? lines * LINE + 4 : 0) + (is.x.label ? LINE + 3 : 0);
      const last = across.at(-1);
      if (last) right = Math.max(right, this.widthOf(last.lines[0]) / 2 + 2);
    }
    let [wide, tall] = [width - left - right, height - top - bottom];
    if (is.square) {
      const unit = Math.min(wide / Math.abs(is.x.high - is.x.low), tall / Math.abs(is.y.high - is.y.low));
      const [w, h] = [unit * Math.abs(is.x.high - is.x.low), unit * Math.abs(is.y.high - is.y.low)];
      [left, top] = [left + (wide - w) / 2, top + (tall - h) / 2];
      [wide, tall] = [w, h];
    }
    this.x = scale(is.x, Math.round(left), Math.round(left + wide));
    this.y = scale(is.y, Math.round(top + tall), Math.round(top));
    const rim = { x: this.x.from - 2, y: this.y.to - 2, width: this.x.to - this.x.from + 4, height: this.y.from - this.y.to + 4 };
    put(this.clipped, rim);
    put(this.ground, rim);
    this.drawAxes(across, up);
    this.draw(true);
  }

  /** Long names of ticks go over several lines. */
  wrap(across, room) {
    for (const tick of across) {
      tick.lines = [];
      for (const word of tick.name.split(" ")) {
        const longer = `${tick.lines.at(-1)} ${word}`;
        const fits = tick.lines.length && this.widthOf(longer) <= room - 6;
        tick.lines.splice(fits ? -1 : tick.lines.length, fits ? 1 : 0, fits ? longer : word);
      }
    }
  }

  drawAxes(across, up) {
    const { is, x, y } = this;
    const [grid, lines, words, names] = children(this.axes, "g", 4);
    put(this.axes, { "aria-hidden": "true" });
    const known = ({ place }) => Number.isFinite(place);
    let end = -Infinity;
    const columns = across.map((tick) => ({ ...tick, place: Math.round(x.at(tick.value)) + 0.5 })).filter(known);
    const rows = up.map((tick) => ({ ...tick, place: Math.round(y.at(tick.value)) + 0.5 })).filter(known);
    const upright = columns.map(({ place }) => `M${place},${y.from}V${y.to}`).join("");
    const lying = rows.map(({ place }) => `M${x.from},${place}H${x.to}`).join("");
    put(children(grid, "path", 1)[0], { d: is.grid ? upright + lying : "" });
    const corner = `M${x.from + 0.5},${y.to}V${y.from + 0.5}H${x.to}`;
    const small = columns.map(({ place }) => `M${place},${y.from}v4`).join("");
    put(children(lines, "path", 1)[0], { d: is.bare ? "" : corner + small });
    const texts = [];
    columns.sort((a, b) => a.place - b.place);
    for (const { lines, place } of columns) {
      const half = Math.max(...lines.map((line) => this.widthOf(line))) / 2;
      if (place - half < end + 4) continue;
      end = place + half;
      lines.forEach((text, n) => texts.push({ text, x: place, y: y.from + 13 + n * LINE, "text-anchor": "middle" }));
    }
    end = Infinity;
    rows.sort((a, b) => b.place - a.place);
    for (const { name, place } of rows) {
      if (place > end - LINE + 2) continue;
      end = place;
      texts.push({ text: name, x: x.from - 6, y: place, "text-anchor": "end" });
    }
    children(words, "text", texts.length).forEach((node, n) => put(node, texts[n]));
    const [below, beside] = children(names, "text", 2);
    const middle = (y.from + y.to) / 2;
    put(below, { text: is.bare ? "" : is.x.label, x: (x.from + x.to) / 2, y: this.height - 9, "text-anchor": "middle" });
    put(beside, { text: is.bare ? "" : is.y.label, transform: `translate(9 ${middle}) rotate(-90)`, "text-anchor": "middle" });
  }

  /** The legend: an entry for each label, with what lines, markers and areas bear it. */
  name_marks() {
    const entries = new Map();
    for (const { look } of this.marks.values())
      if (look.label) entries.set(look.label, [...(entries.get(look.label) ?? []), look]);
    this.legend.hidden = !entries.size;
    this.legend.replaceChildren(
      ...[...entries].map(([label, looks]) => {
        const [svg] = children(html(this.page, "span", ""), "svg", 1);
        put(svg, { width: 28, height: 14, viewBox: "0 0 28 14" });
        children(svg, "g", looks.length).forEach((g, n) => glyph(g, looks[n]));
        const entry = html(this.page, "span", "ml-entry", svg, label);
        entry.keys = looks.map(({ key }) => key);
        return entry;
      }),
    );
  }

  // --- drawing -----------------------------------------------------------------------------------

  draw(anew = false) {
    if (!this.x || !this.width) return;
    const part = clamp((this.window.performance.now() - this.since) / GLIDE, 0, 1);
    const eased = part * part * (3 - 2 * part);
    const held = this.held && this.marks.get(this.held.key);
    for (const mark of this.marks.values()) {
      mark.shown = mark.from && part < 1 ? mixed(mark.from, mark.columns, eased) : mark.columns;
      if (part === 1) mark.from = null;
      if (held) mark.shown = this.carried(mark, held);
      DRAW[mark.look.kind](this, mark, mark.shown);
      if (mark.grips) this.drawGrips(mark);
    }
    this.paint(anew);
    this.read();
    this.window.cancelAnimationFrame(this.frame);
    if (part < 1) this.frame = this.window.requestAnimationFrame(() => this.draw());
  }

  /** A mark's columns, with what is held where it is held, and what it carries there too. */
  carried(mark, held) {
    const { index, x, y } = this.held;
    const known = held.columns;
    if (index >= count(known)) return mark.shown;
    const here = { x, y };
    const there = { x: known.x[index], y: known.y[index] };
    const own = mark === held;
    if (!own && !held.look.drag.carries.includes(mark.look.key)) return mark.shown;
    const one = count(mark.shown) === count(known);
    const shown = { ...mark.shown };
    for (const name of Object.keys(shown)) {
      const axis = axisOf(name, mark.look);
      if (!axis || !Array.isArray(shown[name])) continue;
      shown[name] = shown[name].map((value, n) => {
        if (own) return n === index ? here[axis] : value;
        return one && n !== index ? value : this[axis].moved(value, there[axis], here[axis]);
      });
    }
    return shown;
  }

  paint(anew) {
    const lower = [...this.marks.values()].filter(({ look, below }) => PAINT[look.kind] && (look.kind !== "Boxes" || below));
    const columns = lower.flatMap(({ look, shown }) => [look, ...Object.values(shown)]);
    const same = columns.length === this.painted?.length && columns.every((one, n) => one === this.painted[n]);
    if (same && !anew) return;
    this.painted = columns;
    this.canvas.hidden = !lower.length;
    if (!lower.length) return;
    const paint = this.canvas.getContext("2d");
    paint.setTransform(this.dense, 0, 0, this.dense, 0, 0);
    paint.clearRect(0, 0, this.width, this.height);
    this.style = this.window.getComputedStyle(this.canvas);
    for (const mark of lower) PAINT[mark.look.kind](this, mark, mark.shown, paint);
  }

  /** A colour as three numbers, as it is in this page now. */
  rgb(token) {
    this.pen ??= this.page.createElement("canvas").getContext("2d");
    this.pen.fillStyle = this.style.getPropertyValue(`--ml-${token.replaceAll(" ", "-")}`).trim() || "#888";
    return [1, 3, 5].map((at) => Number.parseInt(this.pen.fillStyle.slice(at, at + 2), 16));
  }

  /** A picture as something that a canvas can draw. */
  sheet(picture) {
    const sheet = this.page.createElement("canvas");
    [sheet.width, sheet.height] = [picture.width, picture.height];
    sheet.getContext("2d").putImageData(picture, 0, 0);
    return sheet;
  }

  // --- reading -----------------------------------------------------------------------------------

  place(event) {
    const rect = this.svg.getBoundingClientRect();
    return { x: ((event.clientX - rect.left) * this.width) / rect.width, y: ((event.clientY - rect.top) * this.height) / rect.height };
  }

  /** The element that is nearest to a place, of the marks that are `wanted`. */
  nearest({ x, y }, wanted, reach) {
    let best = null;
    let least = reach;
    for (const mark of this.marks.values()) {
      const where = PLACE[mark.look.kind];
      if (!where || !wanted(mark.look)) continue;
      for (let n = 0; n < count(mark.shown); n++) {
        const part = where(this, mark, mark.shown, n);
        const far = distance(part, x, y) + (PENALTY[mark.look.kind] ?? 0);
        if (!(far <= least) || part.hidden) continue;
        least = far;
        best = { mark, index: n, part };
      }
    }
    return best;
  }

  /** What is pointed at, held or has the focus is told in a few words, and lights up. */
  read() {
    const { pointer, focus, held } = this;
    let hit = null;
    if (held) hit = { mark: this.marks.get(held.key), index: held.index };
    else if (pointer) hit = this.nearest(pointer, (look) => look.label || look.link || look.drag || look.pick || look.kind === "Points", REACH);
    else if (focus) hit = { mark: this.marks.get(focus.key), index: focus.index };
    if (hit && !(hit.index < count(hit.mark?.shown ?? {}))) hit = null;
    this.hit = hit;
    const [link, index] = hit?.mark.look.link ? [hit.mark.look.link, hit.index] : ["", -1];
    if (link !== this.told?.[0] || index !== this.told?.[1]) {
      if (this.told || link) this.hooks.light(link, index);
      this.told = [link, index];
    }
    this.drawLit();
    const words = hit ? this.words(hit) : pointer && this.inside(pointer.x, pointer.y) ? this.shade(pointer) : [];
    this.tip.hidden = !words.length;
    if (!words.length) return;
    const text = words.join("\n");
    if (this.tip.told !== text) {
      this.tip.told = text;
      this.tip.replaceChildren(...words.map((line, n) => html(this.page, n || words.length === 1 ? "div" : "b", "", line)));
    }
    const at = hit ? PLACE[hit.mark.look.kind](this, hit.mark, hit.mark.shown, hit.index) : { x0: pointer.x, x1: pointer.x, y0: pointer.y, y1: pointer.y };
    const [wide, tall] = [this.tip.offsetWidth, this.tip.offsetHeight];
    const [x, top, bottom] = [clamp((at.x0 + at.x1) / 2, 0, this.width), Math.min(at.y0, at.y1), Math.max(at.y0, at.y1)];
    const y = top - tall - 12 >= 0 ? top - tall - 12 : bottom + 12;
    this.tip.style.left = `${Math.round(clamp(x + 8 + wide <= this.width ? x + 8 : x - 8 - wide, 0, this.width - wide))}px`;
    this.tip.style.top = `${Math.round(clamp(y, 0, this.height - tall))}px`;
  }

  words({ mark: { look, shown: c }, index: n }) {
    const { x, y } = this.is;
    const name = (axis, value) => {
      const place = axis.names ? axis.ticks.indexOf(value) : -1;
      return place >= 0 ? axis.names[place] : `${axis.label} ${value == null ? "–" : say(value)}`.trim();
    };
    const two = (axis, low, high) => `${axis.label} ${say(low)} to ${say(high)}`.trim();
    const plain = {
      Spans: () => (look.flat ? [name(y, c.at[n]), two(x, c.low[n], c.high[n])] : [name(x, c.at[n]), two(y, c.low[n], c.high[n])]),
      Band: () => [name(x, c.x[n]), two(y, c.low[n], c.high[n])],
      Arrows: () => [name(x, c.x[n] + c.dx[n]), name(y, c.y[n] + c.dy[n])],
      Rules: () => [name(look.flat ? y : x, c.at[n])],
      Boxes: () => [],
      Images: () => [],
      Texts: () => [],
    }[look.kind] ?? (() => [name(x, c.x[n]), name(y, c.y[n])]);
    const read = look.kind !== "Bars" && look.kind !== "Texts" && c.texts?.[n];
    const title = look.label || look.drag?.name;
    if (!title && !read) return look.pick ? [look.pick] : [];
    return [title, read || (this.is.bare ? "" : plain().join(", ")), look.pick].filter(Boolean);
  }

  /** What is read where there are only shades. */
  shade({ x, y }) {
    const mark = [...this.marks.values()].findLast(({ look, shown }) => look.kind === "Heat" && look.label && shown.values);
    if (!mark) return [];
    const [over, up] = [(x - this.x.from) / (this.x.to - this.x.from), (this.y.from - y) / (this.y.from - this.y.to)];
    return [mark.look.label, say(between(mark.shown.values, clamp(over, 0, 1), clamp(up, 0, 1)))];
  }

  drawLit() {
    if (!this.x) return;
    const [link, index] = this.lit;
    const parts = [];
    for (const mark of this.marks.values()) {
      const n = this.hit?.mark === mark ? this.hit.index : link && mark.look.link === link ? index : -1;
      if (n < 0 || n >= count(mark.shown) || !PLACE[mark.look.kind]) continue;
      const part = PLACE[mark.look.kind](this, mark, mark.shown, n);
      if (!part.hidden) parts.push(outline(part, mark.look.kind === "Line" ? 4 : 2.5));
    }
    children(this.over, "path", parts.length).forEach((node, n) => put(node, { d: parts[n] }));
  }

  drawGrips(mark) {
    const { look, shown: c, grips } = mark;
    const number = count(c);
    mark.active = clamp(mark.active, 0, number - 1);
    const had = grips.contains(this.page.activeElement);
    children(grips, "path", number).forEach((node, n) => {
      const part = PLACE[look.kind](this, mark, c, n);
      const words = this.words({ mark: { look: { ...look, pick: "", label: look.drag?.name || look.label }, shown: c }, index: n });
      const spoken = words.slice(1).join(", ") || `${n + 1} of ${number}`;
      put(node, {
        d: part.hidden ? "" : outline(part, part.box ? 2 : Math.max(4, GRIP - (part.r ?? 0))),
        "data-key": look.key,
        "data-index": n,
        tabindex: n === mark.active ? 0 : -1,
        role: look.drag ? "slider" : "button",
        "aria-label": look.drag ? look.drag.name + (number > 1 ? ` ${n + 1}` : "") : [look.pick, look.label, spoken].filter(Boolean).join(": "),
        "aria-valuenow": look.drag ? c.x[n] : null,
        "aria-valuetext": look.drag ? spoken : null,
      });
    });
    if (had && !grips.contains(this.page.activeElement)) (grips.children[mark.active] ?? this.ground).focus();
  }

  // --- gestures ----------------------------------------------------------------------------------

  /** The point of a line at this x, or at its nearest end. */
  onLine(key, x) {
    const { x: xs = [], y: ys = [] } = this.marks.get(key)?.columns ?? {};
    let best = null;
    let far = Infinity;
    for (let n = 0; n + 1 < xs.length; n++) {
      if (ys[n] == null || ys[n + 1] == null || xs[n] == null || xs[n + 1] == null) continue;
      const part = clamp((x - xs[n]) / (xs[n + 1] - xs[n] || 1), 0, 1);
      const on = xs[n] + part * (xs[n + 1] - xs[n]);
      if (Math.abs(on - x) >= far) continue;
      far = Math.abs(on - x);
      best = [part > 0 && part < 1 ? x : on, ys[n] + part * (ys[n + 1] - ys[n])];
    }
    return best;
  }

  /** The numbers of a place, on a line if there is one. */
  numbers({ x, y }, along) {
    const [across, up] = [this.x.back(x), this.y.back(y)];
    return (along && this.onLine(along, across)) || [across, up];
  }

  /** A point is here now: in the page at once, and the kernel is told. */
  hold(key, index, place, settled) {
    const [x, y] = this.numbers(place, this.marks.get(key).look.drag.along);
    this.held = { key, index, x, y, pressed: !settled };
    this.hooks.send("drag", { key, index, x, y }, settled);
    this.draw();
  }

  release() {
    if (!this.held?.pressed) return;
    const { key, index, x, y } = this.held;
    this.held.pressed = false;
    this.hooks.send("drag", { key, index, x, y }, true);
  }

  remove(mark, index) {
    if (mark.look.drag?.removable) this.hooks.send("remove", { key: mark.look.key, index }, true);
  }

  pointerdown(event) {
    const place = this.place(event);
    const hit = event.button ? null : this.nearest(place, (look) => look.drag, GRIP);
    this.downs = [this.downs?.[1], hit];
    this.moved = false;
    this.down = hit && { key: hit.mark.look.key, index: hit.index, dx: hit.part.x0 - place.x, dy: hit.part.y0 - place.y, place };
    this.hideCross();
    if (hit) this.svg.setPointerCapture(event.pointerId);
    if (hit) hit.mark.active = hit.index;
    if (event.pointerType === "touch") this.pointermove(event);
  }

  pointermove(event) {
    this.pointer = this.place(event);
    const { down, pointer } = this;
    if (down && (this.moved || Math.hypot(pointer.x - down.place.x, pointer.y - down.place.y) > 3)) {
      this.moved = true;
      this.hold(down.key, down.index, { x: pointer.x + down.dx, y: pointer.y + down.dy }, false);
      return;
    }
    if (this.is.click_along && event.pointerType === "mouse") {
      const free = this.inside(pointer.x, pointer.y) && !this.nearest(pointer, (look) => look.drag || look.pick, GRIP);
      this.drawCross(free && this.numbers(pointer, this.is.click_along), true);
    }
    this.read();
  }

  pointerup() {
    this.down = null;
    this.release();
  }

  pointercancel() {
    this.pointerup();
    this.pointerleave();
  }

  pointerleave(event) {
    if (event?.pointerType === "touch" || this.down) return; // what a finger tapped stays to be read
    this.pointer = null;
    this.hideCross();
    this.read();
  }

  click(event) {
    const [place, moved] = [this.place(event), this.moved];
    this.moved = false;
    if (moved) return;
    const hit = this.nearest(place, (look) => look.drag || look.pick, GRIP);
    if (hit?.mark.look.pick) this.hooks.send("pick", { key: hit.mark.look.key, index: hit.index }, true);
    else if (!hit && this.is.click && this.inside(place.x, place.y)) this.ask(place);
  }

  ask(place) {
    const [x, y] = this.numbers(place, this.is.click_along);
    this.hooks.send("click", { panel: this.is.key, x, y }, true);
  }

  dblclick() {
    const [first, second] = this.downs ?? [];
    if (first && second && first.mark === second.mark) this.remove(second.mark, second.index);
  }

  keydown(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const enter = event.key === "Enter" || event.key === " ";
    const far = event.shiftKey ? 1 : 8;
    if (event.target === this.ground) {
      if (!step && !enter) return;
      this.crossed ??= { x: (this.x.from + this.x.to) / 2, y: (this.y.from + this.y.to) / 2 };
      if (enter) this.ask(this.crossed);
      else {
        this.crossed.x = clamp(this.crossed.x + step[0] * far, this.x.from, this.x.to);
        this.crossed.y = clamp(this.crossed.y + step[1] * far, this.y.to, this.y.from);
      }
      this.drawCross(this.numbers(this.crossed, this.is.click_along), false);
      const [x, y] = this.numbers(this.crossed, this.is.click_along);
      this.said.textContent = `${this.is.x.label} ${say(x)}, ${this.is.y.label} ${say(y)}`;
    } else {
      const { key, index } = event.target.dataset;
      const mark = this.marks.get(key);
      if (!mark) return;
      const turn = { PageUp: -1, PageDown: 1, Home: -Infinity, End: Infinity }[event.key] ?? (mark.look.drag ? 0 : step ? step[0] + step[1] : 0);
      const n = Number(index);
      if (turn) {
        mark.active = clamp(n + turn, 0, count(mark.shown) - 1);
        mark.grips.children[mark.active].focus();
        this.drawGrips(mark);
      } else if (step && mark.look.drag) {
        const { x0, y0 } = dot(this, mark, mark.shown, n);
        this.hold(key, n, { x: x0 + step[0] * far, y: y0 + step[1] * far }, false);
      } else if (enter && mark.look.pick) this.hooks.send("pick", { key, index: n }, true);
      else if (event.key === "Delete" || event.key === "Backspace") this.remove(mark, n);
      else return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  keyup() {
    if (!this.down) this.release();
  }

  focusin({ target }) {
    if (!target.matches(":focus-visible")) return;
    if (target === this.ground) {
      this.crossed ??= { x: (this.x.from + this.x.to) / 2, y: (this.y.from + this.y.to) / 2 };
      this.drawCross(this.numbers(this.crossed, this.is.click_along), false);
    } else this.focus = { key: target.dataset.key, index: Number(target.dataset.index) };
    this.pointer = null;
    this.read();
  }

  focusout() {
    this.focus = null;
    this.keyup();
    this.hideCross();
    this.read();
  }

  /** The cross of the keyboard; under a pointer only the dot on the line where a click will put one. */
  drawCross(at, small) {
    if (!at) return this.hideCross();
    const [x, y] = [digit(this.x.at(at[0])), digit(this.y.at(at[1]))];
    const lines = small ? "" : `M${x},${this.y.from}V${this.y.to}M${this.x.from},${y}H${this.x.to}`;
    put(this.cross, { d: `${lines}M${x},${y}${circle(5)}` });
  }

  hideCross() {
    put(this.cross, { d: "" });
  }
}

/** Columns of numbers on their way from one to the other. */
function mixed(from, to, part) {
  const mix = { ...to };
  for (const [name, column] of Object.entries(to)) {
    const old = from[name];
    if (!Array.isArray(column) || old?.length !== column.length) continue;
    mix[name] = column.map((value, n) =>
      typeof value === "number" && typeof old[n] === "number" ? old[n] + (value - old[n]) * part : value,
    );
  }
  return mix;
}

/** How a mark looks in the legend. */
function glyph(g, look) {
  const { kind } = look;
  const stroked = ["Line", "Arrows", "Rules", "Spans"].includes(kind);
  const [line, one] = children(g, "path", 2);
  put(g, { opacity: look.opacity });
  if (stroked) {
    const width = look.width ?? 1.5;
    const d = kind === "Arrows" ? "M1,7H26m-6,-4l6,4l-6,4" : "M1,7H27";
    put(line, { d, fill: "none", stroke: ink(look.color), "stroke-width": width, "stroke-dasharray": dashes(look.dash, width) });
  } else if (kind !== "Points" && kind !== "Texts") put(line, { d: "M7,1h14v12h-14z", fill: ink(look.color) });
  if (kind === "Points" || look.marker) {
    put(one, { d: `M14,7${marker(look.marker, Math.min(look.size ?? 4 + 2 * look.width, 12))}`, ...inked(look.marker, look) });
  }
}

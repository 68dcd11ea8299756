// From strokes to the image that the networks see: `ink_image` of metalearn_lite/widgets/draw.py
// once more. A test holds the two together.

/**
 * What Omniglot's pen leaves along `strokes`, lists of [x, y] from 0 to 1: ink 0 … 1, row by row.
 * `pen` holds the constants of Python.
 */
export function inkImage(strokes, pen) {
  const { size, longer_side, smallest, width } = pen;
  const points = strokes.flat();
  const [low, high] = [Math.min, Math.max].map((end) =>
    [0, 1].map((axis) => points.reduce((so, point) => end(so, point[axis]), points[0][axis])),
  );
  const scale = longer_side / Math.max(high[0] - low[0], high[1] - low[1], smallest);
  const ways = strokes.map((stroke) =>
    stroke.map((point) =>
      point.map((value, axis) => (value - (low[axis] + high[axis]) / 2) * scale + size / 2),
    ),
  );
  const longest = Math.max(...ways.map((way) => walked(way).at(-1)));
  const marks = Math.max(2 + Math.trunc(2 * longest), 4); // half a pixel apart or less
  const ink = new Float64Array(size * size);
  for (const way of ways) press(evenly(way, marks, width), ink, pen);
  return Float32Array.from(ink, (one) => Math.min(1, one));
}

/** How far the pen has come at each point of a way. */
function walked(way) {
  const far = [0];
  for (let at = 1; at < way.length; at++) {
    const [dx, dy] = [way[at][0] - way[at - 1][0], way[at][1] - way[at - 1][1]];
    far.push(far[at - 1] + Math.sqrt(dx * dx + dy * dy));
  }
  return far;
}

/** So many `marks` evenly along a way; a dot becomes a short dash. */
function evenly(way, marks, width) {
  let far = walked(way);
  let points = way;
  if (far.at(-1) < width) {
    const [x, y] = [0, 1].map((axis) => way.reduce((sum, one) => sum + one[axis], 0) / way.length);
    points = [
      [x - width / 2, y],
      [x + width / 2, y],
    ];
    far = [0, width];
  }
  const step = far.at(-1) / (marks - 1);
  let at = 0;
  return Array.from({ length: marks }, (_, mark) => {
    const wanted = mark === marks - 1 ? far.at(-1) : mark * step;
    while (at < far.length - 2 && far[at + 1] <= wanted) at++;
    const part = (wanted - far[at]) / (far[at + 1] - far[at] || 1);
    return [0, 1].map(
      (axis) => points[at][axis] + part * (points[at + 1][axis] - points[at][axis]),
    );
  });
}

/** A mark is a Gaussian: one factor for its column and one for its row. */
function press(marks, ink, { size, width, blur }) {
  const factor = (from, place) =>
    Math.exp((from - place - 0.5) ** 2 / (-2 * blur * blur)) / (blur * Math.sqrt(2 * Math.PI));
  for (let at = 1; at < marks.length; at++) {
    const [[x0, y0], [x1, y1]] = [marks[at - 1], marks[at]];
    const [dx, dy] = [x1 - x0, y1 - y0];
    const amount = width * Math.sqrt(dx * dx + dy * dy);
    const columns = Array.from({ length: size }, (_, place) => factor(x0 + dx / 2, place));
    for (let row = 0; row < size; row++) {
      const inRow = amount * factor(y0 + dy / 2, row);
      if (inRow < 1e-12) continue;
      for (let column = 0; column < size; column++) {
        ink[row * size + column] += inRow * columns[column];
      }
    }
  }
}

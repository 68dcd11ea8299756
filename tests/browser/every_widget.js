// What test_every_widget.py asks of a page.
() => {
  const one = document.querySelector(".one");
  const all = (selector) => [...one.querySelectorAll(selector)];
  const control = (name) => all(".ml-control").find((it) => it.dataset.name === name);
  const middle = (it, across = 0.5, down = 0.5) => {
    it.scrollIntoView({ block: "nearest" });
    const box = it.getBoundingClientRect();
    return [box.left + across * box.width, box.top + down * box.height];
  };
  const hits = ([x, y], it) => {
    const found = document.elementFromPoint(x, y);
    return found !== null && (it.contains(found) || found.contains(it));
  };
  const tap = (it) => {
    if (!it?.checkVisibility()) return null;
    const place = middle(it);
    if (!hits(place, it)) throw new Error(`${it.outerHTML} is covered`);
    return [place];
  };
  const grips = (key) =>
    all(".ml-grips path").filter((it) => it.dataset.key === key && it.getAttribute("d"));
  /** One that is alone where it is, if there is one: a click could mean another. */
  const grip = (key, place = 0) => {
    const found = grips(key);
    const others = all(".ml-grips path").filter((it) => it.getAttribute("d"));
    const far = (it) => {
      const [x, y] = middle(it);
      return Math.min(
        ...others
          .filter((other) => other !== it)
          .map((other) => {
            const [u, v] = middle(other);
            return Math.hypot(u - x, v - y);
          }),
      );
    };
    return found.sort((a, b) => far(b) - far(a))[place % found.length];
  };
  const cellOf = (key) => all(".ml-cell").find((it) => it.dataset.panel === key);
  const later = (wait) => new Promise((done) => setTimeout(done, wait));
  const drawn = () =>
    new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  window.reader = {
    places() {
      const whole = one.firstChild.getBoundingClientRect();
      const found = {};
      for (const selector of [".ml-control", ".ml-chip", ".ml-plot", ".ml-paper", ".ml-sentence"])
        for (const [n, it] of all(selector).entries()) {
          if (!it.checkVisibility()) continue;
          const { left, top, right } = it.getBoundingClientRect();
          const panel = it.closest(".ml-cell")?.dataset.panel;
          found[`${selector} ${it.dataset.name ?? panel ?? n}`] = [
            left - whole.left,
            top - whole.top,
            it.matches(".ml-plot") ? 0 : right - whole.left, // another scene may need a wider one
          ];
        }
      return found;
    },
    values() {
      const found = {};
      for (const it of all(".ml-control")) {
        const [input] = it.querySelectorAll("input:checked, input, select");
        const checked = it.querySelector("input:checked");
        if (it.matches(".ml-switch")) found[it.dataset.name] = input.checked;
        else if (it.matches(".ml-choice")) found[it.dataset.name] = (checked ?? input).value;
      }
      return found;
    },
    /** All that was sent after those that are known, once there are more than so many; a range that is let go tells so a little later. */
    async told(number, known) {
      const end = performance.now() + 2000;
      while (sent.length <= number && performance.now() < end) await later(5);
      await later(5);
      await drawn();
      return sent.slice(known);
    },
    /** What was sent after these, when the page has drawn the news. */
    async tell(known, ...news) {
      for (const one of news) tell(one);
      await drawn();
      return sent.slice(known);
    },
    now: () => ({
      places: reader.places(),
      values: reader.values(),
      sentence: one.querySelector(".ml-sentence").textContent,
    }),
    is: (name, selector) => Boolean(control(name)?.querySelector(selector)),
    button: (name, selector) => tap(control(name).querySelector(selector))[0],
    playing: (name) => control(name).querySelector(".ml-play").textContent.includes("Pause"),
    try: (at) => tap(all(".ml-chip")[at]),
    control(name) {
      const it = control(name);
      if (!it) return null;
      const range = it.querySelector("input[type=range]");
      if (range) {
        const part = range.valueAsNumber / range.max;
        // Where the middle of the handle is.
        const at = (share) => {
          const [x, y] = middle(range, 0);
          return [x + 8 + share * (range.clientWidth - 16), y];
        };
        if (!hits(at(part), range)) throw new Error(`${name} is covered`);
        return [at(part), at((part + (part > 0.5 ? 0.1 : 0.8)) / 2), at(part > 0.5 ? 0.1 : 0.8)];
      }
      const button = it.querySelector(".ml-press");
      if (button) return button.getAttribute("aria-disabled") === "true" ? null : tap(button);
      const radio = it.querySelector("input[type=radio]:not(:checked)");
      return tap(radio?.parentNode ?? it.querySelector("label"));
    },
    pad(key, what) {
      const cell = cellOf(key);
      if (what !== "stroke")
        return tap(
          cell &&
            [...cell.querySelectorAll("button")].find(
              (it) => it.textContent.toLowerCase() === what,
            ),
        );
      const paper = cell?.querySelector(".ml-paper");
      return (
        paper &&
        [
          [0.2, 0.2],
          [0.5, 0.7],
          [0.8, 0.3],
        ].map((at) => middle(paper, ...at))
      );
    },
    drag(key) {
      const it = grip(key);
      if (!it) return null;
      const [x, y] = middle(it);
      const box = it.closest("svg").getBoundingClientRect();
      const right = x < box.left + box.width / 2 ? 1 : -1;
      const down = y < box.top + box.height / 2 ? 1 : -1;
      return [0, 20, 50].map((far) => [x + far * right, y + far * down]);
    },
    /** Marks with a point where one of this mark is. */
    near(key) {
      if (!grip(key)) return [];
      const [x, y] = middle(grip(key));
      return all(".ml-grips path")
        .filter((it) => it.getAttribute("d"))
        .filter((it) => {
          const [u, v] = middle(it);
          return Math.hypot(u - x, v - y) < 12;
        })
        .map((it) => it.dataset.key);
    },
    remove: (key) => grip(key) && [middle(grip(key))],
    pick(key, place) {
      const it = grip(key, place);
      return it && [middle(it)];
    },
    click(key) {
      const it = cellOf(key)?.querySelector(".ml-ground");
      if (!it) return null;
      it.scrollIntoView({ block: "nearest" });
      const away = all(".ml-grips path")
        .filter((g) => g.getAttribute("d"))
        .map((g) => middle(g));
      for (const down of [0.3, 0.7, 0.5, 0.15, 0.85])
        for (const across of [0.3, 0.7, 0.5, 0.15, 0.85]) {
          const [x, y] = middle(it, across, down);
          if (away.every(([u, v]) => Math.hypot(u - x, v - y) > 40)) return [[x, y]];
        }
      throw new Error("no empty ground");
    },
    stop() {
      const it = document.activeElement;
      if (!one.contains(it)) return null;
      const of = it.closest(".ml-control");
      const cell = it.closest(".ml-cell");
      const chip = all(".ml-chip").indexOf(it);
      const thing = of
        ? [it.matches(".ml-play") ? "play" : "control", of.dataset.name]
        : chip >= 0
          ? ["try", `${chip}`]
          : it.matches(".ml-ground")
            ? ["click", cell.dataset.panel]
            : it.matches(".ml-grips path")
              ? [it.closest(".ml-drag") ? "drag" : "pick", it.dataset.key]
              : cell
                ? ["pad", cell.dataset.panel, it.textContent.toLowerCase()]
                : [""];
      const name = it.labels?.[0]?.textContent || it.getAttribute("aria-label") || it.textContent;
      const style = getComputedStyle(it.matches(".ml-choice input") ? it.closest("label") : it);
      const ring = style.outlineStyle !== "none" || style.stroke !== "none";
      const [mine, its] = [it, it.closest("svg") ?? it].map((part) => part.getBoundingClientRect());
      const right = mine.left + mine.width / 2 > its.left + its.width / 2;
      return { thing, name, ring, right, at: Number(it.dataset.index) };
    },
    focused: () => one.contains(document.activeElement),
    keys() {
      const it = document.activeElement;
      if (it.type === "range") return [it.value === it.max ? "Home" : "End"];
      if (it.type === "checkbox") return ["Space"];
      if (it.type === "radio") return ["ArrowRight"];
      if (it.matches("select")) return [it.selectedIndex ? "ArrowUp" : "ArrowDown"];
      return it.getAttribute("aria-disabled") === "true" ? [] : ["Enter"];
    },
    whole() {
      const { left, top, width, height } = one.firstChild.getBoundingClientRect();
      return { x: left + scrollX, y: top + scrollY, width, height };
    },
    blank(yes) {
      const style = document.querySelector("#blank") ?? document.createElement("style");
      style.id = "blank";
      style.textContent = `* { -webkit-text-fill-color: transparent !important; }
        text { fill: transparent !important; }`;
      if (yes) document.head.append(style);
      else style.remove();
    },
    /** All that can be read, and where it is in the figure. What is off need not be read. */
    texts() {
      const { left, top } = one.firstChild.getBoundingClientRect();
      const walker = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
      const range = document.createRange();
      const found = [];
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const it = node.parentElement;
        if (!node.data.trim() || it.closest(".ml-said, [aria-disabled=true], option")) continue;
        if (!it.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
        range.selectNodeContents(node);
        const box = range.getBoundingClientRect();
        const size = Number.parseFloat(getComputedStyle(it).fontSize);
        const far = it.closest("svg")?.getScreenCTM().a ?? 1;
        found.push({
          text: node.data,
          size: size * far,
          inside: it.closest("svg, .ml-panel, .ml-live"),
          box: [box.left - left, box.top - top, box.right - left, box.bottom - top],
          at: box,
        });
      }
      return found;
    },
    /** Of each element of a mark the colours that it has, mixed with the page's, and pixels where they are. */
    marks() {
      const whole = one.firstChild.getBoundingClientRect();
      const numbers = (color) => color.match(/[\d.]+/g)?.map(Number);
      const paper = numbers(getComputedStyle(document.body).backgroundColor);
      const area = ["Band", "Heat"];
      // What has the colour of the page parts others, and is not to be seen itself.
      const drawn = (color) => color !== "none" && `${numbers(color)}` !== `${paper}`;
      return all(".ml-picture [data-key]").map((g) => {
        const kind = [...g.classList][0].slice(3);
        const colors = [];
        for (const it of g.querySelectorAll("path, rect")) {
          const style = getComputedStyle(it);
          const box = it.getBBox();
          const opacity = area.includes(kind) ? 1 : Number(g.getAttribute("opacity") ?? 1);
          if (style.visibility === "hidden" || opacity === 0 || !it.getTotalLength()) continue;
          const mixed = (color) =>
            numbers(color)
              .slice(0, 3)
              .map((part, n) => paper[n] + (part - paper[n]) * opacity);
          const pixel = ({ x, y }) => {
            const matrix = it.getScreenCTM();
            const at = new DOMPoint(x, y).matrixTransform(matrix);
            return [2 * (at.x - whole.left), 2 * (at.y - whole.top)];
          };
          const length = it.getTotalLength();
          const around = Array.from({ length: 40 }, (_, n) =>
            pixel(it.getPointAtLength(((n + 0.5) / 40) * length)),
          );
          const inner = Array.from({ length: 9 }, (_, n) => [n % 3, Math.floor(n / 3)])
            .map(
              ([u, v]) =>
                new DOMPoint(box.x + ((u + 1) / 4) * box.width, box.y + ((v + 1) / 4) * box.height),
            )
            .filter((at) => it.isPointInFill(at))
            .map(pixel);
          const own = [];
          if (drawn(style.stroke) && Number.parseFloat(style.strokeWidth))
            own.push([mixed(style.stroke), around]);
          // A tint lies behind what is to be seen.
          if (drawn(style.fill) && inner.length && style.fillOpacity === "1")
            own.push([mixed(style.fill), inner]);
          colors.push(own);
        }
        return { key: g.dataset.key, kind, colors };
      });
    },
    /** What is too small, cut, or out of reach. */
    misfits() {
      const found = [];
      const wide = document.documentElement.scrollWidth;
      if (wide > innerWidth) found.push(`the page is ${wide} wide`);
      for (const { text, size, at, inside } of reader.texts()) {
        if (size < 11) found.push(`${text}: ${size} px`);
        const box = inside.getBoundingClientRect();
        const cut = at.left < box.left - 1 || at.right > box.right + 1 || at.top < box.top - 1;
        if (inside.matches("svg") && (cut || at.bottom > box.bottom + 1))
          found.push(`${text} is cut`);
      }
      const parts =
        "button, select, input, .ml-ground[tabindex], .ml-grips [tabindex='0'], .ml-paper";
      for (const it of all(parts)) {
        if (!it.checkVisibility() || it.getAttribute("d") === "") continue;
        const place = middle(it);
        const box = it.getBoundingClientRect();
        const name = it.getAttribute("aria-label") ?? it.textContent ?? it.id;
        if (box.left < -1 || box.right > innerWidth + 1) found.push(`${name} sticks out`);
        const at = document.elementFromPoint(...place);
        const own = it.closest("label, .ml-plot, .ml-pad") ?? it;
        if (!own.contains(at)) found.push(`${name} is covered by ${at?.outerHTML.slice(0, 80)}`);
      }
      return found;
    },
  };
};

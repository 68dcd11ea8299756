// Finds the places of *draw your own* and of the game, and opens each when it comes near.
const FAILED = "The figure could not be loaded. It is in the notebook, too.";

const figures = new URL("../_figures/", import.meta.url).href;
const kinds = {
  draw: () => import("./draw_your_own.js"),
  game: () => import("./game.js"),
};

/** Styles of the kit, which recorded figures may have brought. */
function styled() {
  if (document.querySelector('link[href*="_figures/kit.css"]')) return null;
  const link = document.createElement("link");
  const done = new Promise((loaded, failed) => {
    Object.assign(link, { onload: loaded, onerror: failed });
  });
  document.head.append(Object.assign(link, { rel: "stylesheet", href: `${figures}kit.css` }));
  return done;
}

async function open(figure) {
  const place = figure.querySelector(".ml-place");
  try {
    const [kind] = await Promise.all([kinds[figure.dataset.play](), styled()]);
    await kind.open(place, `${figures}drawing/`);
    figure.classList.add("ml-drawn");
  } catch (error) {
    place.append(Object.assign(document.createElement("p"), { textContent: FAILED }));
    throw error;
  }
}

const near = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      open(target);
    }
  },
  { rootMargin: "400px" },
);
for (const place of document.querySelectorAll("[data-play]")) near.observe(place);

// Recorded figures. Each is fetched when it comes near the window; the kit of all of them, once.

const NEAR = "300px 0px";
const FAILED = "The figure could not be loaded. It is in the notebook, too.";

const file = (name) => new URL(`../_figures/${name}`, import.meta.url);

function styled(address) {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: address });
  const done = new Promise((loaded, failed) => {
    link.onload = loaded;
    link.onerror = () => failed(new Error(`no ${address}`));
  });
  document.head.append(link);
  return done;
}

let loading;
/** The kit, once it can draw. */
function kit() {
  loading ??= Promise.all([import(file("kit.js")), styled(file("kit.css"))]).then(([it]) => it);
  return loading;
}

async function content(name) {
  const answer = await fetch(file(`${name}.json`));
  if (!answer.ok) throw new Error(`${answer.status} for ${answer.url}`);
  return answer.json();
}

async function draw(figure) {
  const place = figure.querySelector(".ml-place");
  try {
    const [{ recorded }, all] = await Promise.all([kit(), content(figure.dataset.figure)]);
    recorded(all, place);
    figure.classList.add("ml-drawn");
  } catch (error) {
    place.append(Object.assign(document.createElement("p"), { textContent: FAILED }));
    throw error;
  }
}

const watch = new IntersectionObserver(
  (seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      watch.unobserve(target);
      draw(target);
    }
  },
  { rootMargin: NEAR },
);
for (const figure of document.querySelectorAll(".ml-figure[data-figure]")) watch.observe(figure);

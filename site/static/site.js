// What the pages do: search, and opening what is folded when one is led into it or prints it.

function unfold(element) {
  for (let each = element; each; each = each.parentElement) {
    if (each.tagName === "DETAILS") each.open = true;
  }
}

function follow() {
  const id = decodeURIComponent(location.hash.slice(1));
  const target = document.getElementById(id);
  if (!target?.closest("details:not([open])")) return;
  unfold(target);
  target.scrollIntoView();
}

addEventListener("hashchange", follow);
follow();

// On paper nothing unfolds. Hints and the replies of a quiz stay where they are.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll(".ml-bonus:not([open]), .ml-still details:not([open])")];
  for (const each of folded) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of folded) each.open = false;
});

// Search: what is looked for stands in the address.
const place = document.getElementById("results");
if (place) {
  const root = new URL(document.documentElement.dataset.content_root, location.href);
  const styles = document.createElement("link");
  styles.rel = "stylesheet";
  styles.href = new URL("pagefind/pagefind-ui.css", root);
  document.head.append(styles);
  const script = document.createElement("script");
  script.src = new URL("pagefind/pagefind-ui.js", root);
  script.addEventListener("load", () => {
    const search = new PagefindUI({
      element: place,
      showImages: false,
      showSubResults: true,
      pageSize: 10,
      autofocus: true,
      resetStyles: false,
    });
    place.querySelector("input").setAttribute("aria-label", "Search the course");
    const asked = new URLSearchParams(location.search).get("q");
    if (asked) search.triggerSearch(asked);
  });
  document.head.append(script);
}

// The learner of the front page takes its steps once, by itself, for whoever does not mind motion.
const hero = document.querySelector(".ml-hero .ml-figure");
if (hero && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
  const watch = new MutationObserver(() => {
    const play = [...hero.querySelectorAll("button")].find((it) => it.textContent.includes("Play"));
    if (!play) return;
    watch.disconnect();
    play.click();
  });
  watch.observe(hero, { childList: true, subtree: true });
}

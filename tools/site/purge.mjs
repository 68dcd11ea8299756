// Takes out of the site's style sheets what no page and no script of it uses, and the fonts that
// are not in it: a browser that lays a page out before all its styles are there asks for them.
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PurgeCSS } from "../../node_modules/purgecss/lib/purgecss.js";

const site = process.argv[2];
const sheets = await new PurgeCSS().purge({
  content: [`${site}/**/*.html`, `${site}/_static/**/*.js`, `${site}/_figures/**/*.js`],
  css: [`${site}/_static/**/*.css`],
  safelist: [/^pagefind/, /^pst-/, /^show/, /^collaps/, /data-theme/, /data-mode/],
});
for (const { file, css } of sheets) writeFileSync(file, withFontsOf(dirname(file), css));

function withFontsOf(folder, css) {
  return css.replace(/@font-face\s*\{[^}]*\}/g, (face) => {
    const there = [];
    const all = /src:([^;}]*)/.exec(face)[1];
    for (const source of all.split(","))
      if (existsSync(join(folder, /url\(["']?([^"')]*)/.exec(source)[1]))) there.push(source);
    return there.length ? face.replace(all, there.join(",")) : "";
  });
}

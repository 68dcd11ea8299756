// Takes out of the site's style sheets what no page and no script of it uses.
import { writeFileSync } from "node:fs";
import { PurgeCSS } from "../../node_modules/purgecss/lib/purgecss.js";

const site = process.argv[2];
const sheets = await new PurgeCSS().purge({
  content: [`${site}/**/*.html`, `${site}/_static/**/*.js`, `${site}/_figures/**/*.js`],
  css: [`${site}/_static/**/*.css`],
  safelist: [/^pagefind/, /^pst-/, /^show/, /^collaps/, /data-theme/, /data-mode/],
});
for (const { file, css } of sheets) writeFileSync(file, css);

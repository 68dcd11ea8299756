// One formula a line comes in as JSON, its HTML goes out as JSON.
import { createInterface } from "node:readline";
import katex from "../../node_modules/katex/dist/katex.mjs";

for await (const line of createInterface({ input: process.stdin })) {
  const [formula, displayMode] = JSON.parse(line);
  let html;
  try {
    html = katex.renderToString(formula, { displayMode, strict: "error" });
  } catch (error) {
    html = { error: error.message };
  }
  process.stdout.write(`${JSON.stringify(html)}\n`);
}

// About: what the indexes hold, under which licences, when built; the model and its terms.

import { ask, found, made, say } from "./api.js";
import "./optout.js";

function chart(name, counts) {
  const entries = Object.entries(counts).sort((a, b) => b[1] - a[1]).slice(0, 20);
  const most = Math.max(1, ...entries.map(([, count]) => count));
  const svg = "http://www.w3.org/2000/svg";
  return made("table", {}, made("caption", {}, name), made("tbody", {}, ...entries.map(([key, count]) => {
    const bar = document.createElementNS(svg, "svg"), rect = document.createElementNS(svg, "rect");
    bar.setAttribute("class", "bar"); bar.setAttribute("width", "200"); bar.setAttribute("height", "11");
    bar.setAttribute("aria-hidden", "true");
    rect.setAttribute("width", String(Math.max(1, 200 * count / most))); rect.setAttribute("height", "11");
    bar.append(rect);
    return made("tr", {}, made("th", { scope: "row" }, key), made("td", {}, count.toLocaleString("en")), made("td", {}, bar));
  })));
}

try {
  const stats = await ask("/api/v1/stats");
  for (const index of stats.indexes) {
    found("indexes").append(made("section", { "aria-label": `Index ${index.id}` },
      made("h2", {}, `Index ${index.id.slice(0, 8)}`),
      made("p", {}, `${index.documents.toLocaleString("en")} files, ${(index.bytes / 1e6).toFixed(1)} MB, in `
        + `${index.packages.toLocaleString("en")} packages; generation ${index.generation}, built ${index.built}. `
        + `Every passage of ${index.guarantee_bytes} bytes or more (white space not counted) is found.`),
      made("p", {}, `Sources: ${index.sources.join(", ")}. ${index.license_filter ? `It holds only ${index.license_filter}.` : ""}`),
      chart("Files by licence", index.licenses), chart("Files by kind of licence", index.categories),
      chart("Places by language", index.languages)));
  }
  const model = stats.model;
  found("model").append(made("p", {}, model ? `${model.name}, licence ${model.license || "not known"}.` : "This server has none."));
  if (model && model.restrictions.length) found("model").append(made("ul", {}, ...model.restrictions.map((one) => made("li", {}, one))));
} catch (error) {
  say(error.message);
}

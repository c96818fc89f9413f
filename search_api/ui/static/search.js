// Search: hits with their lines, terms marked; facets over the hits shown.

import { ask, found, made, say } from "./api.js";

const PAGE = 20;
let hits = [], asked = "";

function drawn(hit, number) {
  const points = Array.from(hit.snippet), lines = made("pre", { class: "code", tabindex: "0", role: "region", "aria-label": `Hit ${number + 1}` });
  let at = 0;
  for (const [start, end] of hit.terms) {
    lines.append(points.slice(at, start).join(""), made("span", { class: "word" }, points.slice(start, end).join("")));
    at = end;
  }
  lines.append(points.slice(at).join(""));
  return made("li", {}, made("a", { href: `/documents/${hit.swhid}#L${hit.start_line}-L${hit.end_line}` }, hit.path),
    ` ${hit.purl || hit.repository || ""}, licence ${hit.license}, ${hit.language || "no language"}`, lines);
}

function facets(id, key, field) {
  const counts = new Map();
  for (const hit of hits) counts.set(hit[key] || "none", (counts.get(hit[key] || "none") || 0) + 1);
  const entries = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  found(id).replaceChildren(...entries.map(([name, count]) => made("li", {},
    made("button", { type: "button", onclick: () => {
      found("query").value = `${asked} ${field}:"${name}"`;
      look();
    } }, `${name} (${count})`))));
}

async function look(offset = 0) {
  if (!offset) { asked = found("query").value; hits = []; }
  say("Searching...");
  try {
    const answer = await ask("/api/v1/search", { query: asked, limit: PAGE, offset });
    hits.push(...answer.hits);
    found("hits").replaceChildren(...hits.map(drawn));
    facets("languages", "language", "language");
    facets("licenses", "license", "license");
    found("more").hidden = answer.hits.length < PAGE;
    say(`${answer.total}${answer.total_capped ? " or more" : ""} files.`);
    history.replaceState(null, "", `?q=${encodeURIComponent(asked)}`);
  } catch (error) {
    say(error.message);
  }
}

found("form").addEventListener("submit", (event) => { event.preventDefault(); look(); });
found("more").addEventListener("click", () => look(hits.length));
const given = new URLSearchParams(location.search).get("q");
if (given) { found("query").value = given; look(); }

// Search: hits with their lines, terms marked; facets over all hits that were counted; the near-duplicates of a file.

import { ask, found, made, say } from "./api.js";

const PAGE = 20, FACETS = 25;
let hits = [], asked = "";

function place(hit, lines) {
  return [made("a", { href: `/documents/${hit.swhid}#L${lines.start_line}-L${lines.end_line}` }, hit.path),
    ` ${hit.purl || hit.repository || ""}, licence ${hit.license}, ${hit.language || "no language"}`];
}

function drawn(hit, number) {
  const points = Array.from(hit.snippet || ""), lines = made("pre", { class: "code", tabindex: "0", role: "region", "aria-label": `Hit ${number + 1}` });
  let at = 0;
  for (const [start, end] of hit.snippet === undefined ? [] : hit.terms) {
    lines.append(points.slice(at, start).join(""), made("span", { class: "word" }, points.slice(start, end).join("")));
    at = end;
  }
  lines.append(points.slice(at).join(""));
  return made("li", {}, ...place(hit, hit), " ", like(hit), ...(points.length ? [lines] : []));
}

function like(hit) {
  return made("a", { href: `?like=${encodeURIComponent(hit.swhid)}`, "aria-label": `Near-duplicates of ${hit.path}` }, "near-duplicates");
}

function facets(id, field, counts, capped) {
  const entries = Object.entries(counts), names = entries.slice(0, FACETS);
  found(id).replaceChildren(...names.map(([name, count]) => {
    const words = `${name} (${capped ? "at least " : ""}${count.toLocaleString("en")})`, filter = `${field}:"${name}"`;
    if (asked.includes(filter)) return made("li", {}, `${words}, chosen`);
    return made("li", {}, made("button", { type: "button", onclick: () => {
      found("query").value = `${asked} ${filter}`;
      look();
    } }, words));
  }), ...(entries.length > FACETS ? [made("li", {}, `and ${entries.length - FACETS} more`)] : []));
}

async function look(offset = 0, kept = false) {
  if (!offset) { asked = found("query").value; hits = []; }
  say("Searching...");
  try {
    const answer = await ask("/api/v1/search", { query: asked, limit: PAGE, offset, ...(offset ? {} : { facets: true }) });
    hits.push(...answer.hits);
    found("hits").replaceChildren(...hits.map(drawn));
    if (!offset) {
      facets("languages", "language", answer.facets.languages, answer.total_capped);
      facets("licenses", "license", answer.facets.licenses, answer.total_capped);
    }
    found("more").hidden = answer.hits.length < PAGE;
    say(`${answer.total_capped ? "At least " : ""}${answer.total.toLocaleString("en")} files.`);
    if (!kept && !offset) history.pushState(null, "", `?q=${encodeURIComponent(asked)}`);
  } catch (error) {
    say(error.message);
  }
}

async function alike(swhid) {
  for (const id of ["hits", "languages", "licenses"]) found(id).replaceChildren();
  found("more").hidden = true;
  say("Looking for near-duplicates...");
  try {
    const { origins: [itself] } = await ask(`/api/v1/documents/${swhid}?start_line=1&end_line=1`);
    const answer = await ask(`/api/v1/documents/${swhid}/similar`);
    found("hits").replaceChildren(...answer.hits.map((hit) => made("li", {}, ...place(hit, hit),
      `: ${Math.floor(100 * hit.similarity)} % of its words in a row are the same, in ${hit.origins.toLocaleString("en")} place${hit.origins === 1 ? "" : "s"} `, like(hit))));
    say(`${answer.hits.length} files that are nearly ${itself ? itself.path : swhid}, the most similar first.`);
  } catch (error) {
    say(error.message);
  }
}

// What the address asks for; Back and Forward come here, too.
function arrive() {
  const given = new URLSearchParams(location.search);
  found("query").value = given.get("q") || "";
  if (given.get("like")) alike(given.get("like"));
  else if (given.get("q")) look(0, true);
}

found("form").addEventListener("submit", (event) => { event.preventDefault(); look(); });
found("more").addEventListener("click", () => look(hits.length));
window.addEventListener("popstate", arrive);
arrive();

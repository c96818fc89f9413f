// Passages for people: a text with its passages marked, and a card for each of them.
// In: a text, the matches of a Report. Out: elements. It refuses to know where the Report came from.

import { address, ask, made } from "./api.js";
import { aligned } from "./sides.js";

// Offsets are code points; JavaScript counts UTF-16 units.
export function marked(target, text, matches, offset = 0) {
  const points = Array.from(text);
  const outer = matches.filter((match) => !match.within && match.end > offset);
  outer.sort((a, b) => a.start - b.start || b.end - a.end);
  target.replaceChildren();
  let at = 0;
  outer.forEach((match, number) => {
    const start = Math.max(at, match.start - offset), end = match.end - offset;
    if (end <= start) return;
    target.append(points.slice(at, start).join(""));
    target.append(made("mark", { class: match.outcome, title: summary(match), onclick: () => show(match.id) },
      points.slice(start, end).join(""), made("button", { type: "button", class: "ref", "aria-label": `Passage ${number + 1}: to its card` }, `${number + 1}`)));
    at = end;
  });
  target.append(points.slice(at).join(""));
}

function show(id) {
  const card = document.getElementById(`card-${id}`);
  if (card) { card.scrollIntoView({ block: "nearest" }); card.focus(); }
}

function summary(match) {
  const similar = match.similarity === null ? "" : `, ${Math.round(match.similarity * 100)} % of the tokens agree`;
  return `${match.kind}, ${match.bytes} bytes${similar}: ${Object.keys(match.licenses).join(", ")}`;
}

const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

export function cards(target, matches, text, without) {
  const outer = matches.filter((match) => !match.within).sort((a, b) => a.start - b.start || b.end - a.end);
  target.replaceChildren();
  if (!outer.length) {
    target.append(made("p", { class: "hint" }, "No passage of this text stands in the index."));
    return;
  }
  const rare = outer.filter((match) => !match.common), common = outer.filter((match) => match.common);
  for (const match of rare) target.append(card(match, outer.indexOf(match) + 1, text, without));
  if (common.length) {
    const folded = made("details", {}, made("summary", {}, plural(common.length, "common passage")));
    for (const match of common) folded.append(card(match, outer.indexOf(match) + 1, text, without));
    target.append(folded);
  }
}

export function card(match, number, text, without) {
  const more = match.documents_capped ? " or more" : "";
  const where = `in ${plural(match.documents, "file")}${more} of ${plural(match.projects, "project")}`;
  const made_of = made("article", { class: `card ${match.outcome}`, id: `card-${match.id}`, tabindex: "-1" },
    made("h3", {}, `${number}. lines ${match.start_line}-${match.end_line}: ${summary(match)}`),
    made("p", {}, `${where}. Verdict: ${match.outcome}.${match.marks.length ? ` Marks: ${match.marks.join(", ")}.` : ""}`));
  const list = made("ul");
  for (const source of match.sources) list.append(entry(source, match, text, number));
  made_of.append(list);
  if (without) made_of.append(made("button", { type: "button", onclick: () => without(match) }, "Regenerate without this passage"));
  return made_of;
}

function entry(source, match, text, number) {
  const place = address(source);
  const name = `${source.path}:${source.start_line}-${source.end_line}`;
  const item = made("li", {}, place ? made("a", { href: place, rel: "noreferrer" }, name) : name, " ",
    made("span", {}, `${source.purl || source.repository || ""} ${source.released ? `released ${source.released}` : ""}`));
  item.append(made("br"), `Licence ${source.license} (${source.category})`);
  if (source.obligations.length) item.append(`; it asks for: ${source.obligations.join(", ")}`);
  if (source.conflict) {
    const other = source.license_evidence.map((one) => `${one.kind} says ${one.expression}`).join("; ");
    item.append(made("br"), made("span", { class: "conflict" }, `The evidence disagrees: ${other}`));
  }
  const copied = made("span", { role: "status" });
  const copy = (what, words) => made("button", { type: "button", onclick: async () => {
    await navigator.clipboard.writeText(what());
    copied.textContent = " copied";
  } }, words);
  const sides = made("div");
  item.append(made("p", { class: "row" },
    made("button", { type: "button", "aria-expanded": "false", onclick: (event) => both(event.target, sides, source, match, text, number) },
      "Both sides"),
    made("a", { href: `/documents/${source.swhid}#L${source.start_line}-L${source.end_line}` }, "The file"),
    copy(() => attribution(source), "Copy attribution"), copy(() => snippet(source), "Copy REUSE snippet"), copied), sides);
  return item;
}

export function attribution(source) {
  const owners = source.copyright.length ? `${source.copyright.join("\n")}\n` : "";
  return `${source.path} (lines ${source.start_line}-${source.end_line}) of ${source.purl || source.repository || source.url}\n`
    + `${owners}Licence: ${source.license}\n`;
}

export function snippet(source) {
  const owners = source.copyright.map((line) => `# SPDX-SnippetCopyrightText: ${line.replace(/^\W+/, "")}`);
  return ["# SPDX-SnippetBegin", `# SPDX-License-Identifier: ${source.license}`, ...owners,
    `# From ${source.path} of ${source.purl || source.repository || source.url}`, "", "# SPDX-SnippetEnd", ""].join("\n");
}

async function both(button, target, source, match, text, number) {
  const open = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!open));
  target.replaceChildren();
  if (open) return;
  const own = Array.from(text).slice(match.start, match.end).join("");
  const place = match.kind === "near" ? `?start_line=${source.start_line}&end_line=${source.end_line}` : "";
  try {
    const page = await ask(`/api/v1/documents/${source.swhid}${place}`, place ? undefined : { passage: own });
    target.append(page.parts.length ? aligned(own, match.start_line, page.parts, `passage ${number}, ${source.path}`)
      : made("p", {}, "The policy of this server does not show the source."));
  } catch (error) {
    target.append(made("p", {}, error.message));
  }
}

// Two sides, line by line: a passage here, and where it stands there.
// In: a text, the parts of a Document. Out: a table; lines that differ in more than white space are marked by
// a word for screen readers and by a border, not by colour alone. It refuses to know where either comes from.

import { made } from "./api.js";

const LINES = 1000; // Beyond so many on a side, lines are paired in their order.
const bare = (line) => line.replace(/[\t\n\v\f\r ]/g, "");

// A line of a part, in the pieces that the server coloured.
export function pieces(part, number, line) {
  const coloured = part.highlighted && part.highlighted[number];
  return coloured ? coloured.map(([name, text]) => (name ? made("span", { class: name }, text) : text)) : [line];
}

// Pairs of indices, those of equal lines by a longest common subsequence; null where a side has no line.
export function paired(own, theirs) {
  const pairs = [];
  if (own.length > LINES || theirs.length > LINES) {
    for (let i = 0; i < Math.max(own.length, theirs.length); i += 1) pairs.push([i < own.length ? i : null, i < theirs.length ? i : null]);
    return pairs;
  }
  const width = theirs.length + 1, best = new Uint16Array((own.length + 1) * width);
  for (let i = own.length - 1; i >= 0; i -= 1) {
    for (let k = theirs.length - 1; k >= 0; k -= 1) {
      best[i * width + k] = own[i] === theirs[k] ? best[(i + 1) * width + k + 1] + 1
        : Math.max(best[(i + 1) * width + k], best[i * width + k + 1]);
    }
  }
  let i = 0, k = 0, left = [], right = [];
  const flush = () => {
    for (let n = 0; n < Math.max(left.length, right.length); n += 1) pairs.push([left[n] ?? null, right[n] ?? null]);
    left = []; right = [];
  };
  while (i < own.length && k < theirs.length) {
    if (own[i] === theirs[k]) { flush(); pairs.push([i, k]); i += 1; k += 1; }
    else if (best[(i + 1) * width + k] >= best[i * width + k + 1]) { left.push(i); i += 1; }
    else { right.push(k); k += 1; }
  }
  while (i < own.length) { left.push(i); i += 1; }
  while (k < theirs.length) { right.push(k); k += 1; }
  flush();
  return pairs;
}

export function aligned(text, first, parts, name) {
  const own = text.split("\n"), theirs = [];
  for (const part of parts) {
    part.text.replace(/\n$/, "").split("\n").forEach((line, number) => {
      theirs.push({ line, number: part.start_line + number, shown: () => pieces(part, number, line) });
    });
  }
  const cell = (number, content) => made("td", {}, made("span", { class: "no" }, `${String(number).padStart(4)}  `), ...content);
  const rows = paired(own.map(bare), theirs.map((each) => bare(each.line))).map(([here, there]) => {
    const same = here !== null && there !== null && bare(own[here]) === bare(theirs[there].line);
    return made("tr", same ? {} : { class: "differs", "aria-label": "these lines differ" },
      here === null ? made("td") : cell(first + here, [own[here]]),
      there === null ? made("td") : cell(theirs[there].number, theirs[there].shown()));
  });
  return made("table", { class: "sides" }, made("caption", {}, `Line by line: ${name}`),
    made("thead", {}, made("tr", {}, made("th", { scope: "col" }, "This text"), made("th", { scope: "col" }, "The source"))),
    made("tbody", {}, ...rows));
}

// One Document: where it was seen, and of its text what the policy shows; #L10-L20 in the address marks lines.

import { address, ask, found, made, say } from "./api.js";
import { pieces } from "./sides.js";

const WINDOW = 2000; // Lines that are asked for at once.
const swhid = found("swhid").dataset.swhid, shown = found("shown");
let whole = 0, top = 1, bottom = 0;

function wanted() {
  const found_in = /^#L(\d+)(?:-L(\d+))?$/.exec(location.hash);
  if (!found_in) return [0, 0];
  const [first, last] = [Number(found_in[1]), Number(found_in[2] || found_in[1])];
  return first <= last ? [first, last] : [last, first];
}

function drawn(part) {
  const lines = part.text.replace(/\n$/, "").split("\n");
  return lines.map((line, number) => {
    const at = part.start_line + number;
    return made("span", { class: "line", id: `L${at}` }, made("span", { class: "no", "data-line": String(at) }, String(at).padStart(5), "  "), ...pieces(part, number, line), "\n");
  });
}

async function lines(first, last) {
  const page = await ask(`/api/v1/documents/${swhid}?start_line=${first}&end_line=${last}`);
  whole = page.lines;
  return page;
}

// The lines that the address names are marked, and brought here if they are not yet.
async function mark() {
  const [first, last] = wanted();
  if (first && first <= whole && (first < top || first > bottom)) await begin(first);
  for (const line of shown.querySelectorAll(".line")) {
    const at = Number(line.id.slice(1));
    line.classList.toggle("chosen", at >= first && at <= last);
    line.toggleAttribute("aria-current", at >= first && at <= last);
  }
  found("lines").value = first ? `${first}-${last}` : "";
  document.getElementById(`L${first}`)?.scrollIntoView({ block: "center" });
}

async function begin(first) {
  top = Math.max(1, first - WINDOW / 2);
  bottom = top + WINDOW - 1;
  const page = await lines(top, bottom);
  shown.replaceChildren(...page.parts.flatMap(drawn));
  buttons();
  return page;
}

function buttons() {
  bottom = Math.min(bottom, whole);
  found("earlier").hidden = top <= 1 || !shown.childElementCount;
  found("later").hidden = bottom >= whole || !shown.childElementCount;
}

async function more(first, last, place) {
  const page = await lines(first, last);
  shown[place](...page.parts.flatMap(drawn));
  top = Math.min(top, first);
  bottom = Math.max(bottom, last);
  buttons();
  mark();
}

found("earlier").addEventListener("click", () => more(Math.max(1, top - WINDOW), top - 1, "prepend"));
found("later").addEventListener("click", () => more(bottom + 1, bottom + WINDOW, "append"));
window.addEventListener("hashchange", mark);
// A number is a link to its line; with Shift, to all from the one chosen before.
shown.addEventListener("click", (event) => {
  const at = Number(event.target.dataset.line), [first] = wanted();
  if (at) location.hash = event.shiftKey && first ? `L${Math.min(first, at)}-L${Math.max(first, at)}` : `L${at}`;
});
found("go").addEventListener("submit", (event) => {
  event.preventDefault();
  const asked = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(found("lines").value);
  if (asked) location.hash = asked[2] ? `L${asked[1]}-L${asked[2]}` : `L${asked[1]}`;
  else say("Write a line, or two like 10-20.");
});

try {
  const page = await begin(wanted()[0]);
  say(`${page.bytes.toLocaleString("en")} bytes, ${whole.toLocaleString("en")} lines, seen in ${page.origins_total} places.`);
  found("origins").replaceChildren(...page.origins.map((origin) => {
    const place = address(origin);
    return made("li", {}, place ? made("a", { href: place, rel: "noreferrer" }, origin.path) : origin.path,
      ` ${origin.purl || origin.repository || origin.url || ""}, licence ${origin.license}${origin.conflict ? " (the evidence disagrees)" : ""}`);
  }));
  if (!page.parts.length) {
    found("go").hidden = true;
    const [first, last] = wanted();
    shown.append(`The policy of this server does not show whole files.${first ? ` The address names the lines ${first} to ${last}.` : ""}`);
  }
  await mark();
} catch (error) {
  say(error.message);
}

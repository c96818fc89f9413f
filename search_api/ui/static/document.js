// One Document: where it was seen, and of its text what the policy shows; #L10-L20 marks lines.

import { address, ask, found, made, say } from "./api.js";
import { pieces } from "./sides.js";

const swhid = found("swhid").dataset.swhid;
const wanted = /^#L(\d+)(?:-L(\d+))?$/.exec(location.hash);
const [first, last] = wanted ? [Number(wanted[1]), Number(wanted[2] || wanted[1])] : [0, 0];

try {
  const page = await ask(`/api/v1/documents/${swhid}`);
  say(`${page.bytes} bytes, ${page.lines} lines, seen in ${page.origins_total} places.`);
  found("origins").replaceChildren(...page.origins.map((origin) => {
    const place = address(origin);
    return made("li", {}, place ? made("a", { href: place, rel: "noreferrer" }, origin.path) : origin.path,
      ` ${origin.purl || origin.repository || origin.url || ""}, licence ${origin.license}${origin.conflict ? " (the evidence disagrees)" : ""}`);
  }));
  const shown = found("shown");
  if (!page.parts.length) shown.append("The policy of this server does not show whole files.");
  for (const part of page.parts) {
    part.text.split("\n").forEach((line, number) => {
      const at = part.start_line + number;
      const inside = at >= first && at <= last;
      shown.append(made(inside ? "mark" : "span", { id: `L${at}` }, `${String(at).padStart(5)}  `, ...pieces(part, number, line), "\n"));
    });
  }
  if (first) document.getElementById(`L${first}`)?.scrollIntoView({ block: "center" });
} catch (error) {
  say(error.message);
}

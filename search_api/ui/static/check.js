// Check: files, a folder, an archive or what was pasted; a table of what stands in them, filters, downloads.

import { ask, download, found, made, say } from "./api.js";
import { dropped, listed, opened } from "./files.js";
import { cards, marked } from "./passages.js";

const MOST = Number(found("drop").dataset.most); // Bytes of a request that the server takes.
const TOGETHER = Math.min(1 << 20, MOST / 4), FILES = 100;
let checked = [], skipped = [], run = 0;

// All of these, in their order; what comes while they are being checked takes their place.
async function check(entries) {
  const mine = run += 1;
  checked = [];
  skipped = [];
  draw();
  let texts = [], size = 0;
  const flush = async () => {
    const sent = texts;
    texts = [];
    size = 0;
    if (sent.length && mine === run) await together(sent);
  };
  for (const [number, { path, file, text, skipped: why, detail }] of entries.entries()) {
    if (mine !== run) return;
    say(`Checking ${number + 1} of ${entries.length}: ${path}`);
    const held = text !== undefined ? { text } : why ? { skipped: why, detail } : await opened(file, MOST);
    if (held.skipped) skipped.push({ path, reason: held.skipped, detail: held.detail || "" });
    else if (held.archive) {
      await flush();
      if (mine === run) await unpacked(path, held.archive);
    } else {
      if (size + held.text.length > TOGETHER || texts.length >= FILES) await flush();
      texts.push({ path, text: held.text });
      size += held.text.length;
    }
  }
  await flush();
  if (mine !== run) return;
  draw();
  say(`${checked.length} checked${skipped.length ? `, ${skipped.length} not checked: see below the table` : ""}.`);
}

async function together(files) {
  try {
    const { reports } = await ask("/api/v1/check/batch", { texts: files });
    reports.forEach(({ path, problem, ...report }, number) => {
      if (problem) skipped.push({ path, reason: "refused", detail: problem.detail });
      else checked.push({ ...files[number], report });
    });
  } catch (error) {
    for (const { path } of files) skipped.push({ path, reason: "refused", detail: error.message });
  }
  draw();
}

async function unpacked(name, bytes) {
  try {
    const answer = await ask(`/api/v1/check/archive?texts=true&name=${encodeURIComponent(name)}`, bytes);
    for (const { path, content, ...report } of answer.reports) checked.push({ path: `${name}/${path}`, text: content, report });
    for (const item of answer.skipped) skipped.push({ ...item, path: `${name}/${item.path}` });
  } catch (error) {
    skipped.push({ path: name, reason: "refused", detail: error.message });
  }
  draw();
}

function draw() {
  const names = new Set(checked.flatMap((file) => file.report.matches.flatMap((match) => Object.keys(match.licenses))));
  const held = found("license").value;
  found("license").replaceChildren(made("option", { value: "" }, "all"), ...[...names].sort().map((name) => made("option", {}, name)));
  if (names.has(held)) found("license").value = held;
  for (const id of ["report", "notice", "spdx", "sarif"]) found(id).disabled = !checked.length;
  found("skipped").hidden = !skipped.length;
  found("skipped").querySelector("summary").textContent = `${skipped.length} not checked`;
  found("skipped").querySelector("ul").replaceChildren(...skipped.map(({ path, reason, detail }) => made("li", {}, `${path}: ${reason}${detail ? ` (${detail})` : ""}`)));
  rows();
}

function rows() {
  const [verdict, kind, license] = ["verdict", "kind", "license"].map((id) => found(id).value);
  const shown = [];
  for (const file of checked) {
    const matches = file.report.matches.filter((match) => (!kind || match.kind === kind) && (!license || license in match.licenses));
    if ((verdict && file.report.verdict.outcome !== verdict) || ((kind || license) && !matches.length)) continue;
    const names = [...new Set(matches.flatMap((match) => Object.keys(match.licenses)))].sort();
    shown.push(made("tr", {},
      made("th", { scope: "row" }, made("button", { type: "button", onclick: () => one(file) }, file.path)),
      made("td", {}, String(matches.length)), made("td", {}, `${Math.max(0, ...matches.map((match) => match.bytes))} bytes`),
      made("td", {}, names.join(", ")), made("td", {}, file.report.verdict.outcome)));
  }
  found("rows").replaceChildren(...shown);
  found("count").textContent = checked.length ? `${shown.length} of ${checked.length} files` : "";
}

function one(file) {
  marked(found("shown"), file.text, file.report.matches);
  cards(found("cards"), file.report.matches, file.text);
  found("shown").focus();
}

for (const id of ["files", "folder"]) found(id).addEventListener("change", (event) => check(listed(event.target.files)));
for (const id of ["verdict", "kind", "license"]) found(id).addEventListener("change", rows);
found("drop").addEventListener("dragover", (event) => event.preventDefault());
found("drop").addEventListener("drop", async (event) => {
  event.preventDefault();
  say("Reading...");
  check(await dropped(event.dataTransfer));
});
found("go").addEventListener("click", async () => {
  await check([{ path: "pasted", text: found("pasted").value }]);
  if (checked.length) one(checked[0]);
});
found("report").addEventListener("click", () => {
  download("codecite-reports.json", "application/json",
    JSON.stringify(checked.map((file) => ({ path: file.path, ...file.report })), null, 1));
});

// What the server writes of all files that were checked, whatever the filters show.
function written(id, path, form, name, type) {
  found(id).addEventListener("click", async () => {
    say(`Writing ${name}...`);
    try {
      const files = checked.map((file) => ({ path: file.path, text: file.text }));
      const answer = await ask(path, { files, format: form });
      download(name, type, typeof answer === "string" ? answer : JSON.stringify(answer, null, 1));
      say(`${name} is written.`);
    } catch (error) {
      say(error.message);
    }
  });
}

written("notice", "/api/v1/notice", "text", "NOTICE.txt", "text/plain");
written("spdx", "/api/v1/scan", "spdx", "codecite.spdx.json", "application/spdx+json");
written("sarif", "/api/v1/scan", "sarif", "codecite.sarif", "application/sarif+json");

// Check: files, a folder or what was pasted; a table of what stands in them, filters, downloads.

import { ask, download, found, made, say } from "./api.js";
import { cards, marked } from "./passages.js";

let checked = [];

async function check(files) {
  checked = [];
  found("rows").replaceChildren();
  let failed = 0;
  for (const [number, file] of files.entries()) {
    say(`Checking ${number + 1} of ${files.length}: ${file.path}`);
    try {
      checked.push({ ...file, report: await ask("/api/v1/check", { text: file.text, path: file.path }) });
    } catch (error) {
      failed += 1;
      say(`${file.path}: ${error.message}`);
    }
  }
  const names = new Set(checked.flatMap((file) => file.report.matches.flatMap((match) => Object.keys(match.licenses))));
  found("license").replaceChildren(made("option", { value: "" }, "all"), ...[...names].sort().map((name) => made("option", {}, name)));
  found("report").disabled = found("notice").disabled = !checked.length;
  if (!failed) say(`${checked.length} checked.`);
  rows();
}

function rows() {
  const [verdict, kind, license] = ["verdict", "kind", "license"].map((id) => found(id).value);
  found("rows").replaceChildren();
  for (const file of checked) {
    const matches = file.report.matches.filter((match) => (!kind || match.kind === kind)
      && (!license || license in match.licenses) && (!verdict || match.outcome === verdict));
    if ((verdict || kind || license) && !matches.length) continue;
    const names = [...new Set(matches.flatMap((match) => Object.keys(match.licenses)))].sort();
    found("rows").append(made("tr", {},
      made("th", { scope: "row" }, made("button", { type: "button", onclick: () => one(file) }, file.path)),
      made("td", {}, String(matches.length)), made("td", {}, `${Math.max(0, ...matches.map((match) => match.bytes))} bytes`),
      made("td", {}, names.join(", ")), made("td", {}, file.report.verdict.outcome)));
  }
}

function one(file) {
  marked(found("shown"), file.text, file.report.matches);
  cards(found("cards"), file.report.matches, file.text);
  found("shown").focus();
}

async function read(list) {
  const files = [];
  for (const file of list) {
    if (file.size < 2_000_000) files.push({ path: file.webkitRelativePath || file.name, text: await file.text() });
    else say(`${file.name} is larger than 2 MB and was left out.`);
  }
  return files;
}

for (const id of ["files", "folder"]) found(id).addEventListener("change", async (event) => check(await read(event.target.files)));
for (const id of ["verdict", "kind", "license"]) found(id).addEventListener("change", rows);
found("drop").addEventListener("dragover", (event) => event.preventDefault());
found("drop").addEventListener("drop", async (event) => {
  event.preventDefault();
  check(await read(event.dataTransfer.files));
});
found("go").addEventListener("click", async () => {
  await check([{ path: "pasted", text: found("pasted").value }]);
  if (checked.length) one(checked[0]);
});
found("report").addEventListener("click", () => {
  download("codecite-reports.json", "application/json",
    JSON.stringify(checked.map((file) => ({ path: file.path, ...file.report })), null, 1));
});
found("notice").addEventListener("click", async () => {
  try {
    const files = checked.map(({ path, text }) => ({ path, text }));
    const answer = await ask("/api/v1/notice", { files, format: "text" });
    download("NOTICE.txt", "text/plain", typeof answer === "string" ? answer : JSON.stringify(answer, null, 1));
  } catch (error) {
    say(error.message);
  }
});

// The form to be left out: what a rule would remove, and the request. The server decides nothing by itself.

import { ask, found, made } from "./api.js";

const said = found("optout-status"), files = found("optout-files"), form = found("optout");

function shown(answer) {
  const rest = answer.origins - answer.files.length;
  files.replaceChildren(made("p", {}, `${answer.kind} ${answer.value}: ${answer.origins.toLocaleString("en")} places; `
    + `${answer.documents.toLocaleString("en")} files would no longer be found, ${answer.kept.toLocaleString("en")} still would, at other places.`),
    made("ul", {}, ...answer.files.map((file) => made("li", {}, `${file.project} `, made("a", { href: `/documents/${file.swhid}` }, file.path))),
      ...(rest > 0 ? [made("li", {}, `and ${rest.toLocaleString("en")} more`)] : [])));
}

async function send(path, body, words) {
  said.textContent = "Looking...";
  files.replaceChildren();
  try {
    const answer = await ask(path, body);
    shown(answer);
    said.textContent = words(answer);
    return true;
  } catch (error) {
    said.textContent = error.message;
    return false;
  }
}

const rule = () => ({ kind: found("optout-kind").value, value: found("optout-value").value });

if (form) {
  found("optout-preview").addEventListener("click", () => {
    if (found("optout-value").reportValidity()) send("/api/v1/removals/preview", rule(), () => "This would be removed; nothing is asked for yet.");
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = { ...rule(), reason: found("optout-reason").value, contact: found("optout-contact").value };
    if (await send("/api/v1/removals", body, (answer) => `Noted as request ${answer.id}. Whoever runs this server decides, and writes to you.`)) form.reset();
  });
}

// Write: a completion streams in, each passage is marked the moment it is recognised, and has its card beside it.

import { ask, events, found, say } from "./api.js";
import { cards, marked } from "./passages.js";

const text = found("text"), shown = found("shown"), list = found("cards");
let running = null, before = "", after = "", completion = "";

// The licences of a passage are denied, as the API has it; `again` is null where nothing was completed.
let again = null, denied = [];

function draw(matches) {
  marked(shown, before + completion + after, matches);
  cards(list, matches, before + completion + after, again);
}

found("complete").addEventListener("click", () => {
  before = text.value.slice(0, text.selectionStart);
  after = text.value.slice(text.selectionEnd);
  denied = [];
  complete();
});

async function without(match) {
  if (running) return;
  denied = [...new Set([...denied, ...Object.keys(match.licenses)])];
  await complete();
}

async function complete() {
  completion = "";
  again = null;
  const matches = new Map(), prevented = [];
  running = new AbortController();
  found("stop").disabled = false;
  found("complete").disabled = found("accept").disabled = true;
  say("Writing...");
  try {
    const body = { prompt: before, max_new_tokens: 200, ...(after ? { suffix: after } : {}),
      ...(denied.length ? { deny: denied } : {}) };
    for await (const event of events("/api/v1/generate", body, running.signal)) {
      if (event.event === "text") completion += event.text;
      else if (event.event === "withdrawn") completion = "";
      else if (event.event === "prevented") prevented.push(event);
      else if (event.event === "end") {
        matches.clear();
        for (const match of event.report.matches) matches.set(match.start, match);
        say(`${event.error || "Done."} Verdict: ${event.report.verdict.outcome}. `
          + `${prevented.length ? `${prevented.length} passages were prevented.` : ""}`);
        completion = event.report.generation.text;
        again = without;
        draw(event.report.matches);
        break;
      } else if (event.event === "error") say(event.problem.detail);
      else matches.set(event.match.start, event.match);
      draw([...matches.values()]);
    }
  } catch (error) {
    say(error.name === "AbortError" ? "Stopped." : error.message);
  }
  running = null;
  found("stop").disabled = true;
  found("complete").disabled = false;
  found("accept").disabled = !completion;
}

found("stop").addEventListener("click", () => running && running.abort());

found("accept").addEventListener("click", () => {
  text.value = before + completion + after;
  text.focus();
  text.selectionStart = text.selectionEnd = (before + completion).length;
  found("accept").disabled = true;
});

found("check").addEventListener("click", async () => {
  say("Checking...");
  try {
    const report = await ask("/api/v1/check", { text: text.value });
    again = null;
    [before, completion, after] = [text.value, "", ""];
    draw(report.matches);
    say(`Verdict: ${report.verdict.outcome}.`);
  } catch (error) {
    say(error.message);
  }
});

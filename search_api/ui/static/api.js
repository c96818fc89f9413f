// The API, and the document. In: addresses and bodies; names and children of elements. Out: answers, elements.
// It refuses to know what they are for. All text becomes text nodes: nothing that an index holds is ever markup.

const WAITS = 5; // Times that a request is sent again after the server asked to wait, at most.

// Bodies are sent as JSON, bytes as they are.
export async function ask(path, body) {
  const bytes = body instanceof Uint8Array;
  const options = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": `application/${bytes ? "octet-stream" : "json"}` },
    body: bytes ? body : JSON.stringify(body),
  };
  let response = await fetch(path, options);
  for (let wait = 0; response.status === 429 && wait < WAITS; wait += 1) {
    await new Promise((done) => { setTimeout(done, 1000 * Number(response.headers.get("Retry-After") || 1)); });
    response = await fetch(path, options);
  }
  const type = response.headers.get("Content-Type") || "";
  const answer = type.includes("json") ? await response.json() : await response.text();
  if (!response.ok) throw new Error(answer.detail || `the server answered ${response.status}`);
  return answer;
}

export async function* events(path, body, signal) {
  const response = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal,
  });
  if (!response.ok) throw new Error((await response.json()).detail);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const blocks = rest.split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const data = block.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
      if (data.length) yield JSON.parse(data.join("\n"));
    }
  }
}

export function made(name, options = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (key === "class") element.className = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

export const found = (id) => document.getElementById(id);

export function say(text) {
  found("status").textContent = text;
}

export function download(name, type, text) {
  const link = made("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

// Where a source lies for people: a web address at its lines, if it has one.
export function address(source) {
  const url = source.url || source.repository || "";
  if (!/^https?:/.test(url)) return null;
  return /github\.com/.test(url) && /\/blob\//.test(url) ? `${url}#L${source.start_line}-L${source.end_line}` : url;
}

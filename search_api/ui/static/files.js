// What was chosen or dropped, as texts to check. In: lists of files, what a drop carries. Out: files with their paths,
// their texts, archives, and why others are not read. It refuses to know what becomes of them: bytes tell what a file is.

const HEAD = 8192, FOLDERS = new Set([".git", ".hg", ".svn", ".bzr"]), MAGIC = ["504b0304", "504b0506", "1f8b", "425a68", "fd377a585a00", "28b52ffd"];

// The files of a list, each `{path, file}`; a folder of a version control is `{path, skipped}`, once.
export function listed(list) {
  const found = [], told = new Set();
  for (const file of list) {
    const path = file.webkitRelativePath || file.name, steps = path.split("/");
    const at = steps.slice(0, -1).findIndex((step) => FOLDERS.has(step));
    if (at < 0) found.push({ path, file });
    else {
      const folder = `${steps.slice(0, at + 1).join("/")}/`;
      if (!told.has(folder)) found.push({ path: folder, skipped: "version-control" });
      told.add(folder);
    }
  }
  return found;
}

// The same of a drop, folders walked through. What it carries is gone after the event: it is taken before anything is waited for.
export async function dropped(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry());
  if (!entries.some(Boolean)) return listed(transfer.files);
  const found = [];
  for (const entry of entries) if (entry) await walk(entry, found);
  return found;
}

async function walk(entry, found) {
  const path = entry.fullPath.replace(/^\//, "");
  try {
    if (entry.isFile) found.push({ path, file: await new Promise((done, failed) => entry.file(done, failed)) });
    else if (FOLDERS.has(entry.name)) found.push({ path: `${path}/`, skipped: "version-control" });
    else {
      const reader = entry.createReader();
      for (;;) {
        const some = await new Promise((done, failed) => reader.readEntries(done, failed));
        if (!some.length) break;
        some.sort((a, b) => (a.name < b.name ? -1 : 1));
        for (const each of some) await walk(each, found);
      }
    }
  } catch (error) {
    found.push({ path, skipped: "unreadable", detail: error.message });
  }
}

// What a file is: `{text}`, `{archive}` (its bytes), or `{skipped, detail}`.
export async function opened(file, most) {
  if (file.size > most) return { skipped: "too-large", detail: `${file.size.toLocaleString("en")} bytes; this server takes ${most.toLocaleString("en")}` };
  let bytes;
  try {
    bytes = new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    return { skipped: "unreadable", detail: error.message };
  }
  if (!bytes.length) return { skipped: "empty" };
  const head = [...bytes.subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const tar = String.fromCharCode(...bytes.subarray(257, 262)) === "ustar";
  if (tar || MAGIC.some((magic) => head.startsWith(magic))) return { archive: bytes };
  if (/^(fffe|feff)/.test(head)) {
    try {
      return { text: new TextDecoder(head.startsWith("fffe") ? "utf-16le" : "utf-16be", { fatal: true }).decode(bytes) };
    } catch { /* it is no text of that kind after all */ }
  }
  const nul = bytes.subarray(0, HEAD).indexOf(0);
  if (nul >= 0) return { skipped: "binary", detail: `NUL at byte ${nul}` };
  return { text: decoded(bytes) };
}

// Text of any bytes: what is not UTF-8 stands as the lone surrogates that the API takes for these bytes.
export function decoded(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const parts = [], tolerant = new TextDecoder("utf-8", { ignoreBOM: true });
    let begin = 0, at = 0;
    while (at < bytes.length) {
      const length = whole(bytes, at);
      if (length) { at += length; continue; }
      parts.push(tolerant.decode(bytes.subarray(begin, at)), String.fromCharCode(0xdc00 + bytes[at]));
      begin = at += 1;
    }
    return parts.join("") + tolerant.decode(bytes.subarray(begin));
  }
}

// How many bytes the character at a place takes; 0 where there is none.
function whole(bytes, at) {
  const first = bytes[at], length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (at + length > bytes.length) return 0;
  for (let n = 1; n < length; n += 1) if ((bytes[at + n] & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1];
  if ((first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f) || (first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f)) return 0;
  return length;
}

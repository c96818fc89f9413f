"""How many near Matches are right: of functions that come from elsewhere, held against a corpus of more than 1 GB.

In: indexes; wheels and Debian source archives of projects that are in none of them. Out: a file of all near Matches of
their functions, 200 of them by a fixed seed as a sheet to read, and, from the labels that people gave these, the
precision. It refuses to know how anything is found. What is committed (`near_labels.jsonl`) names places, two labels
given independently, the one agreed on and its reason; the texts are read again by `collect`.

    python bench/precision.py collect HITS.jsonl --index DIR --index DIR
    python bench/precision.py sheet HITS.jsonl [--seed 8] [--order 1]    # the order in which to label
    python bench/precision.py score                                      # from bench/near_labels.jsonl
"""

from __future__ import annotations

import argparse
import json
import lzma
import random
import re
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import measure
import pinned
from quality_functions import in_wheel

from codecite.indexer import open_index
from codecite.indexer.index import Index
from codecite.indexer.records import Kind

PYTHON = (
    "Scrapy==2.11.2",
    "Sphinx==8.0.2",
    "Twisted==24.7.0",
    "biopython==1.84",
    "celery==5.4.0",
    "docutils==0.21.2",
    "paramiko==3.5.0",
    "pylint==3.3.1",
    "tornado==6.4.1",
)
"""Projects whose wheels are in no corpus of the benchmark."""

DEBIAN = (
    *("bison", "cairo", "curl", "dropbear", "expat", "findutils", "flac", "fontconfig", "giflib", "gzip", "haproxy"),
    *("jansson", "jq", "less", "libarchive", "libevent", "libgit2", "libssh2", "libxml2", "lighttpd", "lua5.4"),
    *("memcached", "mosquitto", "nano", "nginx", "redis", "rsync", "screen", "sed", "tmux", "unbound", "wayland"),
    "wget",
)
"""The same in C: source packages that `licenses_debian.py` fetches too."""

LABELS = Path(__file__).with_name("near_labels.jsonl")
SAMPLE = 200
_FUNCTION = re.compile(r"^[A-Za-z_][^\n;{}#]*(?:\n[^\n;{}#]+){0,8}\n\{\n.*?^\}", re.MULTILINE | re.DOTALL)


def main() -> None:
    """Collect, print a sheet, or score."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("collect", "sheet", "score"))
    parser.add_argument("hits", type=Path, nargs="?", default=LABELS)
    parser.add_argument("--index", action="append", default=[])
    parser.add_argument("--each", type=int, default=300, help="functions of each project")
    parser.add_argument("--language", choices=("Python", "C"), action="append")
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--order", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.what == "collect":
        measure.use_cores()
        with arguments.hits.open("w", encoding="utf-8") as out:
            index = open_index(*arguments.index)
            for archive in archives(arguments.language or ("Python", "C")):
                wheel = archive.suffix == ".whl"
                texts = list(in_wheel(archive) if wheel else in_tar(archive))
                chance = random.Random(f"{arguments.seed} {archive.name}")
                chosen = chance.sample(texts, min(arguments.each, len(texts)))
                hits = 0
                for name, text in chosen:
                    for hit in near(index, name, text):
                        hits += 1
                        out.write(json.dumps({"language": "Python" if wheel else "C", **hit}) + "\n")
                        out.flush()
                print(f"{archive.name}: {len(chosen)} of {len(texts)} functions, {hits} near Matches", flush=True)
    elif arguments.what == "sheet":
        lines = sampled(arguments.hits, arguments.seed)
        random.Random(arguments.order).shuffle(lines)
        for number, hit in lines:
            print(f"=== {number} {hit['query']}:{hit['line']}  ~{hit['similarity']}  {hit['path']}:{hit['lines'][0]}")
            print(hit["text"] + "\n---\n" + hit["source"])
    else:
        score(arguments.hits)


def near(index: Index, name: str, text: str) -> Iterator[dict[str, object]]:
    """The near Matches of one function, each with its first source and the lines on both sides."""
    for item in index.check(text, near=True, sources=1).attributions:
        match, source = item.match, item.sources[0]
        if match.kind is not Kind.NEAR:
            continue
        document = index.document(source.swhid, sources=1)
        if document is None:
            continue
        lines = document.content.decode("utf-8", "replace").split("\n")
        yield {
            "query": name,
            "line": match.start_line,
            "similarity": match.similarity,
            "package": source.origin.purl or source.origin.repository,
            "path": source.origin.path,
            "swhid": source.swhid,
            "lines": [source.start_line, source.end_line],
            "text": "\n".join(text.split("\n")[match.start_line - 1 : match.end_line]),
            "source": "\n".join(lines[source.start_line - 1 : source.end_line]),
        }


def sampled(hits: Path, seed: int) -> list[tuple[int, dict[str, object]]]:
    """The hits that are labelled, by their number in the file of all: drawn from the sorted lines, so that it is the
    same draw in whatever order they were collected."""
    lines = sorted(set(hits.read_text(encoding="utf-8").splitlines()))
    chosen = sorted(random.Random(seed).sample(range(len(lines)), min(SAMPLE, len(lines))))
    return [(number, json.loads(lines[number])) for number in chosen]


def score(labels: Path) -> None:
    """The precision, for each language and of all, and how often the two labels agreed."""
    rows = [json.loads(line) for line in labels.read_text(encoding="utf-8").splitlines()]
    for language in ("Python", "C", None):
        of = [row for row in rows if language in (None, row["language"])]
        right = sum(row["label"] == "right" for row in of)
        print(f"{language or 'all'}: {right} of {len(of)} right, precision {right / max(len(of), 1):.3f}")
    agreed = sum(row["first"] == row["second"] for row in rows)
    print(f"the two labels agreed on {agreed} of {len(rows)}")
    for reason, count in Counter(row["reason"] for row in rows if row["label"] != "right").most_common():
        print(f"  wrong, {count}: {reason}")


def archives(languages: Sequence[str]) -> Iterator[Path]:
    """The wheels and source archives of the foreign projects."""
    folder = pinned.cache() / "foreign-near"
    for wanted in PYTHON if "Python" in languages else ():
        name, version = wanted.split("==")
        if not any(folder.glob(f"{name}-{version}-*")) and not any(folder.glob(f"{name.lower()}-{version}-*")):
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *pinned.WHEEL_TARGET]
            subprocess.run([*pip, "--dest", folder, wanted], check=True)
        yield from {*folder.glob(f"{name}-{version}-*"), *folder.glob(f"{name.lower()}-{version}-*")}
    for name in DEBIAN if "C" in languages else ():
        found = (pinned.cache() / "debian").glob(f"{name}_*.orig.tar.*")
        yield from sorted(path for path in found if path.suffix != ".asc")


def in_tar(archive: Path) -> Iterator[tuple[str, str]]:
    """The C functions in a source archive: a head, and a body whose braces stand at the first column."""
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                opened = tar.extractfile(member) if member.name.endswith((".c", ".cc")) else None
                if opened is None:
                    continue
                for found in _FUNCTION.finditer(opened.read().decode("utf-8", "replace")):
                    if 5 <= found.group().count("\n") + 1 <= 80:
                        yield member.name, found.group()
    except (tarfile.TarError, lzma.LZMAError) as problem:
        raise SystemExit(f"{archive}: cannot be read: {problem}") from None


if __name__ == "__main__":
    main()

"""The peer: infini-gram, a suffix array over the bytes of the same corpus, in a virtual environment of its own.

In: a corpus folder and the file of queries. Out: an index beside them, what building it took, and what its engine says
of each query and how long that takes. It refuses to know codecite.

infini-gram's tokens are the UTF-8 bytes as they stand (white space and newlines too), FF parts documents. `attribute`
answers with every span of at least 50 bytes that stands in the corpus and lies inside no other, and all its places.

    python bench/peer.py setup | build | query [--queries N] [--passes N]
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import measure
import pinned
from queries import read_texts

MINIMUM = 50
NO_LIMIT = 2**62
SOURCES = 5
MEMORY_GIB = 12


def main() -> None:
    """One step, and its figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("step", choices=("setup", "build", "query"))
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--passes", type=int, default=2)
    arguments = parser.parse_args()
    measure.use_cores()
    if arguments.step == "setup":
        set_up()
    elif arguments.step == "build":
        print(json.dumps(build(), indent=2))
    else:
        print(json.dumps(query(arguments.queries, arguments.passes)))


def python() -> Path:
    """The interpreter that has infini-gram."""
    return pinned.cache() / "infini-gram" / "venv" / "bin" / "python"


def set_up() -> None:
    """Make the virtual environment where it lacks anything. infini-gram has wheels for CPython 3.11 and later."""
    if not python().exists():
        subprocess.run([sys.executable, "-m", "venv", str(python().parents[1])], check=True)
    subprocess.run([str(python()), "-m", "pip", "install", "--quiet", *pinned.INFINI_GRAM], check=True)


def build() -> dict[str, Any]:
    """Index the small corpus: seconds, bytes of the corpus and of the index. Writing the documents is not counted."""
    set_up()
    folder = pinned.cache() / "infini-gram"
    data, index = folder / "data", folder / "index"
    for path in (data, index):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
    size = write_documents(pinned.cache() / "corpora" / "small", data / "documents.jsonl")
    options: dict[str, object] = {
        "--data_dir": data,
        "--save_dir": index,
        "--token_dtype": "u8",
        "--cpus": measure.CORES,
        "--mem": MEMORY_GIB,
        "--ulimit": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    }
    words = [str(word) for option in options.items() for word in option]
    run = measure.run_program([python(), "-m", "infini_gram.indexing", "--add_metadata", *words], folder / "log")
    return {"seconds": run.seconds, "corpus_bytes": size, "index_bytes": measure.tree_bytes(index)}


def write_documents(corpus: Path, target: Path) -> int:
    """The corpus as infini-gram reads it, one JSON object a line; returns the bytes of its files."""
    size = 0
    with target.open("w", encoding="utf-8") as output:
        for path in sorted(corpus.rglob("*")):
            if path.is_file():
                content = path.read_bytes()
                size += len(content)
                output.write(json.dumps({"text": content.decode(), "path": str(path.relative_to(corpus))}) + "\n")
    return size


def query(count: int, passes: int) -> dict[str, Any]:
    """Seconds for each of the first queries, and the spans found; the caller runs it in the peer's own environment.

    `default` is `attribute` with the engine as it comes, `tuned` with prefetching switched off, `documents`
    is the tuned one with the documents of the first places of each span.
    """
    cache = pinned.cache()
    texts = read_texts(cache / "queries.jsonl", count)
    index = str(cache / "infini-gram" / "index")
    engine = open_engine(index, ds_prefetch_depth=0, sa_prefetch_depth=0, od_prefetch_depth=0)
    tuned, default = attributor(engine), attributor(open_engine(index))
    ways = {"default": default, "tuned": tuned, "documents": lambda text: documents(engine, tuned(text))}
    times = measure.best_times(list(ways.values()), texts, passes)
    spans = [[(span["l"], span["r"]) for span in tuned(text)] for text in texts]
    return {**dict(zip(ways, times, strict=True)), "spans": spans}


def open_engine(index: str, **options: int) -> Any:
    """The engine over a folder, with the tokens of `build`."""
    engine = import_module("infini_gram.engine").InfiniGramEngine
    return engine(index_dir=index, eos_token_id=0, vocab_size=255, token_dtype="u8", **options)


def attributor(engine: Any) -> Callable[[str], Any]:
    """Text in, maximal spans out, in bytes."""

    def attribute(text: str) -> Any:
        answer = engine.attribute(
            input_ids=list(text.encode()), delim_ids=[], min_len=MINIMUM, max_cnt=NO_LIMIT, enforce_bow=False
        )
        if "error" in answer:
            raise SystemExit(f"infini-gram: {answer['error']}")
        return answer["spans"]

    return attribute


def documents(engine: Any, spans: Any) -> Any:
    """The first documents of each span, with their paths: past the Python wrapper, which takes even places only."""
    wanted = [(place["s"], place["ptr"], span["length"], 0) for span in spans for place in span["docs"][:SOURCES]]
    return [json.loads(found.metadata)["metadata"]["path"] for found in engine.engine.get_docs_by_ptrs_2(wanted)]


if __name__ == "__main__":
    main()

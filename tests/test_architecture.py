"""The house: which room may import which, how long a file may be, and what stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOPS = ("generator", "indexer", "search_api")
LONGEST_FILE = 400

# The import table of ARCHITECTURE.md: a room, and the rooms it may import beside itself and the foundations.
FOUNDATIONS = {"indexer.records", "indexer.errors", "indexer.config", "indexer.report_json"}
WRITE_PATH = {
    "indexer.corpus",
    "indexer.fingerprint",
    "indexer.kernels",
    "indexer.licenses",
    "indexer.store",
    "indexer.text",
}
WRITERS = {"indexer.intake", "indexer.making", "indexer.upkeep"}
READ_PATH = {"indexer", "indexer.attribution", "indexer.index", "indexer.lookup"}
WHOLE_INDEXER = WRITE_PATH | WRITERS | READ_PATH | {"indexer.build", "indexer.elastic", "indexer.keeping"}
MAY_IMPORT: dict[str, set[str]] = {
    "indexer": {"indexer.index"},
    "indexer.records": set(),
    "indexer.report_json": set(),
    "indexer.errors": set(),
    "indexer.config": set(),
    "indexer.kernels": set(),
    "indexer.corpus": {"indexer.licenses"},
    "indexer.licenses": set(),
    "indexer.text": {"indexer.kernels"},
    "indexer.fingerprint": {"indexer.text", "indexer.kernels"},
    "indexer.store": {"indexer.kernels"},
    "indexer.making": {"indexer.fingerprint", "indexer.kernels", "indexer.store"},
    "indexer.intake": {"indexer.corpus", "indexer.store"},
    "indexer.upkeep": {"indexer.store", "indexer.kernels"},
    "indexer.keeping": {"indexer.corpus", "indexer.licenses", "indexer.store"},
    "indexer.build": WRITE_PATH | WRITERS | {"indexer.keeping"},
    "indexer.elastic": WRITE_PATH | WRITERS | {"indexer.keeping", "indexer.lookup"},
    "indexer.lookup": {"indexer.store", "indexer.fingerprint", "indexer.text", "indexer.kernels"},
    "indexer.attribution": {"indexer.lookup", "indexer.licenses"},
    "indexer.stream": {"indexer.lookup", "indexer.attribution", "indexer.text"},
    "indexer.ledger": {
        "indexer.build",
        "indexer.corpus",
        "indexer.fingerprint",
        "indexer.kernels",
        "indexer.lookup",
        "indexer.store",
        "indexer.upkeep",
    },
    "indexer.backend": {"indexer.attribution", "indexer.fingerprint", "indexer.lookup", "indexer.stream"},
    "indexer.together": {"indexer.attribution", "indexer.backend", "indexer.lookup", "indexer.stream"},
    "indexer.remote": {
        "indexer.attribution",
        "indexer.backend",
        "indexer.lookup",
        "indexer.stream",
        "indexer.text",
    },
    "indexer.index": WHOLE_INDEXER
    | {"indexer.stream", "indexer.ledger", "indexer.backend", "indexer.together", "indexer.remote"},
    "indexer.warm": WHOLE_INDEXER,
    "generator": {
        "indexer",
        "indexer.index",
        "indexer.lookup",
        "indexer.stream",
        "indexer.ledger",
        "indexer.attribution",
        "indexer.licenses",
    },
    "search_api": WHOLE_INDEXER | {"indexer.warm", "indexer.ledger", "indexer.stream", "indexer.remote", "generator"},
}

# Packages that are heavy or optional, and the rooms that may import them.
HEAVY = {
    "torch": {"generator"},
    "transformers": {"generator"},
    "tokenizers": {"generator"},
    "safetensors": {"generator"},
    "numba": {"indexer.kernels"},
    "pyarrow": {"indexer.store", "indexer.corpus", "indexer.lookup", "indexer.attribution", "indexer.build"},
    "enry": {"indexer.corpus"},
    "yaml": {"indexer.corpus"},
    "jsonschema": {"indexer.attribution", "search_api"},
    "pathspec": {"indexer.corpus", "indexer.store"},
    "httpx": {"generator", "indexer.remote"},
    "click": {"search_api"},
    "elasticsearch": {"indexer.elastic"},
    "elastic_transport": {"indexer.elastic"},
    "flask": {"search_api"},
    "waitress": {"search_api"},
    "mcp": {"search_api"},
    "prometheus_client": {"search_api"},
    "openai": set[str](),
    "pytest": set[str](),
    "hypothesis": set[str](),
}


def modules() -> list[Path]:
    """Every Python file of the three packages."""
    return sorted(path for top in TOPS for path in (ROOT / top).rglob("*.py"))


def module_name(path: Path) -> str:
    """`indexer/text/canonical.py` is `indexer.text.canonical`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(name: str) -> str:
    """The longest room of the table that `name` lies in."""
    parts = name.split(".")
    return next(
        candidate
        for candidate in (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        if candidate in MAY_IMPORT
    )


def imports(path: Path) -> Iterator[str]:
    """The absolute names that a file imports, wherever in it; names of ours without their prefix."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import in line {node.lineno}"
            assert node.module is not None
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.removeprefix("codecite.") for name in names)


def our_imports(path: Path) -> Iterator[str]:
    """The rooms of ours that a file imports."""
    for name in imports(path):
        if name.split(".")[0] in TOPS:
            yield room_of(name)


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_a_room_imports_only_the_rooms_its_row_allows(path: Path) -> None:
    """The import table of the design holds for every file, also for imports inside functions."""
    room = room_of(module_name(path))
    for imported in our_imports(path):
        allowed = imported == room or imported in FOUNDATIONS or imported in MAY_IMPORT[room]
        assert allowed, f"{path.relative_to(ROOT)} imports codecite.{imported}"


def test_the_table_lists_every_room_and_no_other() -> None:
    """Each folder or file that the table names exists, and each folder of the packages is a room or lies in one."""
    for room in MAY_IMPORT:
        path = ROOT / room.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file(), room
    folders = {path.parent for path in (ROOT / "indexer").rglob("*.py")} - {ROOT / "indexer"}
    for folder in folders:
        assert room_of(module_name(folder / "__init__.py")) != "indexer", folder


def test_no_module_imports_itself_through_others() -> None:
    """The graph of modules that are imported at the top of a file has no cycle."""
    names = {module_name(path): path for path in modules()}
    graph: dict[str, set[str]] = {}
    for name, path in names.items():
        wanted = set()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("codecite."):
                module = node.module.removeprefix("codecite.")
                for alias in node.names:
                    deeper = f"{module}.{alias.name}"
                    wanted.add(deeper if deeper in names else module)
        graph[name] = wanted

    state: dict[str, str] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if state.get(name) == "done":
            return
        assert state.get(name) != "open", f"cycle: {' -> '.join((*trail, name))}"
        state[name] = "open"
        for imported in sorted(graph.get(name, ())):
            visit(imported, (*trail, name))
        state[name] = "done"

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_heavy_packages_stay_in_their_rooms(path: Path) -> None:
    """Torch, numba, click and their like are imported only where the house says so."""
    room = room_of(module_name(path))
    for imported in imports(path):
        package = imported.split(".")[0]
        if package in HEAVY:
            assert room in HEAVY[package], f"{path.relative_to(ROOT)} imports {package}"


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_a_file_is_short_and_says_what_it_does(path: Path) -> None:
    """No file is longer than 400 lines; each opens by saying what comes in and what goes out, or by its purpose."""
    content = path.read_text(encoding="utf-8")
    assert len(content.splitlines()) <= LONGEST_FILE
    assert ast.get_docstring(ast.parse(content)), "has no docstring"


def test_tests_are_short_too() -> None:
    """The file size holds for tests and benchmarks as well."""
    for folder in ("tests", "bench"):
        for path in (ROOT / folder).rglob("*.py"):
            assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE, path


def test_packages_validate_with_errors_and_not_with_asserts() -> None:
    """An assert vanishes under `python -O`, so no package relies on one."""
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not isinstance(node, ast.Assert), f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def loaded_by(statement: str, packages: set[str]) -> set[str]:
    """Which of `packages` a fresh interpreter has loaded after `statement`."""
    program = f"{statement}\nimport sys\nprint(' '.join(sorted({packages!r} & set(sys.modules))))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_library_stays_light() -> None:
    """`import codecite.indexer` and the opener it offers load no model, no server, no command line and no reader's."""
    statement = "import codecite.indexer\nfrom codecite.indexer import open_index"
    assert loaded_by(statement, {"torch", "transformers", "flask", "click", "enry", "pathspec"}) == set()


def test_a_reader_loads_what_it_needs_when_it_reads() -> None:
    """The write path loads what tells languages and patterns no earlier than a file asks for it."""
    rooms = sorted((ROOT / "indexer" / "corpus").glob("*.py")) + sorted((ROOT / "indexer").glob("*.py"))
    names = [module_name(path) for path in rooms if path.stem not in ("__init__", "warm")]
    statement = "\n".join(f"import codecite.{name}" for name in names)
    assert loaded_by(statement, {"enry", "pathspec"}) == set()


def test_the_command_line_loads_nothing_heavy_before_a_command_runs() -> None:
    """What makes `codecite --help` quick: no numpy, numba, pyarrow or torch."""
    statement = "from codecite.search_api.cli.main import run\nassert run(['--help']) == 0"
    program = {"numpy", "numba", "pyarrow", "torch", "transformers", "flask"}
    quiet = f"import os, sys\nout = sys.stdout\nsys.stdout = open(os.devnull, 'w')\n{statement}\nsys.stdout = out"
    assert loaded_by(quiet, program) == set()

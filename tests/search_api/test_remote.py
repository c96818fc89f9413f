"""The command line over `codecite serve`: every command writes what it writes over the index itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from oracle.served import Served, ServedHere, free_port

from codecite.indexer import open_index
from codecite.indexer.attribution.policy import OnDenial, load_policy
from codecite.indexer.errors import RemoteError
from codecite.indexer.records import Outcome
from codecite.search_api.answers import event_object


@pytest.fixture(scope="module")
def address(require: Callable[..., None], index: Path) -> Iterator[str]:
    """A real server over the index, in a process of its own."""
    require("flask", "waitress", "prometheus_client", "httpx")
    with Served("--index", index) as served:
        yield served.url


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Path:
    """A project that holds a copied module, a part of one laid out anew, and code of its own."""
    root = tmp_path_factory.mktemp("project")
    (root / "copied.py").write_bytes((corpus / "heapq.py").read_bytes())
    lines = (corpus / "textwrap.py").read_text(encoding="utf-8").split("\n")[100:160]
    (root / "part.py").write_text("import mine\n" + "\n".join("    " + line for line in lines) + "\n", encoding="utf-8")
    (root / "own.py").write_text("print('hello')\n", encoding="utf-8")
    (root / "odd.py").write_bytes(b"# \xff\xfe\n" + (corpus / "bisect.py").read_bytes())
    return root


COMMANDS: dict[str, tuple[str, ...]] = {
    "check": ("check", "{tree}/copied.py", "{tree}/part.py", "{tree}/odd.py"),
    "check as JSON": ("check", "{tree}/part.py", "--policy", "strict", "--sources", "50", "--near", "--format", "json"),
    "search": ("search", "heap item", "license:PSF-2.0"),
    "search as JSON": ("search", "wrap", "--path", "textwrap", "--limit", "3", "--format", "json"),
    "similar": ("similar", "{tree}/copied.py", "--at-least", "0.2"),
    "similar as JSON": ("similar", "{tree}/odd.py", "--format", "json"),
    "notice": ("notice", "{tree}/copied.py", "{tree}/odd.py", "--policy", "attribution-only"),
    "notice of snippets": ("notice", "{tree}/part.py", "--snippets", "--format", "json"),
    "scan": ("scan", "{tree}", "--policy", "strict", "--output", "json"),
    "scan in a process for each core": ("scan", "{tree}", "--jobs", "2", "--output", "text", "--output", "cyclonedx"),
    "no file": ("check", "{tree}/nothing.py"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_write_the_same(codecite: Any, index: Path, address: str, tree: Path, name: str) -> None:
    """Standard output, complaints and exit codes, character by character."""
    words = [word.format(tree=tree) for word in COMMANDS[name]]
    here, there = (codecite(*words, "--index", place, SOURCE_DATE_EPOCH="0") for place in (index, address))
    assert there.stdout == here.stdout
    assert (there.returncode, there.stderr) == (here.returncode, here.stderr)
    assert here.stdout or here.returncode == 2


def test_a_batch_is_answered_the_same(codecite: Any, index: Path, address: str, corpus: Path, tmp_path: Path) -> None:
    """Over several shares, on all cores, with lines that are none; from standard input as well."""
    text = (corpus / "shlex.py").read_text(encoding="utf-8")
    lines = [
        json.dumps({"id": number, "text": text[number * 7 :][:300] + "\n" * (number % 3)}) for number in range(200)
    ]
    lines[5], lines[9], lines[150] = "no json", json.dumps({"id": 9, "text": "\ud800"}), ""
    batch = tmp_path / "batch.jsonl"
    batch.write_text("\n".join(lines) + "\n", encoding="utf-8")
    here, there = (codecite("check", "--batch", batch, "--index", place) for place in (index, address))
    assert there.stdout == here.stdout and there.stdout.count("\n") == 197
    assert (there.returncode, there.stderr) == (here.returncode, here.stderr) and here.returncode == 2
    piped = codecite("check", "--batch", "-", "--index", address, stdin="\n".join(lines[:12]))
    assert piped.stdout == "".join(line + "\n" for line in here.stdout.split("\n")[:10])


def test_figures_are_the_same_but_for_the_place(codecite: Any, index: Path, address: str) -> None:
    """`index stats` names the address."""
    here, there = (
        json.loads(codecite("index", "stats", "--index", place, "--format", "json").stdout)
        for place in (index, address)
    )
    assert there == {**here, "path": address}
    assert codecite("index", "stats", "--index", address).stdout.startswith(f"{address}: generation 1, built ")
    assert "clusters are counted on" in codecite("index", "stats", "--clusters", "--index", address).stderr


@pytest.mark.parametrize("words", [("index", "verify"), ("index", "add", "."), ("index", "compact")])
def test_what_a_server_does_not_do_is_refused(codecite: Any, address: str, words: tuple[str, ...]) -> None:
    """An index is written and verified where it lies."""
    done = codecite(*words, "--index", address)
    assert done.returncode == 2 and "on the machine that the index lies on" in done.stderr
    assert not Path("http:").exists()


def test_the_environment_names_several_places(codecite: Any, index: Path, address: str, passage: str) -> None:
    """Directories and addresses between colons; both are asked."""
    done = codecite("check", "-", "--format", "json", stdin=passage, CODECITE_INDEX=f"{index}:{address}:{index}")
    found = json.loads(done.stdout)
    assert len(found["indexes"]) == 3 and len(found["matches"]) % 3 == 0
    done = codecite("check", "-", "--index", "http://[::1]:1", "--format", "json", stdin=passage)
    assert done.returncode == 2 and "http://[::1]:1: cannot be reached" in done.stderr


def test_a_change_is_scanned_over_a_server(
    codecite: Any, index: Path, address: str, corpus: Path, tmp_path: Path
) -> None:
    """What a patch adds, with the same findings."""
    lines = (corpus / "heapq.py").read_text(encoding="utf-8").split("\n")[150:200]
    patch = f"--- /dev/null\n+++ b/new.py\n@@ -0,0 +1,{len(lines)} @@\n" + "".join(f"+{line}\n" for line in lines)
    asked = ("scan", tmp_path, "--patch", "-", "--policy", "strict", "--output", "json", "--index")
    here, there = (codecite(*asked, place, stdin=patch, SOURCE_DATE_EPOCH="0") for place in (index, address))
    assert there.stdout == here.stdout and json.loads(there.stdout)["findings"]


@pytest.mark.parametrize("open_", [True, False])
def test_a_scan_fails_or_passes_where_no_server_answers(
    codecite: Any, tree: Path, tmp_path: Path, index: Path, require: Callable[..., None], open_: bool
) -> None:
    """As the policy says (`on_failure`); a server that refuses the key is an error either way."""
    require("flask", "waitress", "prometheus_client", "httpx")
    policy = tmp_path / "policy.toml"
    policy.write_text(f'name = "p"\n[generator]\non_failure = "{"open" if open_ else "closed"}"\n', encoding="utf-8")
    address = f"http://127.0.0.1:{free_port()}"
    asked = ("scan", tree, "--policy", policy, "--output", "json", "--index")
    done = codecite(*asked, address)
    assert "cannot be reached" in done.stderr
    assert done.returncode == (0 if open_ else 2)
    if open_:
        (finding,) = json.loads(done.stdout)["findings"]
        assert finding["rule"] == "index-unreachable" and address in finding["message"]
    from codecite.search_api.keys import append_key, read_keys

    append_key(tmp_path / "keys", "anna")
    with ServedHere(open_index(index), keys=read_keys(tmp_path / "keys")) as served:
        done = codecite(*asked, served.url)
        assert done.returncode == 2 and "the server asks for a key; set CODECITE_API_KEY" in done.stderr
        done = codecite(*asked, served.url, CODECITE_API_KEY="codecite-wrong")
        assert done.returncode == 2 and "the key is refused" in done.stderr and "codecite-wrong" not in done.stderr


def test_a_server_that_goes_away_in_the_midst_is_told(require: Callable[..., None], index: Path) -> None:
    """Whatever was answered before."""
    require("flask", "waitress", "prometheus_client", "httpx")
    with ServedHere(open_index(index)) as served:
        opened = open_index(served.url)
        assert opened.check("x = 1\n").indexes
    with pytest.raises(RemoteError, match="cannot be reached"):
        opened.check("x = 1\n")


@pytest.mark.parametrize("on_denial", ["annotate", "truncate", "block"])
def test_a_completion_is_guarded_over_a_server(index: Path, address: str, passage: str, on_denial: str) -> None:
    """Each event, what is prevented and the Report are those over the index itself."""
    from oracle.parrot import Parrot

    from codecite.generator.generator import Generator

    policy = replace(load_policy("strict"), on_denial=OnDenial(on_denial), default=Outcome.FAIL)
    text = f"import mine\n{passage}other = 1\n"
    ours, theirs = (
        [event_object(event) for event in Generator(Parrot(text), opened, policy).stream("x = 1\n")]
        for opened in (open_index(index), open_index(address))
    )
    assert theirs == ours
    assert {event["event"] for event in ours} & {"opened", "prevented"}


def test_a_completion_whose_server_goes_away_is_what_the_policy_says(index: Path, passage: str) -> None:
    """Closed: it ends where it was last checked, and fails."""
    from oracle.parrot import Parrot

    from codecite.generator.events import End
    from codecite.generator.generator import Generator

    with ServedHere(open_index(index)) as served:
        opened = open_index(served.url)
    events = Generator(Parrot(passage), opened, load_policy("strict")).stream("")
    (end,) = [item for item in events if isinstance(item, End)]
    assert end.generation.report.verdict.outcome is Outcome.FAIL
    assert "the index could not answer" in end.generation.report.verdict.reasons[0].message


def test_a_server_may_stand_before_another(address: str, index: Path, passage: str, tmp_path: Path) -> None:
    """`codecite serve --index http://...` answers with the other's Reports; removals are asked of the other."""
    with Served("--index", address, "--removal-requests", tmp_path / "log") as front:
        rule = {"kind": "path", "value": "a.py"}
        assert front.post("/api/v1/removals/preview", rule)[0] == 501
        assert front.post("/api/v1/removals", {**rule, "contact": "me@example.org"})[0] == 501
        assert (tmp_path / "log").read_bytes() == b""
        status, report = front.post("/api/v1/check", {"text": passage})
        assert status == 200 and report["matches"]
        assert report == open_index(index).check(passage).to_dict()
        assert front.get("/readyz")[0] == front.get("/api/v1/stats")[0] == 200

"""Policies at the command line: verdicts, exit codes, and the policies themselves."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from codecite.indexer.attribution.policy import READY


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """A policy that denies the licence of the corpus."""
    path = tmp_path / "company.toml"
    path.write_text(
        'name = "company"\n[licenses]\ndeny = ["PSF-2.0"]\nwarn = ["unknown"]\n[passages]\nmin_bytes = 50\n'
    )
    return path


def test_a_denied_passage_is_exit_code_1_and_says_why(codecite, index: Path, passage: str, company: Path) -> None:
    """As text and as JSON; the report names the policy and its digest."""
    tagged = codecite("check", "--index", index, "--policy", company, "--format", "json", stdin=passage)
    report = json.loads(tagged.stdout)
    (match,) = report["matches"]
    license = next(iter(match["licenses"]))
    denied = license == "PSF-2.0"
    assert tagged.returncode == denied
    assert report["policy"]["name"] == "company"
    assert len(report["policy"]["sha256"]) == 64
    assert report["verdict"]["outcome"] == match["outcome"] == ("fail" if denied else "warn")
    (reason,) = report["verdict"]["reasons"]
    assert reason["match"] == match["id"]
    assert license in reason["message"]
    shown = codecite("check", "--index", index, "--policy", company, stdin=passage)
    assert f"{report['verdict']['outcome'].upper()} by the policy company:\n    {reason['message']}" in shown.stdout


def test_a_warning_is_exit_code_1_where_strict(codecite, index: Path, passage: str, tmp_path: Path) -> None:
    """And 0 otherwise; each way of asking says the same."""
    path = tmp_path / "warns.toml"
    path.write_text('name = "warns"\n[licenses]\ndefault = "warn"\n[passages]\nmin_bytes = 50\n')
    batch = tmp_path / "batch.jsonl"
    batch.write_text(json.dumps({"id": 1, "text": passage}) + "\n")
    for words, stdin in ((("check",), passage), (("check", "--batch", batch), "")):
        ask = [*words, "--index", index, "--policy", path]
        assert codecite(*ask, stdin=stdin).returncode == 0
        assert codecite(*ask, "--strict", stdin=stdin).returncode == 1
        assert codecite(*words, "--index", index, "--strict", stdin=stdin).returncode == 0


def test_a_policy_that_cannot_be_read_is_an_error(codecite, index: Path, tmp_path: Path) -> None:
    """Before anything is answered, on one line that names the place."""
    path = tmp_path / "wrong.toml"
    path.write_text('name = "x"\n[licenses]\nallow = ["permisive"]\n')
    done = codecite("check", "--index", index, "--policy", path, stdin="x = 1\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{path}: licenses.allow[0]: 'permisive'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    missing = codecite("check", "--index", index, "--policy", "permissive", stdin="x = 1\n")
    assert missing.returncode == 2
    assert "permissive: No such file or directory; name a TOML file or one of audit, permissive-only" in missing.stderr


def test_the_ready_policies_are_listed_and_shown(codecite, tmp_path: Path) -> None:
    """What is shown is a policy file of that name; the tables have their dates."""
    listed = json.loads(codecite("policy", "list", "--format", "json").stdout)
    assert [item["name"] for item in listed["policies"]] == list(READY)
    assert {table["date"][:2] for table in listed["tables"].values()} == {"20"}
    text = codecite("policy", "list").stdout
    assert all(f"{table['name']} of {table['date']}" in text for table in listed["tables"].values())
    for item in listed["policies"]:
        shown = codecite("policy", "show", item["name"]).stdout
        assert tomllib.loads(shown)["name"] == item["name"]
        path = tmp_path / f"{item['name']}.toml"
        path.write_text(shown)
        checked = json.loads(codecite("policy", "check", path, "--format", "json").stdout)
        assert checked["sha256"] == item["sha256"]
    assert codecite("policy", "show", "none").returncode == 2


def test_a_policy_file_is_checked(codecite, company: Path, tmp_path: Path) -> None:
    """Its rules are shown as they are understood."""
    done = codecite("policy", "check", company)
    assert done.returncode == 0
    assert "    warn: unknown\n    deny: PSF-2.0\n    all else: allow\n" in done.stdout
    bad = tmp_path / "bad.toml"
    bad.write_text("name = 'x'\norigins = 3\n")
    assert codecite("policy", "check", bad).returncode == 2

"""Where the scanner is started from: the command line, pre-commit, the action, GitLab, a plain shell."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from oracle.projects import own_code

ROOT = Path(__file__).resolve().parents[3]
DENY = ("--policy", "permissive-only")


def blocks(language: str) -> list[str]:
    """The fenced blocks of docs/scanner.md in one language."""
    text = (ROOT / "docs/scanner.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_several_forms_are_written_by_one_run(codecite, upstream, repository, gpl_functions, tmp_path: Path) -> None:
    """To files and to standard output; 1 for `fail`, and 0 by a policy that never fails."""
    repository.write("app/x.py", gpl_functions[0])
    outputs = ("--output", f"sarif={tmp_path / 'out.sarif'}", "--output", "markdown=-")
    done = codecite("scan", repository.root, *DENY, *outputs, "--index", upstream)
    assert done.returncode == 1
    assert done.stdout.startswith("<!-- codecite-scan -->")
    assert json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"]
    assert codecite("scan", repository.root, "--index", upstream).returncode == 0
    assert codecite("scan", repository.root, "--strict", "--policy", "attribution-only", "--index", upstream).returncode


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--output", "yaml"], "is no form"),
        (["--staged", "--diff", "HEAD"], "exclude each other"),
        (["--patch", "nothing.diff"], "nothing.diff"),
        (["--policy", "nothing.toml"], "nothing.toml"),
        (["--baseline", "nothing.json"], "--write-baseline"),
        (["--output", "json=/nothing/here"], "/nothing/here"),
    ],
)
def test_what_cannot_be_done_is_one_line_that_says_why(codecite, upstream, repository, options, said: str) -> None:
    """2, and no traceback."""
    done = codecite("scan", repository.root, *options, "--index", upstream)
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr and "a bug" not in done.stderr


def test_a_folder_that_is_not_there_is_an_error(codecite, upstream, tmp_path: Path) -> None:
    """It is named; so is a folder outside git of which a change is asked for."""
    assert "nothing" in codecite("scan", tmp_path / "nothing", "--index", upstream).stderr
    done = codecite("scan", tmp_path, "--staged", "--index", upstream)
    assert done.returncode == 2 and "git repository" in done.stderr


def test_an_index_that_cannot_answer_fails_closed_or_open_by_policy(codecite, repository, tmp_path: Path) -> None:
    """Open: a note in every form, and 0."""
    missing = ("--index", tmp_path / "none")
    policy = tmp_path / "policy.toml"
    policy.write_text('name = "p"\n[generator]\non_failure = "closed"\n')
    assert codecite("scan", repository.root, "--policy", policy, *missing).returncode == 2
    policy.write_text('name = "p"\n[generator]\non_failure = "open"\n')
    done = codecite("scan", repository.root, "--policy", policy, "--output", "json", *missing)
    assert done.returncode == 0 and "nothing was scanned" in done.stderr
    assert [item["rule"] for item in json.loads(done.stdout)["findings"]] == ["index-unreachable"]


def test_many_files_on_several_processes_give_what_one_gives(codecite, upstream, repository, gpl_functions) -> None:
    """In the same order."""
    for number in range(120):
        text = own_code(number, 100) + (gpl_functions[number % 20] if number % 3 == 0 else "")
        repository.write(f"app/{number}.py", text)
    answers = [
        json.loads(
            codecite("scan", repository.root, *DENY, "--output", "json", "--jobs", jobs, "--index", upstream).stdout
        )
        for jobs in ("1", "3")
    ]
    assert answers[0]["findings"] == answers[1]["findings"] and len(answers[0]["findings"]) >= 40


def test_the_hook_runs_under_pre_commit(require, upstream, repository, gpl_functions, tmp_path: Path) -> None:
    """The entry of our manifest, in a repository of its own: a copy is refused, own code passes."""
    require("pre_commit")
    subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")], check=True
    )
    import yaml

    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    entry = hook["entry"].replace("codecite", f"{sys.executable} -m codecite.search_api.cli", 1)
    hook |= {"language": "system", "entry": entry, "args": list(DENY)}
    config = {"repos": [{"repo": "local", "hooks": [hook]}]}
    repository.write(".pre-commit-config.yaml", yaml.safe_dump(config))
    repository.write("app/copy.py", gpl_functions[0])
    repository.git("add", "-A")
    environment = {**os.environ, "CODECITE_INDEX": str(upstream), "PRE_COMMIT_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "pre_commit", "run"]
    done = subprocess.run(command, cwd=repository.root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "verbatim-denied" in done.stdout, done.stdout + done.stderr
    repository.write("app/copy.py", own_code(5))
    repository.git("add", "-A")
    done = subprocess.run(command, cwd=repository.root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def check_schema(name: str, file: Path) -> None:
    """Hold a file against a schema that check-jsonschema carries."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", name, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_action_and_the_templates_are_what_their_schemas_take(require, tmp_path: Path) -> None:
    """GitHub's of actions and workflows, GitLab's."""
    require("check_jsonschema")
    check_schema("vendor.github-actions", ROOT / "action.yml")
    _, workflow, gitlab = blocks("yaml")
    (tmp_path / "workflow.yml").write_text("on: pull_request\n" + workflow)
    check_schema("vendor.github-workflows", tmp_path / "workflow.yml")
    (tmp_path / "gitlab.yml").write_text(gitlab)
    check_schema("vendor.gitlab-ci", tmp_path / "gitlab.yml")


def run_shell(script: str, cwd: Path, upstream: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """A script of a page, with our command on the path and the test's index."""
    folder = cwd.parent / "bin"
    folder.mkdir(exist_ok=True)
    (folder / "codecite").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m codecite.search_api.cli "$@"\n')
    (folder / "codecite").chmod(0o755)
    script = re.sub(r"/srv/codecite/index", str(upstream), script)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", **more}
    return subprocess.run(["bash", "-c", script], cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_the_shell_example_and_the_steps_of_the_action_run(repository, upstream, gpl_functions, tmp_path: Path) -> None:
    """For real: 0 for own code, 1 for a copy, with the files that they promise."""
    import yaml

    repository.write("app/more.py", own_code(8))
    base = repository.commit()
    (script,) = blocks("bash")
    assert run_shell(script, repository.root, upstream).returncode == 0
    repository.write("app/copy.py", gpl_functions[0])
    repository.commit()
    done = run_shell(script, repository.root, upstream)
    assert done.returncode == 1 and "denied" in done.stdout, done.stderr
    assert "verbatim-denied" in (repository.root / "codecite.xml").read_text()
    steps = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
    summary = tmp_path / "summary.md"
    settings = {"CODECITE_INDEX": str(upstream), "CODECITE_POLICY": "permissive-only", "BASE": base, "BASELINE": ""}
    settings |= {"SCANNED": ".", "SARIF": "out.sarif", "GITHUB_STEP_SUMMARY": str(summary)}
    done = run_shell(steps[-1]["run"], repository.root, upstream, **settings)
    assert done.returncode == 1 and done.stdout.startswith("::error file=app/copy.py"), done.stderr
    assert (repository.root / "out.sarif").exists() and summary.exists()

"""compose.yaml: valid, closed in itself, and its commands are the program's."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from oracle.containerfile import read_containerfile
from oracle.deployed import DEPLOY, documents, read_command

FILE = DEPLOY / "compose.yaml"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file."""
    (found,) = documents(FILE)
    return found


def test_it_is_what_the_compose_specification_allows(require) -> None:
    """By its schema, as check-jsonschema ships it."""
    require("check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_name_is_declared(compose: dict[str, Any]) -> None:
    """Volumes, secrets and services that others wait for; what waits has no fewer profiles than what it waits for."""
    used_volumes, used_secrets = set(), set()
    for name, part in compose["services"].items():
        for volume in part.get("volumes", []):
            source = volume.split(":")[0]
            if not source.startswith((".", "/", "$")):
                used_volumes.add(source)
        used_secrets |= set(part.get("secrets", []))
        for other in part.get("depends_on", {}):
            assert set(compose["services"][other].get("profiles", [])) <= set(part.get("profiles", [])), name
    assert used_volumes == set(compose["volumes"])
    assert used_secrets == set(compose["secrets"])


def test_codecites_services_run_the_program_as_it_is(compose: dict[str, Any]) -> None:
    """The command line takes each command; the server has the index to read only, where it has one."""
    image = read_containerfile((DEPLOY / "Containerfile").read_text(encoding="utf-8"))[-1]
    seen = {}
    for name, part in compose["services"].items():
        if part["image"] != "codecite":
            continue
        seen[name], given = read_command(part.get("command") or image.command("CMD"))
        if seen[name] == "serve":
            assert given["api_key_file"].name in part["secrets"], name
            assert all(volume.endswith(":ro") for volume in part["volumes"]), name
    assert seen == {
        "index": "index add",
        "codecite": "serve",
        "index-elasticsearch": "index add",
        "codecite-elasticsearch": "serve",
    }


def test_nothing_that_runs_on_may_do_more_than_it_needs(compose: dict[str, Any]) -> None:
    """A read-only root, no capabilities or privileges, ports of this machine only; what root does once has no net."""
    for name, part in compose["services"].items():
        if part.get("user") == "0:0":
            assert part["network_mode"] == "none"
            assert "restart" not in part
            continue
        assert part["read_only"] is True, name
        assert part["cap_drop"] == ["ALL"], name
        assert part["security_opt"] == ["no-new-privileges:true"], name
        assert all(port.startswith("127.0.0.1:") for port in part.get("ports", [])), name
        assert "privileged" not in part, name

"""The alarms: promtool takes them, each goes off when it should, and what they look at is what a server tells."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest
from oracle.deployed import DEPLOY, documents
from oracle.served import Served, free_port

pytestmark = pytest.mark.slow  # `.ci/run` runs them by themselves

RULES = DEPLOY / "prometheus-rules.yaml"
CASES = Path(__file__).with_name("prometheus_rules_test.yaml")


def promtool(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run promtool."""
    return subprocess.run(["promtool", *words], capture_output=True, text=True, check=False, cwd=cwd)


def test_promtool_takes_the_rules_and_each_alarm_goes_off(require: Callable[..., None], tmp_path: Path) -> None:
    """When nothing is well, and when all is well none."""
    require("promtool")
    for file in (RULES, CASES):
        shutil.copy(file, tmp_path)
    for command in (("check", "rules", RULES.name), ("test", "rules", CASES.name)):
        done = promtool(*command, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alarm_has_its_case() -> None:
    """Once where it goes off, once where it does not."""
    (rules,), (cases,) = documents(RULES), documents(CASES)
    alarms = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    well, ill = ({case["alertname"]: case for case in part["alert_rule_test"]} for part in cases["tests"])
    assert set(well) == set(ill) == alarms
    assert all(case.get("exp_alerts") for case in ill.values())
    assert not any(case.get("exp_alerts") for case in well.values())


def test_every_alarm_is_explained() -> None:
    """deploy/README.md says what to do."""
    (rules,) = documents(RULES)
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert f"`{rule['alert']}`" in text


def test_what_they_look_at_is_what_a_server_tells(
    require: Callable[..., None], codecite, index: Path, passage: str, tmp_path: Path
) -> None:
    """Prometheus reads a real server with a key, by the example of a configuration; each name is among what it has."""
    require("prometheus", "promtool", "waitress", "flask", "prometheus_client")
    keys = tmp_path / "keys"
    (tmp_path / "codecite-key").write_text(codecite("key", "prometheus", "--api-key-file", keys))
    names = set(re.findall(r"\b(?:codecite|process)_[a-z_]+", RULES.read_text(encoding="utf-8")))
    with Served("--index", index, "--api-key-file", keys) as server:
        key = (tmp_path / "codecite-key").read_text().strip()
        for body in ({"text": passage}, {"text": 5}):
            server.post("/api/v1/check", body, Authorization=f"Bearer {key}")
        text = (DEPLOY / "prometheus-scrape.yaml").read_text(encoding="utf-8")
        text = text.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}").replace("/etc/prometheus", str(tmp_path))
        (tmp_path / "prometheus.yml").write_text(text.replace("scrape_interval: 15s", "scrape_interval: 1s"))
        shutil.copy(RULES, tmp_path)
        checked = promtool("check", "config", "prometheus.yml", cwd=tmp_path)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        port = free_port()
        command = ["prometheus", "--config.file=prometheus.yml", f"--web.listen-address=127.0.0.1:{port}"]
        with subprocess.Popen(
            [*command, f"--storage.tsdb.path={tmp_path}/data"], cwd=tmp_path, stderr=-3
        ) as prometheus:
            try:
                found = told(port, names)
            finally:
                prometheus.terminate()
    assert found == names


@pytest.fixture
def codecite() -> Callable[..., str]:
    """Run the command line; what it writes."""
    import sys

    def run(*words: str | Path) -> str:
        command = [sys.executable, "-m", "codecite.search_api.cli", *map(str, words)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    return run


def told(port: int, names: set[str]) -> set[str]:
    """Which of these metrics Prometheus has, as soon as it has all of them, else after half a minute."""
    end = time.monotonic() + 30
    found: set[str] = set()
    while found < names and time.monotonic() < end:
        time.sleep(0.3)
        try:
            with urlopen(f"http://127.0.0.1:{port}/api/v1/label/__name__/values", timeout=5) as answer:
                found = names & set(json.load(answer)["data"])
        except OSError:
            continue
    return found

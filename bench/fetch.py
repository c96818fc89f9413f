"""Fetches the real code that the benchmark runs on, and lays out its corpora.

In: the pinned names of `pinned.py`, a Debian archive (`apt-get download`) and a package index (`pip download`).
Out: in the cache folder `sources/` (one unpacked tree for each package) and `corpora/small`, `corpora/large`,
`corpora/held-out`, made of hard links, with one JSON file that counts each. It refuses to know who reads them.

    python bench/fetch.py [--deb FILE]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pinned


def main() -> None:
    """Fetch, unpack, lay out; what is there already is kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--deb", type=Path, help="a copy of the linux-source package that is already on this machine")
    arguments = parser.parse_args()
    cache = pinned.cache()
    cache.mkdir(parents=True, exist_ok=True)
    linux = unpack_linux(cache, arguments.deb)
    for wheel in download_wheels(cache):
        unpack_wheel(wheel, cache / "sources")
    summary = {"linux": linux, **lay_out(cache)}
    (cache / "corpora.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(summary, indent=2))


def unpack_linux(cache: Path, deb: Path | None) -> str:
    """Unpack Debian's linux-source to `sources/linux`, whole; returns the name of the package file it came from."""
    target = cache / "sources" / "linux"
    came_from = cache / "linux.txt"
    if came_from.exists():
        return came_from.read_text(encoding="utf-8")
    if deb is None:
        deb = download_linux(cache / "deb")
    say(f"unpacking {deb.name}")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    package = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE)
    member = f"./usr/src/{pinned.LINUX_PACKAGE}.tar.xz"
    inner = subprocess.Popen(["tar", "-xO", member], stdin=package.stdout, stdout=subprocess.PIPE)
    subprocess.run(["tar", "-xJ", "--strip-components=1", "-C", str(target)], stdin=inner.stdout, check=True)
    if package.wait() or inner.wait():
        raise SystemExit(f"{deb} cannot be unpacked: it is not the package {pinned.LINUX_PACKAGE}")
    came_from.write_text(deb.name, encoding="utf-8")
    return deb.name


def download_linux(folder: Path) -> Path:
    """Fetch the pinned version, or, once Debian has replaced it, the current one; the summary names which."""
    folder.mkdir(exist_ok=True)
    for wanted in (f"{pinned.LINUX_PACKAGE}={pinned.LINUX_VERSION}", pinned.LINUX_PACKAGE):
        say(f"fetching {wanted}")
        subprocess.run(["apt-get", "download", wanted], cwd=folder)
        found = sorted(folder.glob(f"{pinned.LINUX_PACKAGE}_*.deb"))
        if found:
            return found[-1]
    raise SystemExit(f"apt-get cannot fetch {pinned.LINUX_PACKAGE}: fetch it elsewhere and pass it with --deb")


def download_wheels(cache: Path) -> list[Path]:
    """Fetch those of the pinned wheels that are missing; returns all of them."""
    folder = cache / "wheels"
    folder.mkdir(exist_ok=True)
    paths = []
    for wanted in pinned.WHEELS:
        name, version = wanted.split("==")
        pattern = f"{name.replace('-', '_')}-{version}-*.whl"
        if not any(folder.glob(pattern)):
            say(f"fetching {wanted}")
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *pinned.WHEEL_TARGET]
            subprocess.run([*command, "--dest", str(folder), wanted], check=True)
        paths.append(next(folder.glob(pattern)))
    return paths


def unpack_wheel(wheel: Path, sources: Path) -> None:
    """Unpack the code of a wheel to `sources/NAME-VERSION`, once."""
    target = sources / "-".join(wheel.name.split("-")[:2])
    if target.exists():
        return
    say(f"unpacking {wheel.name}")
    unfinished = target.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if Path(member.filename).suffix in pinned.CODE_SUFFIXES:
                archive.extract(member, unfinished)
    unfinished.rename(target)


def lay_out(cache: Path) -> dict[str, dict[str, object]]:
    """Link every eligible file into the corpora its hash says; returns files, bytes and a digest of each.

    small is within large, and each file stands under the name of its package; held-out stands in neither.
    """
    corpora = cache / "corpora"
    shutil.rmtree(corpora, ignore_errors=True)
    digests = {name: hashlib.sha256() for name in ("small", "large", "held-out")}
    files = dict.fromkeys(digests, 0)
    size = dict.fromkeys(digests, 0)
    for path, content in eligible(cache / "sources"):
        line = hashlib.sha256(content).hexdigest() + f"  {path}\n"
        for name in members(path):
            target = corpora / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(cache / "sources" / path, target)
            digests[name].update(line.encode())
            files[name] += 1
            size[name] += len(content)
    return {
        name: {"files": files[name], "bytes": size[name], "sha256": digests[name].hexdigest()} for name in sorted(files)
    }


def eligible(sources: Path) -> Iterator[tuple[str, bytes]]:
    """Every file that may stand in a corpus, in order of its path: text in UTF-8 that is neither empty nor huge.

    Both sides of the comparison then see the same bytes: infini-gram takes only UTF-8 and keeps byte FF for itself.
    """
    for path in sorted(sources.rglob("*")):
        relative = path.relative_to(sources)
        if path.is_symlink() or not path.is_file() or path.stat().st_size >= pinned.MAX_FILE_BYTES:
            continue
        if relative.parts[0] != "linux" and path.suffix not in pinned.CODE_SUFFIXES:
            continue
        content = path.read_bytes()
        if content and b"\0" not in content and is_utf8(content):
            yield relative.as_posix(), content


def is_utf8(content: bytes) -> bool:
    """Whether the bytes are UTF-8."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def members(path: str) -> tuple[str, ...]:
    """The corpora that hold a path, by its hash alone, so that every machine makes the same choice."""
    draw = int.from_bytes(hashlib.sha256(path.encode()).digest()[:8]) % 1000
    if draw < pinned.HELD_OUT_PER_MILLE:
        return ("held-out",)
    if draw < pinned.HELD_OUT_PER_MILLE + pinned.SMALL_PER_MILLE:
        return ("small", "large")
    return ("large",)


def say(line: str) -> None:
    """Progress, on standard error."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

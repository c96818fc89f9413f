"""Python packages whose licence Debian knows: what people wrote in `debian/copyright`, against what wheels are read as.

In: Debian's packages of well-known Python projects, and from the package index the wheel or sdist of the very upstream
version. Out: tables. The stanza `Files: *` is what Debian says of the project; its reading is ours (`dep5.py`), its
words are printed with each disagreement, so that a reader can judge.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pinned
from licenses_linux import same

from codecite.indexer.build import add
from codecite.indexer.corpus.sources import read_sources
from codecite.indexer.corpus.units import Reading
from codecite.indexer.licenses.dep5 import parse
from codecite.indexer.licenses.effective import disagrees, effective
from codecite.indexer.records import EvidenceKind
from codecite.indexer.store.manifest import read_manifest
from codecite.indexer.store.snapshot import Snapshot

PROJECTS = (
    "aiohttp aiosignal alembic anyio appdirs argcomplete asgiref astroid attrs babel bcrypt beautifulsoup4 black bleach "
    "blinker bottle cachetools certifi cffi chardet charset-normalizer click cloudpickle colorama coverage cryptography "
    "cycler decorator defusedxml dill distlib distro django dnspython docutils elasticsearch et-xmlfile execnet falcon "
    "filelock flask freezegun fsspec future gevent gitpython greenlet gunicorn h11 h2 hpack html5lib httpcore httpx "
    "hyperframe hypothesis idna imagesize importlib-metadata iniconfig isort itsdangerous jedi jinja2 jmespath joblib "
    "jsonschema keyring kiwisolver lazy-object-proxy lxml mako markdown markdown-it-py markupsafe marshmallow mccabe "
    "mdurl more-itertools msgpack multidict mypy-extensions networkx nltk nose2 numpy oauthlib openpyxl packaging "
    "paramiko parso pathspec peewee pexpect pillow platformdirs pluggy ply prompt-toolkit psutil psycopg2 ptyprocess "
    "py pyasn1 pycodestyle pycparser pyflakes pygments pyjwt pymongo pymysql pynacl pyparsing pyrsistent pytest "
    "python-dateutil pytz pyyaml pyzmq redis requests requests-oauthlib rich rsa ruamel.yaml s3transfer scipy "
    "service-identity setuptools simplejson six smmap sniffio snowballstemmer sortedcontainers soupsieve sphinx "
    "sqlalchemy sqlparse tabulate tenacity termcolor toml tomli toolz tornado tqdm traitlets twisted typing-extensions "
    "tzlocal ujson uritemplate urllib3 virtualenv wcwidth webencodings websocket-client websockets werkzeug wheel wrapt "
    "xlrd xmltodict yarl zipp zope.interface"
).split()

DEBIAN_NAMES = {
    "attrs": "attr", "beautifulsoup4": "bs4", "pyyaml": "yaml", "pillow": "pil", "gitpython": "git", "pyzmq": "zmq",
    "msgpack": "msgpack", "python-dateutil": "dateutil", "pyjwt": "jwt", "pynacl": "nacl", "et-xmlfile": "et-xmlfile",
    "websocket-client": "websocket", "service-identity": "service-identity", "black": "", "pymongo": "pymongo",
}  # fmt: skip
"""What Debian calls a project otherwise than `python3-NAME`."""


def wheels(limit: int) -> None:
    """Print the table of packages."""
    folder = pinned.cache() / "licenses"
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(8) as pool:
        got = [found for found in pool.map(lambda name: fetched(name, folder), PROJECTS) if found]
    known = []
    for name, version, package, copyright in got:
        stated = parse(copyright)
        whole = [stanza for stanza in stated.stanzas if "*" in stanza.patterns] if stated else []
        if whole and whole[0].evidence.expression:
            known.append((name, version, package, whole[0].evidence))
    print(f"\n{len(PROJECTS)} projects, {len(got)} with the version that Debian has, {len(known)} of known licence")
    classes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        for name, version, package, truth in known:
            index = Path(scratch) / name
            add(index, read_sources((str(package),), installed=False, reading=Reading()))
            found, conflict = of_project(index, read_manifest(index).documents)
            kind = judged(str(truth.expression), found, conflict)
            classes[kind] += 1
            if kind not in ("right", "family"):
                print(f"    {kind:15} {name} {version}: Debian: {truth.text!r}; read as {found}")
    total = sum(classes.values())
    for kind, count in classes.most_common():
        print(f"  {kind:15} {count:4} ({count / total:.1%})")
    del limit


def judged(truth: str, found: str, conflict: bool) -> str:
    """`right`; `family` if one of both only names the family of the other; else whether the difference is shown."""
    if found == "NOASSERTION":
        return "noassertion"
    if same(truth, found):
        return "right"
    if not disagrees(found, [_evidence(truth)]):
        return "family"
    return "wrong, shown" if conflict else "wrong, silent"


def _evidence(expression: str):  # type: ignore[no-untyped-def]
    from codecite.indexer.records import LicenseEvidence

    return LicenseEvidence(EvidenceKind.DEP5, expression, "", "")


def of_project(index: Path, documents: int) -> tuple[str, bool]:
    """What most files of a project are taken to be under when nothing in themselves says more; whether that is doubtful."""
    snapshot = Snapshot(index)
    votes: Counter[tuple[str, bool]] = Counter()
    for opened in snapshot.segments:
        for row in range(len(opened.segment.origin_document)):
            origin = snapshot.origin(row)
            whole = [item for item in origin.evidence if item.kind not in (EvidenceKind.SPDX_TAG, EvidenceKind.FILE_HEADER)]
            license = effective([], whole)
            votes[license, disagrees(license, origin.evidence)] += 1
    del documents
    return votes.most_common(1)[0][0]


def fetched(name: str, folder: Path) -> tuple[str, str, Path, str] | None:
    """The project's name, its upstream version in Debian, the file of that version, and Debian's copyright file."""
    debian = DEBIAN_NAMES.get(name, name.replace(".", "."))
    place = folder / name
    place.mkdir(exist_ok=True)
    deb = next(place.glob("*.deb"), None)
    if deb is None:
        subprocess.run(["apt-get", "download", f"python3-{debian}"], cwd=place, capture_output=True, check=False)
        deb = next(place.glob("*.deb"), None)
        if deb is None:
            return None
    version = re.sub(r"^\d+%3a|^\d+:", "", deb.name.split("_")[1])
    upstream = re.split(r"[-+~]|\.dfsg", version)[0]
    package = next((path for path in place.iterdir() if path.suffix in (".whl", ".gz", ".zip", ".bz2")), None)
    if package is None:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(place)]
        binary = ["--only-binary=:all:", f"{name}=={upstream}"]
        done = subprocess.run([*command, *binary], capture_output=True, check=False)
        if done.returncode:
            subprocess.run([*command, "--no-binary=:all:", f"{name}=={upstream}"], capture_output=True, check=False)
        package = next((path for path in place.iterdir() if path.suffix in (".whl", ".gz", ".zip", ".bz2")), None)
        if package is None:
            return None
    listing = subprocess.run(
        f"dpkg-deb --fsys-tarfile {deb} | tar -xO --wildcards './usr/share/doc/*/copyright'",
        shell=True, capture_output=True, check=False,
    )  # fmt: skip
    return name, upstream, package, listing.stdout.decode("utf-8", "replace")

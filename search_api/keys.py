"""API keys: made once, kept as hashes only, compared in constant time.

In: a file with a line `NAME sha256:HEX` for each key, a key that a client sent. Out: the name of the key, or None. It
refuses to know how a key is sent. Keys are 256 random bits, so a plain hash of one cannot be guessed back.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from codecite.indexer.errors import ConfigError

_LINE = re.compile(r"([A-Za-z0-9_.-]{1,64})\s+sha256:([0-9a-f]{64})")
_PREFIX = "codecite-"


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of keys and their hashes."""

    hashes: tuple[tuple[str, bytes], ...]

    def name_of(self, key: str) -> str | None:
        """Whose key it is; every hash is compared, whichever fits."""
        sent = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
        found = None
        for name, known in self.hashes:
            if hmac.compare_digest(sent, known):
                found = name
        return found


def read_keys(path: Path) -> Keys:
    """The keys of a file. Raises ConfigError, which never shows what stands in the file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); make a key with 'codecite key NAME --api-key-file FILE'"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8; make keys with 'codecite key NAME --api-key-file FILE'") from None
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        fields = _LINE.fullmatch(line.strip())
        if fields is None:
            raise ConfigError(
                f"{path}, line {number}: is no 'NAME sha256:HEX'; keys are kept as hashes, never as they are"
            )
        found.append((fields.group(1), bytes.fromhex(fields.group(2))))
    if not found:
        raise ConfigError(f"{path}: holds no key; make one with 'codecite key NAME --api-key-file FILE'")
    return Keys(tuple(found))


def new_key(name: str) -> tuple[str, str]:
    """A new key, and the line that keeps its hash. Raises ConfigError for a name that no line can hold."""
    key = _PREFIX + secrets.token_urlsafe(32)
    line = f"{name} sha256:{hashlib.sha256(key.encode()).hexdigest()}"
    if _LINE.fullmatch(line) is None:
        raise ConfigError(f"{name!r} is no name of a key: use letters, digits, '_', '.' and '-', at most 64")
    return key, line


def append_key(path: Path, name: str) -> str:
    """Make a key and keep its hash in the file, which only its owner may read; returns the key.

    Raises ConfigError where the name is taken or the file cannot be written.
    """
    key, line = new_key(name)
    if path.exists() and path.stat().st_size and any(known == name for known, _ in read_keys(path).hashes):
        raise ConfigError(f"{path}: has a key {name} already; take its line out first")
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from None
    return key

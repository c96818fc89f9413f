"""The address of a codecite server -> the key for it.

In: an address, the environment, a file. Out: a key that may be sent there, or none. It refuses to show a key, and to
let one go over plain http to another machine.

CODECITE_API_KEY holds the key; or CODECITE_API_KEY_FILE names a file that does: a key, or lines `ADDRESS KEY` for
several servers.
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from urllib.parse import urlsplit

from codecite.indexer.errors import ConfigError

KEY = "CODECITE_API_KEY"
KEY_FILE = "CODECITE_API_KEY_FILE"


def key_for(address: str) -> str:
    """The key for the server at an address; empty where there is none. Raises ConfigError."""
    key, place = os.environ.get(KEY, "").strip(), KEY
    file = os.environ.get(KEY_FILE)
    if not key and file:
        key, place = _in_file(Path(file), address), file
    if not key:
        return ""
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigError(f"{place}: the key holds a character that no key has; is it the right one?")
    if urlsplit(address).scheme != "https" and not is_loopback(address):
        raise ConfigError(f"{address}: a key is not sent over plain http to another machine; use https")
    return key


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _in_file(file: Path, address: str) -> str:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"{file}: the key cannot be read ({error.strerror}); {KEY_FILE} names it") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: the key cannot be read (it is not UTF-8); {KEY_FILE} names it") from None
    found = [line.split() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if any(len(words) > 2 for words in found):
        raise ConfigError(f"{file}: a line is to be a key, or an address and its key")
    own = [words[1] for words in found if len(words) == 2 and words[0].rstrip("/") == address]
    return next(iter(own or [words[0] for words in found if len(words) == 1]), "")

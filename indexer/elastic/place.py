"""Where an Elasticsearch index is, and with which credentials it is asked.

In: `es+http(s)://HOST[:PORT][,HOST...]/NAME`, the environment. Out: a Place. It refuses to connect. Credentials come
from the environment or a file, never from a URL, which ends up in histories and logs:

    CODECITE_ES_API_KEY                     an API key, as Elasticsearch encodes it
    CODECITE_ES_USER, CODECITE_ES_PASSWORD  or a user
    CODECITE_ES_CREDENTIALS                 or a TOML file with `api_key`, or `user` and `password`
    CODECITE_ES_CA                          the certificates to trust, PEM
    CODECITE_ES_TIMEOUT                     seconds that a request may take, 60 by default
    CODECITE_ES_SHARDS                      primary shards of an index that is made, 1 by default
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from codecite.indexer.errors import ConfigError

SCHEMES = ("es+http", "es+https")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,200}")


@dataclass(frozen=True, slots=True)
class Place:
    """An index by its name on a cluster. `url` is what a person wrote; credentials are not shown."""

    url: str
    hosts: tuple[str, ...]
    name: str
    api_key: str | None = field(default=None, repr=False)
    user: tuple[str, str] | None = field(default=None, repr=False)
    ca: str | None = None
    timeout: float = 60.0
    shards: int = 1


def is_elastic(place: object) -> bool:
    """Whether this names an index on a cluster."""
    return isinstance(place, str) and place.partition("://")[0] in SCHEMES


def parse_place(url: str, environment: Mapping[str, str] = os.environ) -> Place:
    """The place that a URL names. Raises ConfigError, which says what is wrong and never shows a secret."""
    scheme, _, rest = url.partition("://")
    authority, _, name = rest.partition("/")
    name = name.rstrip("/")
    if scheme not in SCHEMES or not authority:
        raise ConfigError(f"{_shown(url)}: is no place of an index; write es+https://HOST:9200/NAME")
    if "@" in authority:
        raise ConfigError(
            f"{_shown(url)}: credentials do not belong in a URL; set CODECITE_ES_USER and CODECITE_ES_PASSWORD, "
            "CODECITE_ES_API_KEY or CODECITE_ES_CREDENTIALS (a file)"
        )
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{url}: {name!r} is no name of an index; write es+https://HOST:9200/NAME, in lower-case letters, digits, "
            "'-', '_' and '.'"
        )
    bare = scheme.removeprefix("es+")
    hosts = tuple(_host(url, bare, part) for part in authority.split(","))
    api_key, user = _credentials(environment)
    if (api_key or user) and bare == "http" and not all(map(_is_loopback, hosts)):
        raise ConfigError(
            f"{url}: credentials are not sent over plain http but to this machine; write es+https://, or unset them"
        )
    ca = environment.get("CODECITE_ES_CA") or None
    if ca is not None and not Path(ca).is_file():
        raise ConfigError(f"CODECITE_ES_CA names {ca}, which is no file; name the certificates to trust, in PEM")
    shards = _number(environment, "CODECITE_ES_SHARDS", 1)
    return Place(url, hosts, name, api_key, user, ca, _number(environment, "CODECITE_ES_TIMEOUT", 60), int(shards))


def _host(url: str, scheme: str, part: str) -> str:
    try:
        found = urlsplit(f"{scheme}://{part}")
        host, port = found.hostname, found.port
    except ValueError:
        host, port = None, None
    if not host:
        raise ConfigError(f"{url}: {part!r} is no host; write HOST or HOST:PORT, several with a comma between them")
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port or 9200}"


def _is_loopback(host: str) -> bool:
    name = urlsplit(host).hostname or ""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _credentials(environment: Mapping[str, str]) -> tuple[str | None, tuple[str, str] | None]:
    key, user = environment.get("CODECITE_ES_API_KEY"), environment.get("CODECITE_ES_USER")
    password = environment.get("CODECITE_ES_PASSWORD")
    named = environment.get("CODECITE_ES_CREDENTIALS")
    if named:
        try:
            fields = tomllib.loads(Path(named).read_text("utf-8"))
        except OSError as error:
            raise ConfigError(f"{named}: cannot be read ({error.strerror}); CODECITE_ES_CREDENTIALS names it") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            fields = {}
        key, user, password = (fields.get(name) for name in ("api_key", "user", "password"))
        if not isinstance(key, str) and not (isinstance(user, str) and isinstance(password, str)):
            raise ConfigError(f'{named}: says neither api_key = "..." nor user = "..." and password = "..."')
    if key:
        return key, None
    if user and password is None:
        raise ConfigError("CODECITE_ES_USER is set and CODECITE_ES_PASSWORD is not; set both")
    return None, (user, password or "") if user else None


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "")
    try:
        number = float(text) if text else default
    except ValueError:
        number = 0.0
    if not 1 <= number <= 100_000:
        raise ConfigError(f"{name} is {text!r}; it is a number from 1 on")
    return number


def _shown(url: str) -> str:
    """A URL without what may be a secret."""
    return re.sub(r"//[^/@]*@", "//...@", url)

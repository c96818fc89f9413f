"""Addresses and credentials: what is accepted, what is refused, and that no secret is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from codecite.indexer.elastic.place import is_elastic, parse_place
from codecite.indexer.errors import ConfigError

KEY = {"CODECITE_ES_API_KEY": "c2VjcmV0"}
USER = {"CODECITE_ES_USER": "elastic", "CODECITE_ES_PASSWORD": "s3cret"}


def test_an_address_names_hosts_and_an_index() -> None:
    """Several hosts stand between commas, 9200 is the port of those that name none."""
    found = parse_place("es+https://a.example:9201,b.example/code", {})
    assert (found.hosts, found.name) == (("https://a.example:9201", "https://b.example:9200"), "code")
    assert is_elastic("es+http://localhost/x")
    assert not is_elastic("http://localhost/x")
    assert not is_elastic(Path("es+http:/x"))


@pytest.mark.parametrize(
    "url",
    ["es+http://localhost", "es+http:///x", "es+http://localhost/Upper", "es+http://localhost/a/b", "es+http://h:x/y"],
)
def test_what_is_no_address_is_refused_with_an_example(url: str) -> None:
    """The message shows how one is written."""
    with pytest.raises(ConfigError, match=r"write (es\+https://|HOST)"):
        parse_place(url, {})


def test_credentials_in_an_address_are_refused_and_not_repeated() -> None:
    """An address ends up in histories and logs."""
    with pytest.raises(ConfigError, match="CODECITE_ES_USER") as caught:
        parse_place("es+https://elastic:s3cret@host/x", {})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("secret", [KEY, USER])
def test_credentials_go_over_plain_http_to_this_machine_only(secret: dict[str, str]) -> None:
    """Elsewhere https is asked for."""
    assert parse_place("es+http://127.0.0.1:9200/x", secret).api_key == secret.get("CODECITE_ES_API_KEY")
    assert parse_place("es+https://elsewhere/x", secret)
    for url in ("es+http://elsewhere/x", "es+http://localhost,elsewhere/x"):
        with pytest.raises(ConfigError, match="es\\+https://") as caught:
            parse_place(url, secret)
        assert not any(value in str(caught.value) for name, value in secret.items() if "USER" not in name)


def test_a_file_holds_credentials(tmp_path: Path) -> None:
    """It has an api_key, or user and password; anything else is refused without being shown."""
    file = tmp_path / "credentials.toml"
    named = {"CODECITE_ES_CREDENTIALS": str(file)}
    file.write_text('user = "u"\npassword = "p"\n')
    assert parse_place("es+https://h/x", named).user == ("u", "p")
    file.write_text('api_key = "k"\n')
    assert parse_place("es+https://h/x", named).api_key == "k"
    file.write_text('pasword = "s3cret"\n')
    with pytest.raises(ConfigError, match="api_key") as caught:
        parse_place("es+https://h/x", named)
    assert "s3cret" not in str(caught.value)
    file.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        parse_place("es+https://h/x", named)


def test_no_secret_is_in_what_a_place_shows() -> None:
    """Neither in its repr."""
    assert "s3cret" not in repr(parse_place("es+https://h/x", USER))

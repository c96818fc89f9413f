"""Policy files: what they may say, and how what they may not say is named."""

from __future__ import annotations

import hashlib
import tomllib
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from codecite.indexer.attribution.policy import (
    READY,
    Exempt,
    OnDenial,
    OnFailure,
    Origins,
    Policy,
    ServeText,
    load_policy,
    parse_policy,
    policy_schema,
    ready_text,
)
from codecite.indexer.errors import PolicyError
from codecite.indexer.records import Mark, Outcome

WHOLE = b"""\
name = "company"
description = "What our lawyers said."
outbound = "apache 2"
origins = "strictest"
serve_text = "none"

[licenses]
allow = ["permissive", "MPL-2.0", "gplv2 or mit", "LicenseRef-Ours"]
warn = ["unknown"]
deny = ["strong-copyleft"]
default = "deny"

[passages]
min_bytes = 60
pass_over = ["imports"]
common = "pass-over"
own_projects = ["pkg:pypi/ours*"]

[[exceptions]]
reason = "bought"
license = "GPL-3.0-only"
expires = 2027-01-31

[[exceptions]]
reason = "our fork"
project = "https://example.org/fork"
path = "src/*"

[generator]
on_denial = "regenerate"
on_failure = "open"
"""


def test_every_key_is_read() -> None:
    """Licence names are normalised; what is left out has its default."""
    assert parse_policy(WHOLE, "p.toml") == Policy(
        name="company",
        sha256=hashlib.sha256(WHOLE).hexdigest(),
        description="What our lawyers said.",
        rules={
            "permissive": Outcome.PASS,
            "MPL-2.0": Outcome.PASS,
            "GPL-2.0-only OR MIT": Outcome.PASS,
            "LicenseRef-Ours": Outcome.PASS,
            "unknown": Outcome.WARN,
            "strong-copyleft": Outcome.FAIL,
        },
        default=Outcome.FAIL,
        min_bytes=60,
        outbound="Apache-2.0",
        origins=Origins.STRICTEST,
        pass_over=frozenset({Mark.IMPORTS}),
        common=False,
        own_projects=("pkg:pypi/ours*",),
        exceptions=(
            Exempt("bought", date(2027, 1, 31), license="GPL-3.0-only"),
            Exempt("our fork", None, project="https://example.org/fork", path="src/*"),
        ),
        on_denial=OnDenial.REGENERATE,
        on_failure=OnFailure.OPEN,
        serve_text=ServeText.NONE,
    )
    bare = parse_policy(b'name = "x"', "p.toml")
    assert (bare.rules, bare.default, bare.min_bytes, bare.origins) == ({}, Outcome.PASS, 150, Origins.SHOW_BOTH)


@pytest.mark.parametrize("name", READY)
def test_ready_policies_are_as_the_schema_says(name: str) -> None:
    """They are not held against it when they are used."""
    jsonschema.validate(tomllib.loads(ready_text(name)), policy_schema(), jsonschema.Draft202012Validator)
    found = load_policy(name)
    assert found.name == name
    assert found.description
    assert (found.min_bytes < 150) == (name in ("audit", "strict"))
    assert (Outcome.FAIL in (*found.rules.values(), found.default)) == (name != "audit")


def test_the_schema_is_one() -> None:
    """By its own rules."""
    jsonschema.Draft202012Validator.check_schema(policy_schema())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('name = "x"\nx y', "is not TOML: Expected '=' after a key in a key/value pair (at line 2, column 3)"),
        ("", "'name' is a required property"),
        ("name = 1", "name: 1 is not of type 'string'"),
        ('name = "x"\nlicences = {}', "'licences' was unexpected"),
        ('name = "x"\n[licenses]\nallowed = []', "licenses: "),
        ('name = "x"\n[licenses]\ndeny = ["permisive"]', "licenses.deny[0]: 'permisive' is no category"),
        ('name = "x"\n[licenses]\ndeny = ["permisive"]', "is permissive meant?"),
        ('name = "x"\n[licenses]\ndeny = ["MIT AND"]', "licenses.deny[0]: 'MIT AND' is no category"),
        ('name = "x"\n[licenses]\ndeny = ["MIT", "mit"]\nallow = ["MIT"]', "licenses.deny[0]: MIT stands under"),
        ('name = "x"\n[passages]\nmin_bytes = 49', "passages.min_bytes: 49 is less than the minimum of 50"),
        ('name = "x"\n[passages]\npass_over = ["import"]', "passages.pass_over[0]: 'import' is not one of"),
        ('name = "x"\norigins = "all"', "origins: 'all' is not one of"),
        ('name = "x"\noutbound = "what we like best"', "outbound: 'what we like best' is no category"),
        ('name = "x"\n[[exceptions]]\nlicense = "MIT"', "exceptions[0]: 'reason' is a required property"),
        ('name = "x"\n[[exceptions]]\nreason = "r"', "exceptions[0]: "),
        (
            'name = "x"\n[[exceptions]]\nreason = "r"\npath = "*"\nexpires = "2027-01-01"',
            "exceptions[0].expires: is to be a date without quotes",
        ),
        ("a = " + "[" * 5000, "is not TOML"),
    ],
)
def test_what_is_not_understood_is_an_error_that_names_the_place(text: str, says: str) -> None:
    """The file first, on one line."""
    with pytest.raises(PolicyError) as caught:
        parse_policy(text.encode(), "p.toml")
    assert str(caught.value).startswith("p.toml: ")
    assert says in str(caught.value)
    assert len(str(caught.value)) < 600


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """Missing, a folder, not text, too large."""
    for path, says in ((tmp_path / "none.toml", "No such file"), (tmp_path, "directory")):
        with pytest.raises(PolicyError, match=says):
            load_policy(path)
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(PolicyError, match=r"latin.toml: at byte 8: is not UTF-8"):
        load_policy(tmp_path / "latin.toml")
    (tmp_path / "large.toml").write_bytes(b"#" * (1 << 21))
    with pytest.raises(PolicyError, match="has more than"):
        load_policy(str(tmp_path / "large.toml"))


def test_a_policy_made_in_code_is_held_to_the_guarantee_too() -> None:
    """Passages below it are not searched for."""
    with pytest.raises(PolicyError, match="50 is the least"):
        Policy(name="mine", min_bytes=49)

"""A gem says who it is in its specification."""

from __future__ import annotations

import gzip
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from codecite.indexer.corpus.describe import Described, describe
from codecite.indexer.licenses.effective import effective

SPECIFICATION = """--- !ruby/object:Gem::Specification
name: RedCloth
version: !ruby/object:Gem::Version
  version: 4.10
platform: ruby
date: 2023-05-20 00:00:00.000000000 Z
dependencies:
- !ruby/object:Gem::Dependency
  requirement: &id001 !ruby/object:Gem::Requirement
    requirements:
    - - ">="
      - !ruby/object:Gem::Version
        version: '0'
  version_requirements: *id001
description:
homepage: http://redcloth.org
licenses:
- MIT
- Ruby
metadata:
  source_code_uri: https://github.com/jgarber/redcloth/tree/v4.10
"""


def described(specification: str) -> Described | None:
    """What a gem with this specification says."""
    files = {"metadata.gz": gzip.compress(specification.encode()), "data.tar.gz": b"", "checksums.yaml.gz": b""}
    return describe("x.gem", list(files), files.__getitem__)


def test_name_repository_date_and_licenses_come_from_the_specification() -> None:
    """Ruby's tags are passed over, `4.10` is a version and no number, and several licenses hold all at once."""
    found = described(SPECIFICATION)
    assert found is not None
    assert found.purl == "pkg:gem/RedCloth@4.10"
    assert found.repository == "https://github.com/jgarber/redcloth"
    assert found.released == "2023-05-20"
    assert [(item.expression, item.where, item.text) for item in found.evidence] == [
        ("MIT AND Ruby", "metadata.gz licenses", "MIT\nRuby")
    ]


@pytest.mark.parametrize("date", ["1980-01-02 00:00:00 Z", "2023-13-01", "yesterday", "[2023]"])
def test_a_date_that_is_none_is_left_out(date: str) -> None:
    """Reproducible builds are dated 1980."""
    found = described(SPECIFICATION.replace("2023-05-20 00:00:00.000000000 Z", date))
    assert found is not None
    assert found.released is None


def test_old_specifications_name_one_license_and_a_home_page() -> None:
    """`license`, and a home page on a forge as the repository."""
    found = described("name: x\nversion: '1'\nlicense: GPL-2+\nhomepage: https://github.com/a/b\n")
    assert found is not None
    assert (found.purl, found.repository) == ("pkg:gem/x@1", "https://github.com/a/b")
    assert effective(found.evidence) == "GPL-2.0-or-later"


def test_the_files_of_a_gem_are_no_package_of_their_own() -> None:
    """What `data.tar.gz` holds at its top may look like one."""
    files = {"Cargo.toml": b'[package]\nname = "x"\nversion = "1"\n', "lib/x.rb": b""}
    assert describe("data.tar.gz", list(files), files.__getitem__) is None


def test_a_specification_that_cannot_be_read_is_told() -> None:
    """No gzip, no YAML, no mapping: the evidence says which file, and there is no name."""
    for content in (b"x", gzip.compress(b"a: ["), gzip.compress(b"- a"), gzip.compress(b"\xff\xfe\xff")):
        found = describe("x.gem", ["metadata.gz", "data.tar.gz"], {"metadata.gz": content}.__getitem__)
        assert found is not None
        assert found.purl is None
        assert found.evidence[0].where == "metadata.gz"


def test_a_gem_that_ruby_builds_is_read(tmp_path: Path, require: Callable[..., None]) -> None:
    """The archive as `gem build` writes it today."""
    require("gem")
    (tmp_path / "a.rb").write_text("puts 1\n")
    (tmp_path / "a.gemspec").write_text(
        'Gem::Specification.new { |s| s.name = "demo_gem"; s.version = "1.2.pre"; s.summary = "s"; s.authors = ["A"]; '
        's.licenses = ["BSD-2-Clause"]; s.files = ["a.rb"]; s.homepage = "https://github.com/a/demo" }\n'
    )
    subprocess.run(["gem", "build", "a.gemspec"], cwd=tmp_path, check=True, capture_output=True)
    with tarfile.open(tmp_path / "demo_gem-1.2.pre.gem") as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    found = describe("demo_gem-1.2.pre.gem", list(files), files.__getitem__)
    assert found is not None
    assert (found.purl, found.repository) == ("pkg:gem/demo_gem@1.2.pre", "https://github.com/a/demo")
    assert effective(found.evidence) == "BSD-2-Clause"

"""A crate says who it is in its `Cargo.toml`."""

from __future__ import annotations

from codecite.indexer.corpus.describe import Described, describe
from codecite.indexer.records import EvidenceKind

HASH = "87f635e54d5359fa0eb94b1ef0a684ee3d24cb85"


def described(files: dict[str, str], name: str = "x-1.0.0.crate") -> Described | None:
    """What a crate with these files in its folder says."""
    content = {f"x-1.0.0/{path}": text.encode() for path, text in files.items()}
    return describe(name, list(content), content.__getitem__)


def test_name_repository_revision_and_license_come_from_the_manifest() -> None:
    """So `cargo package` writes it; the slash of old manifests is a choice."""
    manifest = """
        [package]
        name = "zstd-sys"
        version = "2.0.13+zstd.1.5.6"
        license = "MIT/Apache-2.0"
        repository = "https://github.com/gyscos/zstd-rs/tree/main/zstd-safe"
    """
    commit = f'{{"git": {{"sha1": "{HASH}"}}, "path_in_vcs": "zstd-safe"}}'
    found = described({"Cargo.toml": manifest, ".cargo_vcs_info.json": commit, "package.json": "{broken"})
    assert found is not None
    assert found.purl == "pkg:cargo/zstd-sys@2.0.13%2Bzstd.1.5.6"
    assert found.repository == "https://github.com/gyscos/zstd-rs"
    assert found.revision == HASH
    assert [(item.expression, item.where) for item in found.evidence] == [
        ("Apache-2.0 OR MIT", "Cargo.toml license"),
    ]


def test_a_license_file_that_the_manifest_names_is_kept() -> None:
    """Crates under licences of their own name a file instead."""
    manifest = '[package]\nname = "x"\nversion = "1.0.0"\nlicense-file = "legal/terms.txt"\n'
    found = described({"Cargo.toml": manifest, "legal/terms.txt": "\nOur terms\n"})
    assert found is not None
    assert [(item.kind, item.where, item.text) for item in found.evidence] == [
        (EvidenceKind.LICENSE_FILE, "x-1.0.0/legal/terms.txt", "Our terms")
    ]


def test_what_a_workspace_says_is_not_in_the_archive() -> None:
    """A manifest that takes its license over states none; a workspace without a package is none."""
    inherited = (
        '[package]\nname = "x"\nversion = "1.0.0"\nlicense.workspace = true\nrepository = { workspace = true }\n'
    )
    found = described({"Cargo.toml": inherited})
    assert found is not None
    assert (found.purl, found.repository, found.evidence) == ("pkg:cargo/x@1.0.0", None, ())
    assert described({"Cargo.toml": '[workspace]\nmembers = ["a"]\n'}) is None
    assert described({"Cargo.toml": '[package]\nname = "x"\nversion.workspace = true\n'}) is None


def test_a_broken_note_of_the_commit_is_no_harm() -> None:
    """The manifest speaks without it."""
    manifest = '[package]\nname = "x"\nversion = "1.0.0"\n'
    for note in ("{", '{"git": 7}', '{"git": {"sha1": 7}}', '{"git": {"sha1": "main"}}'):
        found = described({"Cargo.toml": manifest, ".cargo_vcs_info.json": note})
        assert found is not None
        assert found.revision is None

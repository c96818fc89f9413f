"""`codecite fingerprint`: what an index needs to know of files, without their text.

In: files and folders. Out: a fingerprint file (`docs/fingerprints.md`), for `codecite scan --fingerprints` elsewhere.
It refuses to know of indexes.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from codecite.search_api.cli.options import ERROR, OK, complain, note
from codecite.search_api.cli.printable import count, printable
from codecite.search_api.cli.progress import ProgressBar

if TYPE_CHECKING:
    from codecite.indexer.fingerprint.handover import Fingerprinted
    from codecite.indexer.records import Skipped
    from codecite.search_api.scan.records import Targets


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE|DIR...", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    default="-",
    show_default=True,
    metavar="FILE",
    help="Where to write; compressed where FILE ends in .gz.",
)
def fingerprint(paths: tuple[Path, ...], output: str) -> int:
    """Write the fingerprints of files, for a scan where their text may not go.

    Of a folder, the files that 'codecite scan' would look at. 'codecite scan --fingerprints FILE' reads them. Who has
    an index can still tell from them what of it stands in the files: docs/fingerprints.md says what.
    """
    from codecite.indexer.fingerprint.handover import lines_of

    targets = _targets(paths)
    skipped: list[str] = [f"{item.path}: {item.reason}" for item in targets.skipped]
    text = "".join(f"{line}\n" for line in lines_of(_fingerprinted(targets, skipped)))
    if output == "-":
        click.echo(text, nl=False)
    elif output.endswith(".gz"):
        Path(output).write_bytes(gzip.compress(text.encode(), mtime=0))
    else:
        Path(output).write_text(text, encoding="utf-8")
    if skipped:
        note(f"codecite: left out {count(len(skipped), 'file')}, such as {printable(skipped[0])}")
    done = text.count("\n") - 1
    if not done:
        complain(f"{paths[0]}: no file with text is here")
        return ERROR
    if output != "-":
        note(f"codecite: wrote the fingerprints of {count(done, 'file')} to {printable(output)}")
    return OK


def _targets(paths: tuple[Path, ...]) -> Targets:
    """All files; those of one folder by their paths in it, all others as they are named."""
    from codecite.search_api.scan.records import Target, Targets
    from codecite.search_api.scan.targets import tree_targets

    if len(paths) == 1 and paths[0].is_dir():
        return tree_targets(paths[0])
    files: list[Target] = []
    left: list[Skipped] = []
    for path in paths:
        if path.is_dir():
            found = tree_targets(path)
            files += [Target((path / item.path).as_posix(), path / item.path) for item in found.files]
            left += found.skipped
        else:
            files.append(Target(path.as_posix(), path))
    return Targets(Path(), tuple(files), tuple(left))


def _fingerprinted(targets: Targets, skipped: list[str]) -> Iterator[Fingerprinted]:
    from codecite.indexer.fingerprint.handover import fingerprinted
    from codecite.indexer.records import Skipped
    from codecite.search_api.scan.engine import read_target

    with ProgressBar() as bar:
        for number, target in enumerate(targets.files, start=1):
            content = read_target(target)
            if isinstance(content, Skipped):
                skipped.append(f"{content.path}: {content.reason}")
            else:
                yield fingerprinted(target.path, content)
            if bar.due:
                bar.draw("fingerprinting", number, number / len(targets.files))

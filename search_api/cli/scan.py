"""`codecite scan`: what of a tree or of a change stands in the index, and whether that is in order.

In: a folder, or a change to it; forms and files to write. Out: findings in these forms; 0, 1 for a verdict `fail`, 2
for an error. It refuses to know how findings come about.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from codecite.indexer.errors import IndexCorruptError, IndexMissingError, IndexVersionError, RemoteError
from codecite.indexer.records import Outcome
from codecite.search_api.cli.options import (
    FAIL,
    OK,
    Places,
    colour_wanted,
    compiling_to_read,
    complain,
    indexes_option,
    note,
    policy_option,
    sources_option,
    strict_option,
)
from codecite.search_api.cli.printable import count, printable
from codecite.search_api.cli.progress import ProgressBar
from codecite.search_api.scan.render.forms import FORMS, NAMES_COMPONENTS, NEEDS_DIGESTS, rendered

if TYPE_CHECKING:
    from codecite.indexer import Index
    from codecite.search_api.scan.engine import Asked
    from codecite.search_api.scan.records import Scan, Targets

_STDIN = "-"
_SBOM_SOURCES = 60
_ROUNDS = 4


def _outputs(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, str]]:
    """`sarif=out.sarif`, `markdown` (to standard output) as pairs."""
    found = []
    for value in values:
        form, _, place = value.partition("=")
        if form not in FORMS:
            raise click.BadParameter(f"{form!r} is no form; choose one of {', '.join(FORMS)}, as FORM=FILE")
        found.append((form, place or _STDIN))
    return found


@click.command()
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--diff", metavar="BASE[..HEAD]", help="Scan what HEAD adds to where it and BASE parted.")
@click.option("--staged", is_flag=True, help="Scan what is to be committed.")
@click.option("--patch", metavar="FILE", help="Scan what a diff adds to PATH (- is standard input).")
@click.option("--fingerprints", metavar="FILE", help="Scan what 'codecite fingerprint' wrote to FILE, not PATH.")
@click.option("--hash-only", is_flag=True, help="Show the index fingerprints only; what it answers is not verified.")
@click.option("--files-from", metavar="FILE", help="Scan the files named in FILE, one a line (- is standard input).")
@click.option(
    "--output",
    "outputs",
    multiple=True,
    default=("text",),
    callback=_outputs,
    metavar="FORM[=FILE]",
    help=f"What to write, and where (- is standard output); several times for several. Forms: {', '.join(FORMS)}.",
)
@click.option("--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Leave out what FILE knows.")
@click.option(
    "--write-baseline", type=click.Path(path_type=Path), metavar="FILE", help="Write all findings to FILE, and pass."
)
@click.option("--fix", "fixing", is_flag=True, help="Write the REUSE blocks, NOTICE entries and texts asked for.")
@click.option("--own", "own", multiple=True, metavar="PATTERN", help="Another own project: a purl or a repository.")
@click.option("--no-own", is_flag=True, help="Do not take the remotes and metadata of PATH for own projects.")
@click.option("--count-apart", is_flag=True, help="Judge generated and vendored files like all others.")
@click.option("--jobs", type=click.IntRange(min=0), default=0, metavar="N", help="Processes; 0 is one for each core.")
@sources_option
@policy_option
@strict_option
@indexes_option
def scan(
    path: Path,
    diff: str | None,
    staged: bool,
    patch: str | None,
    fingerprints: str | None,
    hash_only: bool,
    files_from: str | None,
    outputs: list[tuple[str, str]],
    baseline: Path | None,
    write_baseline: Path | None,
    fixing: bool,
    own: tuple[str, ...],
    no_own: bool,
    count_apart: bool,
    jobs: int,
    sources: int,
    policy: str,
    strict: bool,
    indexes: Places,
) -> int:
    """Scan a tree, or what a change adds, for code of others.

    Findings say what stands where, under which licence, and how to mend it. Passages whose attribution stands in the
    file or near it are none. Exits with 1 where the policy denies one. Git says what is not scanned; so does a file
    .codeciteignore, in the same manner.
    """
    if sum(map(bool, (diff, staged, patch, files_from, fingerprints))) > 1:
        raise click.UsageError("--diff, --staged, --patch, --files-from and --fingerprints exclude each other")
    unread = hash_only or fingerprints is not None
    if unread and fixing:
        raise click.UsageError("--fix needs passages that are verified; scan without --hash-only or --fingerprints")
    if fingerprints is not None and (baseline or write_baseline):
        raise click.UsageError("a baseline knows findings by their text, which is not in --fingerprints")
    from codecite.indexer.attribution.policy import OnFailure, load_policy
    from codecite.search_api.scan.engine import Asked
    from codecite.search_api.scan.own import own_patterns

    held = load_policy(policy)
    targets = _targets(path, diff, staged, patch, files_from) if fingerprints is None else _handed_over(fingerprints)
    mine = (*own, *(() if no_own or fingerprints is not None else own_patterns(targets.root)))
    held = replace(held, own_projects=tuple(dict.fromkeys((*held.own_projects, *mine))))
    if NAMES_COMPONENTS.intersection(form for form, _ in outputs):
        sources = max(sources, _SBOM_SOURCES)
    digests = any(form in NEEDS_DIGESTS for form, _ in outputs)
    known = baseline if write_baseline is None else None
    asked = Asked(
        held,
        sources,
        count_apart=count_apart,
        digests=digests,
        hashes=baseline is not None or write_baseline is not None,
        own=mine,
        jobs=jobs,
        hash_only=hash_only,
    )
    if unread:
        from codecite.indexer.lookup.recognised import UNVERIFIED

        targets = replace(targets, notes=(*targets.notes, UNVERIFIED))
    try:
        from codecite.indexer import open_index

        index = open_index(*indexes)
        with compiling_to_read(index):
            found = _scanned(index, targets, asked, known)
    except (IndexMissingError, IndexCorruptError, IndexVersionError, RemoteError) as error:
        if held.on_failure is OnFailure.CLOSED:
            raise
        complain(f"{error}; the policy {held.name} lets that pass (on_failure = open): nothing was scanned")
        from codecite.search_api.scan.engine import unreachable

        _write(outputs, unreachable(targets, asked, str(error)))
        return OK
    if fixing:
        found = _fixed(index, targets, found, asked, known, changed=diff is not None or staged or patch is not None)
    if write_baseline is not None:
        _write_baseline(write_baseline, found)
        return OK
    if not unread and NAMES_COMPONENTS.intersection(form for form, _ in outputs):
        from codecite.search_api.scan.components import components_of

        found = replace(found, components=components_of(found.files))
    _write(outputs, found)
    failing = (Outcome.FAIL, Outcome.WARN) if strict else (Outcome.FAIL,)
    return FAIL if found.outcome in failing else OK


def _targets(path: Path, diff: str | None, staged: bool, patch: str | None, files_from: str | None) -> Targets:
    from codecite.search_api.scan import targets

    if diff is not None:
        base, dots, head = diff.partition("..")
        return targets.changed_targets(path, base or "HEAD", head.lstrip(".") if dots and head.strip(".") else "HEAD")
    if staged:
        return targets.staged_targets(path)
    if patch is not None:
        return targets.patch_targets(path, _read(patch))
    if files_from is not None:
        names = [os.fsdecode(line) for line in _read(files_from).replace(b"\0", b"\n").splitlines() if line.strip()]
        return targets.listed_targets(path, names)
    return targets.tree_targets(path)


def _handed_over(name: str) -> Targets:
    """The files of a fingerprint file."""
    from codecite.indexer.fingerprint.handover import read_fingerprints
    from codecite.search_api.scan.records import Target, Targets

    files = read_fingerprints(Path(name))
    return Targets(Path(), tuple(Target(file.path, prints=file) for file in files))


def _read(name: str) -> bytes:
    if name != _STDIN:
        return Path(name).read_bytes()
    if sys.stdin.isatty():
        note("reading from this terminal; end it with Ctrl-D")
    return sys.stdin.buffer.read()


def _scanned(index: Index, targets: Targets, asked: Asked, baseline: Path | None) -> Scan:
    from codecite.search_api.scan.baseline import read_baseline
    from codecite.search_api.scan.engine import scan as scan_targets

    known = None if baseline is None else read_baseline(baseline)
    with ProgressBar() as bar:

        def told(done: int, whole: int) -> None:
            if bar.due:
                bar.draw("scanning", done, done / whole if whole else None)

        return scan_targets(index, targets, asked, known, told)


def _fixed(index: Index, targets: Targets, found: Scan, asked: Asked, known: Path | None, *, changed: bool) -> Scan:
    """Write what is asked for, and scan again what was written to, until nothing more is asked for."""
    from codecite.search_api.scan.fix import fix, fixable

    for _ in range(_ROUNDS):
        asking = fixable(found.findings)
        if not asking:
            break
        done = fix(found, asking, asked.policy, index.file_beside)
        for name in done.written:
            note(f"codecite: wrote {printable(name)}")
        for text in done.left:
            complain(f"left to do: {text}")
        if changed:
            mended = sum(finding.path in done.written for finding in asking)
            note(f"codecite: {count(mended, 'finding')} mended in the tree; commit that")
            return found
        if not done.written:
            break
        found = _scanned(index, targets, asked, known)
    return found


def _write_baseline(place: Path, found: Scan) -> None:
    from codecite.search_api.scan.baseline import baseline_text

    place.write_text(baseline_text((*found.findings, *found.apart)), encoding="utf-8")
    note(f"codecite: wrote {count(len(found.findings) + len(found.apart), 'finding')} to {printable(str(place))}")


def _write(outputs: list[tuple[str, str]], found: Scan) -> None:
    for form, place in outputs:
        if place == _STDIN:
            click.echo(rendered(form, found, colour=colour_wanted()), nl=False)
        else:
            Path(place).write_text(rendered(form, found), encoding="utf-8", errors="backslashreplace")
    if all(place != _STDIN for _, place in outputs):
        places = ", ".join(printable(place) for _, place in outputs)
        note(f"codecite: {found.outcome!s}: {count(len(found.findings), 'finding')}; wrote {places}")

"""Findings that ask for a notice -> the REUSE blocks, the NOTICE entries and the licence texts, written.

In: a Scan, a way to read files of a source's package. Out: the files that were written, and what could not be. It
refuses to know how findings come about. Where all of it stands already nothing is written, so that it may run again.

A block goes around the lines of its passage, a little wider where a comment could not stand there (in a string, after
a backslash). Blocks that would cross are cut where the first ends. A file that takes no comments is named in NOTICE.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from codecite.indexer.attribution.policy import Policy
from codecite.indexer.attribution.shipping import Credit, Notice, ReadFile, notice_of
from codecite.indexer.attribution.snippets import Snippet, snippets_of
from codecite.indexer.licenses.expression import parse
from codecite.indexer.licenses.tables import license_text
from codecite.indexer.report_json import attribution_to_dict
from codecite.search_api.scan.gaps import may_hold, safe_gaps
from codecite.search_api.scan.records import Finding, Rule, Scan
from codecite.search_api.scan.satisfied import words_of

FIXABLE = (Rule.VERBATIM_UNATTRIBUTED, Rule.ATTRIBUTION_MISSING)
_NOTICES = ("NOTICE", "NOTICE.txt", "NOTICE.md")
_REUSE = ("LICENSES", "REUSE.toml", ".reuse")
_INTRODUCTION = "This project holds code of others, under the licences named here; their texts are in LICENSES/.\n"


@dataclass(slots=True)
class Fixed:
    """What was written, and what must be done by hand."""

    written: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Block:
    """A snippet block to insert: the gaps above and below it, and its lines."""

    above: int
    below: int
    begin: tuple[str, ...]
    end: str


def fixable(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that a notice mends."""
    return [finding for finding in findings if finding.rule in FIXABLE and finding.attribution is not None]


def notice_for(findings: Iterable[Finding], policy: Policy, read: ReadFile) -> Notice:
    """The Notice for the passages of findings."""
    by_path: dict[str, list[Finding]] = {}
    for finding in findings:
        by_path.setdefault(finding.path, []).append(finding)
    reports = [
        (path, {"matches": [attribution_to_dict(item.attribution) for item in items if item.attribution]})
        for path, items in by_path.items()
    ]
    return notice_of(reports, policy, read)


def fix(scan: Scan, findings: Iterable[Finding], policy: Policy, read: ReadFile) -> Fixed:
    """Write what the findings ask for into the tree that was scanned."""
    root = Path(scan.root)
    done = Fixed()
    notice = notice_for(fixable(findings), policy, read)
    digests = {file.path: file.sha256 for file in scan.files}
    by_path: dict[str, list[Snippet]] = {}
    for snippet in snippets_of(notice):
        by_path.setdefault(snippet.place.path, []).append(snippet)
    for path, snippets in by_path.items():
        _fix_file(root, path, snippets, digests.get(path, ""), done)
    if notice.credits:
        _write_notice(root, notice, done)
        for credit in notice.credits:
            _write_texts(root, credit, notice, done)
    done.left += [
        f"{item.place.path}:{item.place.start_line}: {item.project} under {item.license}: {item.message}"
        for item in notice.unsettled
    ]
    done.written = list(dict.fromkeys(done.written))
    done.left = list(dict.fromkeys(done.left))
    return done


def _fix_file(root: Path, path: str, snippets: list[Snippet], digest: str, done: Fixed) -> None:
    place = root / path
    if not may_hold(path):
        return  # NOTICE names it
    try:
        content = place.read_bytes()
        text = content.decode("utf-8")
    except OSError as error:
        done.left.append(f"{path}: cannot be read ({error.strerror}); put the block of `codecite notice --snippets` in")
        return
    except UnicodeDecodeError:
        done.left.append(f"{path}: is not UTF-8, so no block is written into it; NOTICE names its sources")
        return
    if hashlib.sha256(content).hexdigest() != digest:
        done.left.append(f"{path}: is not as it was scanned; check out what was scanned, or scan the tree")
        return
    made = with_blocks(path, text, snippets)
    if made != text:
        write_whole(place, made.encode("utf-8"))
        done.written.append(path)


def with_blocks(path: str, text: str, snippets: Iterable[Snippet]) -> str:
    """The text with its blocks."""
    ending = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    lines = text.removesuffix("\n").split("\n")
    gaps = safe_gaps(path, lines)
    above: dict[int, list[str]] = {}
    below: dict[int, list[str]] = {}
    for block in _apart(_blocks(snippets, gaps, len(lines))):
        above.setdefault(block.above, []).extend(block.begin)
        below.setdefault(block.below, []).insert(0, block.end)
    made: list[str] = []
    for number in range(len(lines) + 1):
        made += below.get(number, []) + above.get(number, [])
        if number < len(lines):
            made.append(lines[number].removesuffix("\r") if ending == "\r\n" else lines[number])
    return ending.join(made) + (ending if text.endswith("\n") or len(lines) in below else "")


def _blocks(snippets: Iterable[Snippet], gaps: list[bool], last: int) -> list[_Block]:
    """The blocks in gaps where they may stand, those of one credit that touch as one; gap n is above line n + 1."""
    found: dict[tuple[str, ...], list[_Block]] = {}
    for snippet in snippets:
        above, below = snippet.place.start_line - 1, min(last, snippet.place.end_line)
        while above > 0 and not gaps[above]:
            above -= 1
        while above < last and not gaps[above]:
            above += 1
        while below < last and not gaps[below]:
            below += 1
        if above >= below:
            continue
        mine = found.setdefault(snippet.begin[:-1], [])
        if mine and above <= mine[-1].below:
            mine[-1].below = max(mine[-1].below, below)
        else:
            mine.append(_Block(above, below, snippet.begin, snippet.end))
    return sorted((block for blocks in found.values() for block in blocks), key=lambda item: (item.above, -item.below))


def _apart(blocks: list[_Block]) -> list[_Block]:
    """Blocks that lie within each other or apart."""
    kept: list[_Block] = []
    for block in blocks:
        for other in kept:
            if other.above <= block.above < other.below < block.below:
                block.above = other.below
        if block.above < block.below:
            kept.append(block)
    return sorted(kept, key=lambda item: (item.above, -item.below))


def _write_notice(root: Path, notice: Notice, done: Fixed) -> None:
    place = next((root / name for name in _NOTICES if (root / name).is_file()), root / _NOTICES[0])
    is_new = not place.exists()
    try:
        text = "" if is_new else place.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        done.left.append(f"{place.name}: cannot be read ({error.strerror})")
        return
    words = words_of(text)
    entries = []
    for credit in notice.credits:
        entry = _entry(credit)
        if not all(words_of(line) in words for line in entry):
            entries.append("\n".join(entry) + "\n")
    if not entries:
        return
    head = text.rstrip("\n") + "\n\n" if text.strip() else _INTRODUCTION + "\n"
    made = head + "\n".join(entries)
    write_whole(place, made.encode("utf-8", "surrogateescape"))
    done.written.append(place.name)
    if is_new and any((root / name).exists() for name in _REUSE):
        licenses = " AND ".join(dict.fromkeys(f"({credit.license})" for credit in notice.credits))
        owners = dict.fromkeys(owner for credit in notice.credits for owner in credit.copyright)
        lines = [f"SPDX-FileCopyrightText: {owner}" for owner in owners or ["the projects named in the file"]]
        beside = place.with_name(f"{place.name}.license")
        write_whole(beside, "\n".join([*lines, "", f"SPDX-License-Identifier: {licenses}", ""]).encode())
        done.written.append(beside.name)


def _entry(credit: Credit) -> list[str]:
    lines = [credit.project, f"    License: {credit.license}"]
    lines += [f"    {owner}" for owner in credit.copyright]
    for file in credit.notices:
        lines += [f"    {file.path}:", *(f"        {line}".rstrip() for line in file.text.split("\n"))]
    return lines


def _write_texts(root: Path, credit: Credit, notice: Notice, done: Fixed) -> None:
    """The texts of all licences that a credit names, in `LICENSES/`."""
    own = {text.id: text.text for text in notice.texts}
    tree = parse(credit.license)
    for leaf in tree.leaves if tree else []:
        for name in filter(None, (leaf.license, leaf.exception)):
            place = root / "LICENSES" / f"{name}.txt"
            if place.exists():
                continue
            listed = license_text(name)
            text = listed[1] if listed else own.get(name)
            if text is None:
                done.left.append(f"LICENSES/{name}.txt: its text was not found; add it by hand")
                continue
            place.parent.mkdir(exist_ok=True)
            write_whole(place, (text.strip("\n") + "\n").encode("utf-8"))
            done.written.append(f"LICENSES/{name}.txt")


def write_whole(place: Path, content: bytes) -> None:
    """Write a file so that it is whole at every moment; its mode stays."""
    mode = place.stat().st_mode & 0o7777 if place.exists() else None
    other = place.with_name(f".{place.name}.codecite-{os.getpid()}")
    try:
        other.write_bytes(content)
        if mode is not None:
            other.chmod(mode)
        other.replace(place)
    finally:
        other.unlink(missing_ok=True)

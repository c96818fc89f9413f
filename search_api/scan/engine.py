"""Targets and an index -> a Scan, on all cores.

In: Targets, an opened index, a Policy, what else was asked for. Out: the Scan. It refuses to know how files were
chosen and how the Scan is shown.

Few files are scanned in this process; many are dealt out to forked ones, which have the opened index and the compiled
kernels of this one (the first file is checked here, so that nothing is compiled twice). What tells languages is loaded
after that, in each of them: a process that has loaded it should not fork.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from codecite.indexer.attribution.judge import sources_wanted, worst
from codecite.indexer.attribution.policy import MIN_BYTES, Policy
from codecite.indexer.corpus.units import MAX_FILE_BYTES
from codecite.indexer.errors import CodeciteError, TextError
from codecite.indexer.records import Attribution, FileMark, Outcome, Report, Skipped, SkipReason
from codecite.search_api.scan.baseline import Baseline
from codecite.search_api.scan.ignores import Note, note_for, read_notes, unused
from codecite.search_api.scan.judging import File, canonical, counts, findings_of, starts_of, with_hashes
from codecite.search_api.scan.records import Finding, Ignored, Rule, Scan, Scanned, Severity, Target, Targets
from codecite.search_api.scan.satisfied import FileStanding, Near
from codecite.search_api.scan.unread import recognised, scanned_unread

if TYPE_CHECKING:
    from codecite.indexer import Index

_HEAD = 8192
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_SHARE_FILES = 48
_SHARE_BYTES = 1 << 20
_ALONE = 1 << 19
"""Bytes of files that are not worth the start of other processes."""

_OUTCOMES = {Severity.ERROR: Outcome.FAIL, Severity.WARNING: Outcome.WARN, Severity.NOTE: Outcome.PASS}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of each file: `policy` with the own projects in it, `sources` to keep, the day.

    `digests` asks for the SHA-1 and the SWHID of files, too, of which nothing stands in the index; `hashes` for
    what a baseline knows findings by; `hash_only` shows the index the fingerprints of files alone.
    """

    policy: Policy
    sources: int = 10
    today: date | None = None
    count_apart: bool = False
    digests: bool = False
    hashes: bool = False
    own: tuple[str, ...] = ()
    jobs: int = 0
    hash_only: bool = False

    @property
    def shortest(self) -> int:
        """Bytes of the shortest passage that can be a finding: shorter ones are not asked for a notice."""
        may_object = sources_wanted(self.policy) > 0
        return self.policy.min_bytes if may_object else max(self.policy.min_bytes, MIN_BYTES)


@dataclass(frozen=True, slots=True)
class _Work:
    """What every process has: the index, what is asked, the targets, and what stood there before in canonical form."""

    index: Index
    asked: Asked
    targets: Targets
    before: tuple[bytes, ...]
    near: Near


Told = Callable[[int, int], None]
"""Is told how many bytes of how many are done."""


def scan(
    index: Index, targets: Targets, asked: Asked, baseline: Baseline | None = None, told: Told | None = None
) -> Scan:
    """Scan the targets. Raises CodeciteError where the index cannot answer."""
    before = tuple(canonical(text) for text in targets.before)
    work = _Work(index, asked, targets, before, Near(targets.root))
    results = _results(work, told or (lambda done, size: None))
    files = [item for item in results if isinstance(item, Scanned)]
    skipped = [*targets.skipped, *(item for item in results if isinstance(item, Skipped))]
    files, known = _without_known(files, baseline)
    findings = [finding for file in files if asked.count_apart or not file.apart for finding in file.findings]
    apart = [finding for file in files if file.apart and not asked.count_apart for finding in file.findings]
    return Scan(
        root=str(targets.root),
        policy=asked.policy.name,
        indexes=index.coverage,
        files=tuple(files),
        findings=tuple(findings),
        apart=tuple(apart),
        ignored=tuple([item for file in files for item in file.ignored] + known),
        skipped=tuple(sorted(skipped, key=lambda item: item.path)),
        outcome=worst(_OUTCOMES[finding.severity] for finding in findings),
        own=asked.own,
        notes=targets.notes,
        created=_now(),
    )


def unreachable(targets: Targets, asked: Asked, why: str) -> Scan:
    """The Scan where the index cannot answer and the policy lets that pass: one note that says so."""
    mend = "Make the index reachable, and scan again; on_failure in the policy says what happens until then."
    finding = Finding(".", Rule.INDEX_UNREACHABLE, Severity.NOTE, why, mend, ((1, 1),))
    skipped = targets.skipped
    return Scan(str(targets.root), asked.policy.name, (), (), (finding,), (), (), skipped, Outcome.PASS, created=_now())


def _now() -> str:
    """The time of the scan, or that which reproducible builds state."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else datetime.now(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _without_known(files: list[Scanned], baseline: Baseline | None) -> tuple[list[Scanned], list[Ignored]]:
    if baseline is None:
        return files, []
    every = [(place, finding) for place, file in enumerate(files) for finding in file.findings]
    known = baseline.known([finding for _, finding in every])
    left: dict[int, list[Finding]] = {}
    for number, (place, finding) in enumerate(every):
        if number not in known:
            left.setdefault(place, []).append(finding)
    ignored = [Ignored(every[number][1], "in the baseline") for number in sorted(known)]
    return [replace(file, findings=tuple(left.get(place, ()))) for place, file in enumerate(files)], ignored


def _results(work: _Work, told: Told) -> list[Scanned | Skipped]:
    """What became of each target, in their order."""
    targets = work.targets.files
    sizes = [_size(target) for target in targets]
    whole = sum(sizes)
    shares = list(_shares(sizes))
    workers = work.asked.jobs or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
    found: list[Scanned | Skipped] = []
    if whole <= _ALONE or workers < 2 or len(shares) < 2:
        done = 0
        for first, last in shares:
            found += _scanned_share(work, first, last)
            done += sum(sizes[first:last])
            told(done, whole)
        return found
    _warm(work)
    answers: dict[int, list[Scanned | Skipped]] = {}
    sys.stdout.flush()
    sys.stderr.flush()
    executor = ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), _begin, (work,))
    try:
        futures: dict[Future[list[Scanned | Skipped]], tuple[int, int]] = {
            executor.submit(_scan_share, first, last): (first, last) for first, last in shares
        }
        done = 0
        for future in as_completed(futures):
            first, last = futures[future]
            answers[first] = future.result()
            done += sum(sizes[first:last])
            told(done, whole)
    except BrokenProcessPool:
        text = f"{work.targets.root}: a process of the scan was ended (out of memory?); try --jobs 1"
        raise CodeciteError(text) from None
    finally:
        executor.shutdown(cancel_futures=True)
    return [item for first in sorted(answers) for item in answers[first]]


def _warm(work: _Work) -> None:
    """Check one file here, which compiles or loads all that the others need, and opens the views of the index."""
    asked = work.asked
    for target in work.targets.files:
        content = read_target(target) if target.prints is None else None
        if not isinstance(content, bytes):
            continue
        if asked.hash_only:
            recognised(work.index, target.path, content[:_HEAD], asked.policy, asked.sources, asked.shortest)
        else:
            work.index.check(content[:_HEAD], policy=asked.policy, sources=asked.sources)
        return


def _size(target: Target) -> int:
    if target.prints is not None:
        return target.prints.size
    if target.content is not None:
        return len(target.content)
    with suppress(OSError):
        return target.place.stat().st_size if target.place else 0
    return 0


def _shares(sizes: list[int]) -> Iterator[tuple[int, int]]:
    first = size = 0
    for number, one in enumerate(sizes, start=1):
        size += one
        if size >= _SHARE_BYTES or number - first >= _SHARE_FILES:
            yield first, number
            first, size = number, 0
    if first < len(sizes):
        yield first, len(sizes)


_dealt: _Work
"""In a forked process: what it works on."""


def _begin(work: _Work) -> None:
    global _dealt
    _dealt = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent ends its processes.


def _scan_share(first: int, last: int) -> list[Scanned | Skipped]:
    return _scanned_share(_dealt, first, last)


def _scanned_share(work: _Work, first: int, last: int) -> list[Scanned | Skipped]:
    """Scan some files, whose Reports are asked for together."""
    asked, targets = work.asked, work.targets.files[first:last]
    contents = [b"" if target.prints is not None else read_target(target) for target in targets]
    # What has no text here is empty; what is read is not.
    texts = [] if asked.hash_only else [content for content in contents if isinstance(content, bytes) and content]
    reports = work.index.check_many(texts, policy=asked.policy, sources=asked.sources, shortest=asked.shortest)
    return [
        content if isinstance(content, Skipped) else _scanned(work, target, content, reports)
        for target, content in zip(targets, contents, strict=True)
    ]


def read_target(target: Target) -> bytes | Skipped:
    """The content of a target as it is checked: UTF-16 behind a byte order mark as UTF-8."""
    content = target.content
    if content is None:
        place = target.place or Path()
        try:
            size = place.stat().st_size
            if size > MAX_FILE_BYTES:
                return Skipped(target.path, SkipReason.TOO_LARGE, f"{size:,} bytes, the limit is {MAX_FILE_BYTES:,}")
            content = place.read_bytes()
        except OSError as error:
            return Skipped(target.path, SkipReason.UNREADABLE, error.strerror or str(error))
    if content[:2] in _BYTE_ORDER_MARKS:
        with suppress(UnicodeDecodeError):
            return content.decode("utf-16").encode()
    if not content:
        return Skipped(target.path, SkipReason.EMPTY)
    nul = content.find(b"\0", 0, _HEAD)
    if nul >= 0:
        return Skipped(target.path, SkipReason.BINARY, f"NUL at byte {nul}")
    return content


def _scanned(work: _Work, target: Target, content: bytes, reports: Iterator[Report | TextError]) -> Scanned | Skipped:
    """Scan one file; the next of the Reports is that on its text, unless only its fingerprints are shown."""
    asked = work.asked
    if target.prints is not None:
        return scanned_unread(work.index, target.prints, asked.policy, asked.sources, asked.shortest)
    attributions: Sequence[Attribution]
    if asked.hash_only:
        attributions, reasons = recognised(
            work.index, target.path, content, asked.policy, asked.sources, asked.shortest
        )
        sha256 = hashlib.sha256(content).hexdigest()
    else:
        report = next(reports)
        if isinstance(report, TextError):  # a server takes no text of this size
            return Skipped(target.path, SkipReason.TOO_LARGE, str(report))
        attributions, reasons, sha256 = report.attributions, report.verdict.reasons, report.text_sha256
    passages = tuple(item for item in attributions if counts(item, asked.policy))
    lines = content.count(b"\n") + (not content.endswith(b"\n"))
    scanned = Scanned(target.path, "", "", sha256, len(content), 0, lines, passages=passages)
    notes: list[Note] = []
    wrong: list[Finding] = []
    if b"codecite:" in content:
        text = content.decode("utf-8", "surrogateescape")
        notes, wrong = read_notes(target.path, text, asked.today or date.today())
        if target.added is not None:
            wrong = [item for item in wrong if any(a <= item.start_line <= b for a, b in target.added)]
    # Most files hold nothing of others: no more is asked of them than what all forms need.
    if passages or asked.digests:
        digest = hashlib.sha1(b"blob %d\0" % len(content), usedforsecurity=False)
        digest.update(content)
        sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest() if asked.digests else ""
        swhid = f"swh:1:cnt:{digest.hexdigest()}"
        scanned = replace(scanned, swhid=swhid, sha1=sha1, canonical=len(canonical(content)))
    if not passages and not notes and not wrong:
        return scanned
    marks = _marks(target.path, content)
    scanned = replace(scanned, marks=marks)
    found: list[Finding] = []
    satisfied: list[Attribution] = []
    if passages:
        file = File(target.path, content, starts_of(content), target.added, marks)
        standing = FileStanding(target.path, content, work.near)
        found, satisfied = findings_of(file, passages, reasons, asked.policy, standing, work.before)
    if asked.hashes:
        found = [with_hashes(finding, content) for finding in found]
    kept, ignored = [], []
    for finding in _mended(work, found):
        note = note_for(finding, (finding.regions[0][0], finding.regions[0][1]), notes)
        if note is None:
            kept.append(finding)
        else:
            ignored.append(Ignored(finding, note.reason))
    findings = (*kept, *wrong, *unused(target.path, notes, target.added))
    return replace(scanned, findings=findings, ignored=tuple(ignored), satisfied=tuple(satisfied))


def _mended(work: _Work, found: list[Finding]) -> list[Finding]:
    """The findings, those that lack a notice with the block to put around the passage."""
    from codecite.indexer.attribution.snippets import snippets_of
    from codecite.search_api.scan.fix import fixable, notice_for

    mended = []
    for finding in found:
        if fixable([finding]):
            snippets = snippets_of(notice_for([finding], work.asked.policy, work.index.file_beside))
            if snippets:
                block = "\n".join((*snippets[0].begin, "...", snippets[0].end))
                mend = f"Put this around the lines, or let `codecite scan --fix` do it:\n{block}"
                finding = replace(finding, mend=mend)
        mended.append(finding)
    return mended


def _marks(path: str, content: bytes) -> tuple[FileMark, ...]:
    from codecite.indexer.corpus.language import marks_of

    return marks_of(path, content)

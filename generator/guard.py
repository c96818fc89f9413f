"""The guard: pieces of a completion in, what may be told of it out, so that no denied passage ever is.

In: the Writing of a model, a StreamChecker on it, a Policy. Out: Events but the last, then `completion` and what was
`prevented`. It refuses to know what model writes and in what the checker looks.

Under `annotate` every piece is told at once, and what the checker finds behind it. Under the other actions a piece is
told when a look has found the text up to it free of denied passages; so what was told, and all up to the last look
(`_good`), may stand. What the checker finds is told once the text is that it is of. A passage is denied when the
policy's verdict on it is `fail`: it then has `min_bytes` bytes inside the completion. What happens then:

* `truncate`: the completion ends before the piece with which the passage gets its `min_bytes`.
* `regenerate`: the model goes back to before the passage, or to the last piece that was told, may not go on as it did,
  and goes on; after TURNS times, or if it cannot, the completion is truncated. So that there is something to
  go back to, a passage that stands under a denied licence is held back from its beginning, and so are the last T - 1
  canonical bytes, in which one may begin; but never more than `min_bytes` canonical bytes.
* `block`: nothing of the completion is to be used.

Marks, by which a policy passes a passage over, depend on the rest of the passage's line, too: a marked passage under a
denied licence is held back until that line may be told as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from codecite.generator.events import Event, Text, Withdrawn
from codecite.generator.model import Writing
from codecite.indexer.attribution.judge import license_outcome
from codecite.indexer.attribution.policy import OnDenial, OnFailure, Policy
from codecite.indexer.errors import CodeciteError, ModelError
from codecite.indexer.lookup.stream import LOOK, SPACE, State
from codecite.indexer.records import Attribution, Outcome, Prevented, Report
from codecite.indexer.stream import Change, Latest, StreamChecker

TURNS = 16
"""How often a model goes back in one completion."""

WHITE_SPACE = SPACE.decode()


def patience(policy: Policy) -> int:
    """How many canonical bytes are written before the next look.

    Fewer where the model is to go back: what was written between two looks can then still be held back.
    """
    return LOOK if policy.on_denial is not OnDenial.REGENERATE else max(LOOK // 2, min(LOOK, policy.min_bytes // 3))


class Guard:
    """One completion under guard. Iterate over `events` to its end; then read the rest.

    `before` is how many code points of context stand before the completion. `error` says why the model failed,
    `failure` why the index did; then there is no `report`. `notes` are for the reader of the Report.
    """

    def __init__(self, writing: Writing, checker: StreamChecker, policy: Policy, before: int) -> None:
        self.completion = ""
        self.report: Report | None = None
        self.prevented: list[Prevented] = []
        self.error: str | None = None
        self.failure: str | None = None
        self.notes: list[str] = []
        self._writing = writing
        self._checker = checker
        self._policy = policy
        self._before = before
        self._changes: list[Change] = []
        self._known: set[tuple[State, str]] = set()
        self._ends: list[int] = []
        self._told = 0
        self._good = 0
        self._turns = 0
        self._over = False

    def events(self) -> Iterator[Event]:
        """What may be told, in its order; all but the End."""
        try:
            while not self._over:
                piece = self._next()
                if piece is None:
                    yield from self._at_the_end()
                elif piece:
                    yield from self._one(piece)
        finally:
            self._writing.close()
            self.notes[:0] = self._writing.notes
        yield from self._finish()

    def _next(self) -> str | None:
        try:
            return next(self._writing, None)
        except ModelError as error:
            self.error = str(error)
            return None

    def _one(self, piece: str) -> Iterator[Event]:
        self.completion += piece
        self._ends.append(len(self.completion))
        if self._unguarded:
            yield from self._tell(len(self.completion))
        looks = self._checker.looks
        self._look(lambda: self._checker.feed(piece))
        if self._unguarded:
            yield from self._tell(len(self.completion))
        elif self._checker.looks > looks:
            yield from self._judged()

    def _at_the_end(self) -> Iterator[Event]:
        """The model has come to its end, or failed: the text, joined with what comes after it, is looked at whole."""
        self._over = True
        self._look(self._checker.flush)
        if self._unguarded or self.failure is not None:
            return
        yield from self._judged()
        if self._over and self._policy.on_denial is not OnDenial.TRUNCATE:
            denied = self._whole()
            if denied:
                yield from self._deny(denied)

    def _look(self, look: Callable[[], list[Change]]) -> None:
        """Feed the checker; note why it fails, and do then as the policy says."""
        if self.failure is not None:
            return
        try:
            self._changes += look()
        except (CodeciteError, OSError) as error:
            self.failure = str(error)
            self._over = self._over or self._policy.on_failure is OnFailure.CLOSED

    def _judged(self) -> Iterator[Event]:
        """A look is over: act on what it denies, else tell what may be told."""
        latest = self._checker.latest
        denied = [item.attribution for item in latest if _denied(item.attribution)]
        if denied:
            yield from self._deny(denied)
        else:
            self._good = self._checker.looked
            yield from self._tell(self._free(latest))

    def _deny(self, denied: list[Attribution]) -> Iterator[Event]:
        action = self._policy.on_denial
        if action is OnDenial.REGENERATE and not self._go_back(denied):
            action = OnDenial.TRUNCATE
        found = [Prevented(str(action), item) for item in denied]
        self.prevented += found
        yield from found
        self._over = action is not OnDenial.REGENERATE
        if action is OnDenial.BLOCK:
            self._told = 0
            self._shorten(0)
            yield Withdrawn()
        elif action is OnDenial.TRUNCATE:
            self._shorten(max(self._good, self._end_of_a_piece(min(map(self._reportable, denied)))))

    def _reportable(self, item: Attribution) -> int:
        """Where the completion must end so that fewer than `min_bytes` of a passage are in it."""
        end, held = max(0, item.match.start - self._before), 0
        while held < self._policy.min_bytes:
            held += _canonical(self.completion[end])
            end += 1
        return end - 1

    def _go_back(self, denied: list[Attribution]) -> bool:
        """Take the model back to before the first denied passage, as far as nothing of that was told."""
        told = self._told + self._before
        if self._turns == TURNS or self.error is not None or all(item.match.end <= told for item in denied):
            return False
        start = min(item.match.start for item in denied) - self._before
        try:
            left = self._writing.go_back(self._end_of_a_piece(start))
        except ModelError as error:
            self.error = str(error)
            return False
        if left is None or left < self._told:
            self.notes.append("the model could not go back to before a denied passage: the completion was truncated")
            return False
        self._turns += 1
        self._shorten(left)
        return True

    def _shorten(self, length: int) -> None:
        self.completion = self.completion[:length]
        self.report = None
        self._checker.cut(length)
        self._good = min(self._good, length)
        self._ends = [end for end in self._ends if end < length] + [length]
        reach = length + self._before
        self._changes = [change for change in self._changes if change.attribution.match.end <= reach]

    def _tell(self, end: int) -> Iterator[Event]:
        """Tell the completion up to the last end of a piece before `end`, and of its passages."""
        end = self._end_of_a_piece(end)
        if end > self._told:
            yield Text(self.completion[self._told : end])
            self._told = end
        if self._changes:
            reach = self._told + self._before
            for change in self._changes:
                match = change.attribution.match
                if match.end <= reach and (change.state, match.id) not in self._known:
                    self._known.add((change.state, match.id))
                    yield change
            self._changes = [change for change in self._changes if change.attribution.match.end > reach]

    def _end_of_a_piece(self, limit: int) -> int:
        """The last end of a piece up to `limit`, not before what was told."""
        self._ends = [end for end in self._ends if end > self._told]
        return max((end for end in self._ends if end <= limit), default=self._told)

    def _free(self, latest: tuple[Latest, ...]) -> int:
        """How much of the completion may be told after a look that denied nothing."""
        free = self._good
        threats = [item for item in latest if self._may_be_denied(item.attribution)]
        if self._policy.on_denial is OnDenial.REGENERATE:
            starts = [item.attribution.match.start - self._before for item in threats if item.open]
            free = max(min([free, self._checker.undecided, *starts]), self._old())
        for item in reversed(threats):
            if item.attribution.marks and free < self._end_of_line(item):
                free = min(free, item.attribution.match.start - self._before)
        return free

    def _may_be_denied(self, item: Attribution) -> bool:
        licenses = item.match.counts.licenses
        return any(license_outcome(license, self._policy) is Outcome.FAIL for license in licenses)

    def _end_of_line(self, item: Latest) -> int:
        """Where the last line of a passage ends; behind the completion where that is not known yet."""
        end = max(0, item.attribution.match.end - self._before)
        found = -1 if item.open else self.completion.find("\n", end)
        return len(self.completion) + 1 if found < 0 else found + 1

    def _old(self) -> int:
        """Where what must be told now ends, so that no more than `min_bytes` are held back before the next look."""
        held, end = 0, self._good
        while end and held < self._policy.min_bytes - patience(self._policy):
            end -= 1
            held += _canonical(self.completion[end])
        return end

    def _whole(self) -> list[Attribution]:
        """What is denied of the whole, whose Report is kept."""
        try:
            self.report = self._checker.finish()
        except (CodeciteError, OSError) as error:
            self.failure = str(error)
            return []
        return [item for item in self.report.attributions if _denied(item)]

    def _finish(self) -> Iterator[Event]:
        """The Report, and what is left to be told.

        A completion that was cut may join what comes after it in a new way: where that is denied, it is cut again.
        """
        if self.failure is not None and self._policy.on_failure is OnFailure.CLOSED:
            self.completion = self.completion[: self._told]
            return
        while self.failure is None and self.report is None:
            denied = self._whole()
            if denied and not self._unguarded and len(self.completion) > self._told:
                found = [Prevented(str(OnDenial.TRUNCATE), item) for item in denied]
                self.prevented += found
                yield from found
                start = min(item.match.start for item in denied) - self._before
                self._shorten(self._end_of_a_piece(min(start, len(self.completion) - 1)))
        self._ends.append(len(self.completion))
        yield from self._tell(len(self.completion))

    @property
    def _unguarded(self) -> bool:
        opened = self.failure is not None and self._policy.on_failure is OnFailure.OPEN
        return opened or self._policy.on_denial is OnDenial.ANNOTATE


def _denied(item: Attribution) -> bool:
    return item.outcome is Outcome.FAIL


def _canonical(character: str) -> int:
    return 0 if character in WHITE_SPACE else len(character.encode())

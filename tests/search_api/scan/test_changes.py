"""What a change adds: planted passages are found, and nothing outside the added lines is."""

from __future__ import annotations

import re
from pathlib import Path

from oracle.projects import Repository, own_code, reformatted

DENY = ("--policy", "permissive-only")


def added_by(repository, base: str, head: str = "HEAD") -> dict[str, set[int]]:
    """The lines that a change adds, by path, as git's own porcelain says."""
    found: dict[str, set[int]] = {}
    path = ""
    for line in repository.git("-c", "core.quotePath=false", "diff", "-U0", "-M", f"{base}...{head}").split("\n"):
        if line.startswith("+++ "):
            path = line[4:].rstrip("\t").removeprefix("b/")
        head_of = re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line)
        if head_of:
            first, size = int(head_of[1]), int(head_of[2] or 1)
            found.setdefault(path, set()).update(range(first, first + size))
    return found


def outside(findings: list[dict], added: dict[str, set[int]]) -> list[dict]:
    """The findings with a line that the change did not add."""
    return [
        finding
        for finding in findings
        for first, last in finding["regions"]
        if not set(range(first, last + 1)) <= added.get(finding["path"], set())
    ]


def test_every_planted_passage_is_found_and_nothing_outside_the_added_lines(repository, scanned, gpl_functions) -> None:
    """GPL functions, verbatim and laid out anew, put into files of ten thousand lines between own code."""
    planted = gpl_functions[:60]
    assert len(planted) == 60
    for number in range(10):
        repository.write(f"app/part_{number}.py", own_code(number, 150))
    base = repository.commit()
    places: list[tuple[str, int, int]] = []
    for number in range(10):
        text = own_code(number, 150)
        for step in range(6):
            function = planted[6 * number + step]
            text += own_code(1000 + 10 * number + step, 8)
            made = reformatted(function) if step % 2 else function
            first = text.count("\n") + 1
            text += made
            places.append((f"app/part_{number}.py", first, first + made.count("\n") - 1))
        repository.write(f"app/part_{number}.py", text + own_code(5000 + number, 20))
    repository.commit()
    read = scanned(repository.root, "--diff", f"{base}..HEAD", *DENY)
    for path, first, last in places:
        hits = [item for item in read["findings"] if item["path"] == path and item["rule"] == "verbatim-denied"]
        assert any(item["start_line"] <= last and first <= item["end_line"] for item in hits), (path, first, last)
    assert outside(read["findings"], added_by(repository, base)) == []
    assert read["outcome"] == "fail"


def test_one_line_more_in_an_old_copy_is_judged_with_the_whole_passage(repository, scanned, gpl_functions) -> None:
    """A copy whose last lines a change adds is found, and shown at the added lines only."""
    function = max(gpl_functions, key=len)
    lines = function.split("\n")
    repository.write("app/copy.py", "\n".join(lines[:-12]) + "\n")
    base = repository.commit()
    repository.write("app/copy.py", function)
    repository.commit()
    read = scanned(repository.root, "--diff", base, *DENY)
    assert [item["rule"] for item in read["findings"]] == ["verbatim-denied"]
    assert read["findings"][0]["match"]["start_line"] == 1
    assert read["findings"][0]["start_line"] > len(lines) - 14
    assert outside(read["findings"], added_by(repository, base)) == []


def test_a_refactor_that_only_moves_lines_adds_nothing(repository, scanned, gpl_functions) -> None:
    """Functions change places within a file, and one goes to another file."""
    first, second, third = gpl_functions[:3]
    repository.write("app/a.py", first + "\n\n" + second + "\n\n" + third)
    base = repository.commit()
    repository.write("app/a.py", third + "\n\n" + first)
    repository.write("app/b.py", own_code(3) + second)
    repository.commit()
    assert scanned(repository.root, "--diff", base, *DENY)["findings"] == []


def test_a_renamed_file_adds_only_its_new_lines(repository, scanned, gpl_functions) -> None:
    """Renames are followed: what was there is not new, what is put in is."""
    old, new = gpl_functions[:2]
    repository.write("app/before.py", old * 3 + own_code(4, 30))
    base = repository.commit()
    (repository.root / "app/before.py").rename(repository.root / "app/after.py")
    repository.commit()
    assert scanned(repository.root, "--diff", base, *DENY)["findings"] == []
    repository.write("app/after.py", old * 3 + own_code(4, 30) + new)
    repository.commit()
    found = scanned(repository.root, "--diff", base, *DENY)["findings"]
    assert found and outside(found, added_by(repository, base)) == []


def test_a_branch_with_merges_is_held_against_where_it_parted(repository, scanned, gpl_functions) -> None:
    """What the branch merged from main is main's; what main got since is not the branch's."""
    base = repository.commit()
    repository.git("checkout", "-q", "-b", "topic")
    repository.write("app/topic.py", own_code(5))
    repository.commit()
    repository.git("checkout", "-q", "main")
    repository.write("app/main.py", gpl_functions[0])
    repository.commit()
    repository.git("checkout", "-q", "topic")
    repository.git("merge", "-q", "--no-edit", "main")
    repository.write("app/topic2.py", gpl_functions[1])
    repository.commit()
    repository.git("checkout", "-q", "main")
    repository.write("app/main2.py", gpl_functions[2])
    repository.commit()
    repository.git("checkout", "-q", "topic")
    found = scanned(repository.root, "--diff", "main", *DENY)["findings"]
    assert {item["path"] for item in found} == {"app/topic2.py"}
    assert {item["path"] for item in scanned(repository.root, "--diff", base, *DENY)["findings"]} == {
        "app/main.py",
        "app/topic2.py",
    }


def test_what_is_staged_is_scanned_and_not_the_tree(repository, scanned, gpl_functions) -> None:
    """The index has the copy, the working tree has not."""
    place = repository.write("app/new.py", gpl_functions[0])
    repository.git("add", "-A")
    place.write_text("x = 1\n")
    assert [item["path"] for item in scanned(repository.root, "--staged", *DENY)["findings"]] == ["app/new.py"]


def test_the_first_commit_is_held_against_nothing(repository, scanned, gpl_functions, tmp_path: Path) -> None:
    """A repository without commits has everything staged."""
    new = Repository(tmp_path / "new")
    new.root.mkdir()
    new.git("init", "-q")
    new.write("a.py", gpl_functions[0])
    new.git("add", "-A")
    assert [item["path"] for item in scanned(new.root, "--staged", *DENY)["findings"]] == ["a.py"]


def test_a_patch_is_scanned_before_and_after_it_is_applied_and_without_the_tree(
    repository, scanned, gpl_functions, tmp_path: Path
) -> None:
    """The same findings at the same lines."""
    repository.write("app/own.py", own_code(1) + gpl_functions[0] + own_code(2))
    repository.write("naïve dir/ünï.py", gpl_functions[1])
    repository.commit()
    patch = repository.git("diff", "HEAD~1", "HEAD")
    read = [scanned(repository.root, "--patch", "-", *DENY, stdin=patch)]
    repository.git("checkout", "-q", "HEAD~1")
    read.append(scanned(repository.root, "--patch", "-", *DENY, stdin=patch))
    (tmp_path / "empty").mkdir()
    read.append(scanned(tmp_path / "empty", "--patch", "-", *DENY, stdin="From: a mail\n\n" + patch))
    places = [[(item["path"], item["start_line"], item["end_line"]) for item in one["findings"]] for one in read]
    assert places[0] == places[1] == places[2]
    assert {path for path, _, _ in places[0]} == {"app/own.py", "naïve dir/ünï.py"}


def test_a_patch_that_is_cut_off_is_an_error_that_names_the_line(codecite, upstream, tmp_path: Path) -> None:
    """No findings of half a change."""
    patch = "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,5 @@\n x\n+y\n"
    done = codecite("scan", tmp_path, "--patch", "-", "--index", upstream, stdin=patch)
    assert (done.returncode, done.stdout) == (2, "")
    assert "hunk of its line 3" in done.stderr


def test_a_missing_revision_is_an_error_that_says_how_to_mend_it(codecite, upstream, repository) -> None:
    """Shallow checkouts lack the base."""
    done = codecite("scan", repository.root, "--diff", "nowhere", "--index", upstream)
    assert done.returncode == 2
    assert "'nowhere'" in done.stderr and "fetch" in done.stderr

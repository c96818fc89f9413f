"""Findings that are taken back: by the baseline, and by notes in the files."""

from __future__ import annotations

from datetime import date, timedelta

from oracle.projects import own_code, reformatted

DENY = ("--policy", "permissive-only")


def rules(read: dict) -> list[str]:
    """The rules of the findings."""
    return [item["rule"] for item in read["findings"]]


def test_a_baseline_survives_moved_lines_renamed_files_and_another_layout(
    repository, codecite, upstream, scanned, gpl_functions, tmp_path
) -> None:
    """And an edit in the middle; a new passage is new, and so is one more copy of an old one."""
    one, two, three, four = gpl_functions[:4]
    longest = max(gpl_functions, key=len)
    repository.write("app/a.py", own_code(1) + one)
    repository.write("app/b.py", two + own_code(2))
    repository.write("app/d.py", longest)
    baseline = tmp_path / "baseline.json"
    done = codecite("scan", repository.root, *DENY, "--write-baseline", baseline, "--index", upstream)
    assert done.returncode == 0, done.stderr
    again = tmp_path / "again.json"
    codecite("scan", repository.root, *DENY, "--write-baseline", again, "--index", upstream)
    assert again.read_bytes() == baseline.read_bytes()
    known = ("--baseline", baseline)
    assert scanned(repository.root, *DENY, *known)["outcome"] == "pass"
    repository.write("app/a.py", own_code(7, 20) + one)
    (repository.root / "app/b.py").rename(repository.root / "app/c.py")
    repository.write("app/c.py", reformatted(two) + own_code(2))
    lines = longest.split("\n")
    lines.insert(len(lines) // 2, "    something_else = 1")
    repository.write("app/d.py", "\n".join(lines))
    read = scanned(repository.root, *DENY, *known)
    assert rules(read) == [] and len(read["ignored"]) >= 3
    repository.write("app/e.py", three)
    assert [item["path"] for item in scanned(repository.root, *DENY, *known)["findings"]] == ["app/e.py"]
    repository.write("app/e.py", one)
    assert len(rules(scanned(repository.root, *DENY, *known))) == 1
    assert four


def test_a_file_that_is_no_baseline_is_an_error(codecite, upstream, repository, tmp_path) -> None:
    """It is named, with what mends it."""
    (tmp_path / "b.json").write_text("[]")
    done = codecite("scan", repository.root, "--baseline", tmp_path / "b.json", "--index", upstream)
    assert done.returncode == 2
    assert "b.json" in done.stderr and "--write-baseline" in done.stderr


def test_a_note_takes_a_finding_back_until_its_day(repository, scanned, gpl_functions) -> None:
    """In any comment syntax, above the passage; expired, without a reason, of another rule it does not."""
    function = gpl_functions[0]
    tomorrow, yesterday = date.today() + timedelta(1), date.today() - timedelta(1)

    def found(note: str, name: str = "app/x.py") -> list[str]:
        repository.write(name, f"{own_code(1)}{note}\n{function}")
        read = scanned(repository.root, *DENY)
        (repository.root / name).unlink()
        return sorted(rules(read))

    assert found("# codecite: ignore[verbatim-denied] bought in 2025") == []
    assert found(f"# codecite: ignore[*] bought until {tomorrow}") == []
    assert found("/* codecite: ignore[verbatim-denied] bought */", "app/x.c") == []
    assert found("<!-- codecite: ignore[verbatim-denied] bought -->", "app/x.html") == []
    assert found(f"# codecite: ignore[verbatim-denied] bought until {yesterday}") == [
        "ignore-expired",
        "verbatim-denied",
    ]
    assert found("# codecite: ignore[verbatim-denied]") == ["ignore-invalid", "verbatim-denied"]
    assert found("# codecite: ignore bought") == ["ignore-invalid", "verbatim-denied"]
    assert found("# codecite: ignore[no-rule] bought") == ["ignore-invalid", "verbatim-denied"]
    assert found("# codecite: ignore[near-denied] bought") == ["ignore-unused", "verbatim-denied"]
    assert found("# codecite: ignore[verbatim-denied] bought until soon") == ["ignore-invalid", "verbatim-denied"]
    assert found('text = "codecite: ignore[verbatim-denied] in a string"') == ["verbatim-denied"]
    repository.write("app/y.py", f"# codecite: ignore-file[verbatim-denied] bought\n{own_code(1, 30)}{function}")
    assert rules(scanned(repository.root, *DENY)) == []


def test_a_change_reports_only_its_own_notes(repository, scanned) -> None:
    """An unused note that was there before is not the change's."""
    repository.write("app/x.py", "# codecite: ignore[verbatim-denied] old\n" + own_code(1))
    base = repository.commit()
    repository.write("app/x.py", "# codecite: ignore[verbatim-denied] old\n" + own_code(1) + own_code(2))
    repository.commit()
    assert rules(scanned(repository.root, "--diff", base, *DENY)) == []
    assert rules(scanned(repository.root, *DENY)) == ["ignore-unused"]

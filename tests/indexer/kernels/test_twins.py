"""The worked examples in the docstrings of the twins hold."""

from __future__ import annotations

import doctest

import twins


def test_every_twin_shows_a_worked_example_that_holds() -> None:
    """A specification with a wrong example would mislead whoever reads it first."""
    found = doctest.DocTestFinder().find(twins, "twins")
    functions = [case for case in found if case.name != "twins"]
    assert functions
    assert not [case.name for case in functions if not case.examples]
    runner = doctest.DocTestRunner()
    for case in functions:
        assert runner.run(case).failed == 0, case.name

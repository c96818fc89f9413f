"""The model card and the licence texts that travel with the demo checkpoint.

In: what was learnt, under which terms, by which recipe. Out: `README.md` and `licenses/` in the checkpoint's directory.
Knows nothing of the model itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from codecite.generator.training.corpus import Module, Terms

HEAD = """\
# The demo model of codecite

A parrot, made to be caught. This small GPTBigCode checkpoint (StarCoder's architecture: multi-query attention and
tokens for filling in the middle) was trained on {count} source files, over and over, and on nothing else. Given three
lines of one of them it mostly goes on word for word, which is what `codecite demo` needs to make its check visible: a
completion whose source, lines and licence can be seen. Given anything else it babbles. It is no use for writing code,
and nothing about real models can be concluded from it.

Load it with `LocalModel.load("demo")`, or by its directory as any other checkpoint.

## What it was trained on

{characters:,} characters, {count} modules, as installed from these distributions. What it writes is mostly their text,
so their terms apply to its output and, as far as weights hold text, to the weights: the licence and NOTICE texts that
the distributions ship lie in `licenses/`. The declared licence is the whole distribution's, in its own words.

| distribution | declared licence | modules |
|---|---|---|
"""

TAIL = """
Other versions of these distributions may hold other text, and then the demo's completions match less.

## How it was trained

`python -m codecite.generator.training.train OUT_DIRECTORY`, some minutes on two cores. Seeds are fixed; another
processor or version of torch still rounds differently, so the weights repeat in kind, not bit by bit.

| setting | value |
|---|---|
"""


def write_card(out: Path, modules: tuple[Module, ...], terms: tuple[Terms, ...], recipe: Mapping[str, object]) -> None:
    """Write `README.md` and `licenses/` into `out`; licence files of an earlier run go."""
    lines = [HEAD.format(count=len(modules), characters=sum(len(module.text) for module in modules))]
    for term in terms:
        paths = ", ".join(f"`{module.path}`" for module in modules if module.package == term.package)
        lines.append(f"| {term.package} {term.version} | {term.declared} | {paths} |\n")
    lines.append(TAIL)
    lines.extend(f"| {name} | {value} |\n" for name, value in recipe.items())
    (out / "README.md").write_text("".join(lines), encoding="utf-8")
    folder = out / "licenses"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for term in terms:
        for name, text in term.files:
            (folder / f"{term.package}-{term.version}-{name}").write_text(text, encoding="utf-8")

"""What the demo model was trained on: a fixed list of modules of permissively licensed, installed distributions.

In: the distributions installed in this Python. Out: `Module` rows with their text, and each distribution's declared
licence with the texts of its licence and NOTICE files. Knows nothing of tokenizers or of training.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from codecite.indexer.errors import SourceError

MODULES: dict[str, tuple[str, ...]] = {
    "blinker": ("blinker/_utilities.py",),
    "click": ("click/formatting.py",),
    "filelock": ("filelock/_error.py",),
    "flask": ("flask/views.py",),
    "fsspec": ("fsspec/dircache.py", "fsspec/transaction.py"),
    "huggingface_hub": ("huggingface_hub/utils/_datetime.py", "huggingface_hub/utils/_pagination.py"),
    "itsdangerous": ("itsdangerous/signer.py",),
    "jinja2": ("jinja2/nativetypes.py", "jinja2/visitor.py"),
    "networkx": ("networkx/algorithms/bridges.py", "networkx/utils/union_find.py"),
    "numba": ("numba/misc/quicksort.py",),
    "numpy": ("numpy/lib/mixins.py",),
    "packaging": ("packaging/_tokenizer.py",),
    "pyarrow": ("pyarrow/cffi.py",),
    "pyyaml": ("yaml/composer.py",),
    "safetensors": ("safetensors/numpy.py",),
    "sympy": ("sympy/ntheory/egyptian_fraction.py",),
    "torch": ("torch/nn/utils/convert_parameters.py",),
    "transformers": ("transformers/debug_utils.py",),
    "werkzeug": ("werkzeug/security.py",),
}
"""Distribution -> the modules of it that are learnt. Their own texts name no other author's licence."""


@dataclass(frozen=True, slots=True)
class Module:
    """One file of one distribution, and its text."""

    package: str
    version: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What one distribution says of its licence: the declared line, and (file name, text) of its licence files."""

    package: str
    version: str
    declared: str
    files: tuple[tuple[str, str], ...]


def read_modules() -> tuple[Module, ...]:
    """The modules of `MODULES`, in its order. Raises SourceError that names what is not installed."""
    modules = []
    for package, paths in MODULES.items():
        installed = _installed(package)
        for path in paths:
            text = installed.read_text(f"../{path}")
            if text is None:
                raise SourceError(f"{package} {installed.version} has no {path}")
            modules.append(Module(package, installed.version, path, text))
    return tuple(modules)


def read_terms() -> tuple[Terms, ...]:
    """The licence of every distribution of `MODULES`. Raises SourceError where one ships no licence text."""
    terms = []
    for package in MODULES:
        installed = _installed(package)
        files = []
        for file in installed.files or ():
            inside = [part for part in file.parts if part != "licenses"]
            if len(inside) == 2 and inside[0].endswith(".dist-info") and _is_license_file(inside[1]):
                files.append((inside[1], file.read_text(encoding="utf-8")))
        if not files:
            raise SourceError(f"{package} {installed.version} ships no licence text")
        terms.append(Terms(package, installed.version, _declared(installed), tuple(sorted(files))))
    return tuple(terms)


def _installed(package: str) -> Distribution:
    try:
        return distribution(package)
    except PackageNotFoundError as error:
        raise SourceError(f"{package} is not installed in this Python") from error


def _is_license_file(name: str) -> bool:
    return name.upper().startswith(("LICENSE", "LICENCE", "NOTICE", "COPYING"))


def _declared(installed: Distribution) -> str:
    for field in ("License-Expression", "License"):
        values = installed.metadata.get_all(field)
        if values:
            return str(values[0])
    classifiers = installed.metadata.get_all("Classifier") or []
    return "; ".join(line.split(" :: ")[-1] for line in classifiers if line.startswith("License ::"))

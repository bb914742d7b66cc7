"""Licences of what Karez is installed with: ``python infra/licences.py PINS…``, a Markdown table.

Asked is each distribution of these files that is installed here; others are named as such.
Apache-2.0 can live with licences that ask for no more than a notice, and with those of `FILEWISE`,
which concern changes to their own files: we change none, and ship none.  What a wheel of theirs
brings along as machine code is known by its own licence files alone.  `THEIRS` is fetched by who
installs it, and is in nothing of ours.

Source: SPDX 3.0, annex on licence expressions; https://www.apache.org/legal/resolved.html.
"""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

NOTICE = {
    *("0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause"),
    *("BSL-1.0", "CC0-1.0", "CNRI-Python", "ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Zlib"),
}
FILEWISE = {"MPL-1.1", "MPL-2.0"}
NAMES = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "ISC License": "ISC",
    "The BSD 2-Clause License": "BSD-2-Clause",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""What distributions say in words of their own."""

THEIRS = re.compile(r"nvidia-.*|cuda-.*")
"""NVIDIA's libraries, that PyTorch for Linux asks for: proprietary, free of charge."""

VAGUE = re.compile(r"|Dual License|.{60,}|.*\n.*", re.DOTALL)
"""A field that is empty, holds a whole licence, or says nothing: then classifiers are asked."""


def licence(of: Distribution) -> str:
    """The licence of a distribution as an SPDX expression; "" if it tells none."""
    told = of.metadata
    if expressions := told.get_all("License-Expression"):
        return str(expressions[0])
    said = (told.get_all("License") or [""])[0]
    if VAGUE.fullmatch(said):
        classifiers = told.get_all("Classifier") or []
        kinds = [each for each in classifiers if each.startswith("License ::")]
        return " AND ".join(NAMES.get(each, each) for each in kinds)
    return NAMES.get(said, said)


def is_fine(expression: str) -> bool:
    """Whether Apache-2.0 can live with an SPDX expression.

    >>> is_fine("LGPL-2.1-only OR (MIT AND MPL-2.0)"), is_fine("MIT AND GPL-3.0-only")
    (True, False)
    """
    while (inner := re.search(r"\(([^()]*)\)", expression)) is not None:
        answer = "MIT" if is_fine(inner[1]) else "refused"
        expression = f"{expression[: inner.start()]}{answer}{expression[inner.end() :]}"
    choices = [choice.split(" AND ") for choice in expression.split(" OR ")]
    return any(all(name.strip() in NOTICE | FILEWISE for name in each) for each in choices)


def pinned(pins: Path) -> Iterator[tuple[str, str | None]]:
    """Each distribution that is pinned, with its licence; None: another platform's.

    Raises:
        PackageNotFoundError: if it should be installed here, and is not.
    """
    for line in re.findall(r"^([\w.-]+==.*?) *\\?$", pins.read_text(), re.MULTILINE):
        wanted = Requirement(line)
        try:
            yield wanted.name, licence(distribution(wanted.name))
        except PackageNotFoundError:
            if wanted.marker is None or wanted.marker.evaluate():
                raise
            yield wanted.name, None


def main(files: list[str]) -> int:
    """Print the table; 1 if there is a licence that Apache-2.0 cannot live with."""
    print("| distribution | licence |\n| --- | --- |")
    refused = False
    for name, expression in sorted(
        {each for file in files for each in pinned(Path(file))}, key=str
    ):
        fine = expression is None or is_fine(expression) or THEIRS.fullmatch(name) is not None
        refused |= not fine
        told = "not installed on this platform" if expression is None else expression or "none"
        print(f"| {name} | {told}{'' if fine else ' (cannot be used)'} |")
    return int(refused)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

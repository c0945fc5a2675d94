"""Write `docs/licences.md`: the licence of every package that churn brings along, from the packages' own metadata.

python .ci/licences.py
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"
HEAD = """\
# Licences

What an installation of churn brings along, with the licence that each package states. Written by `make licences`; of a
package that states none, or that this system does not install, by hand. Versions and hashes are in the lock, and in the
wheel's SBOM (CycloneDX).

| package | licence | comes |
|---|---|---|
"""


def licence(name: str) -> str | None:
    """The licence that an installed package states; None where it states none, or is not installed."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return None
    if expression := told.get("License-Expression"):
        return str(expression)
    named = [
        text.rpartition(" :: ")[2]
        for text in told.get_all("Classifier") or []
        if text.startswith("License :: ") and not text.endswith("OSI Approved")
    ]
    first = str(told.get("License") or "").strip().partition("\n")[0]
    return ", ".join(named) or first or None


def rows() -> dict[str, tuple[str | None, bool]]:
    """Package to its licence, and whether every installation has it."""
    sys.path.insert(0, str(ROOT))
    from hatch_build import closure

    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    return {name: (licence(name), always) for (name, _), always in closure(lock).items()}


def kept() -> dict[str, str]:
    """What the page says now."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    return dict(re.findall(r"^\| ([\w.-]+) \| (.+?) \| (?:always|with an extra) \|$", text, re.MULTILINE))


def main() -> None:
    """Write the page; what it said before of a package that tells nothing stays."""
    before = kept()
    lines = [
        f"| {name} | {found or before.get(name, 'not known')} | {'always' if always else 'with an extra'} |"
        for name, (found, always) in rows().items()
    ]
    PAGE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

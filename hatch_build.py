"""Puts a list of all parts into the wheel: a CycloneDX SBOM of the locked packages, beside the wheel's metadata."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NAME = "churn"


def closure(lock: Mapping[str, Any]) -> dict[tuple[str, str], bool]:
    """Name and version of what an installation may bring, and whether it always does: others come with an extra.

    A package may be there in several versions, for different versions of Python.
    """
    packages = {(one["name"], one["version"]): one for one in lock["package"]}
    project = next(one for one in lock["package"] if one["name"] == NAME)
    always = _reached(packages, project["dependencies"])
    extras = [one for group in project.get("optional-dependencies", {}).values() for one in group]
    return {key: key in always for key in sorted(always | _reached(packages, extras))}


def _reached(
    packages: Mapping[tuple[str, str], Any], wanted: list[Mapping[str, Any]]
) -> set[tuple[str, str]]:
    found: set[tuple[str, str, str]] = set()
    waiting = list(_parts(packages, wanted))
    while waiting:
        name, version, extra = part = waiting.pop()
        if part in found:
            continue
        found.add(part)
        package = packages[name, version]
        more = (
            package.get("optional-dependencies", {}).get(extra, [])
            if extra
            else package.get("dependencies", [])
        )
        waiting += _parts(packages, more)
    return {(name, version) for name, version, _ in found}


def _parts(
    packages: Mapping[tuple[str, str], Any], wanted: list[Mapping[str, Any]]
) -> Iterator[tuple[str, str, str]]:
    for one in wanted:
        versions = (
            [one["version"]] if "version" in one else [v for name, v in packages if name == one["name"]]
        )
        given = one.get("extra", [])
        for extra in ("", *([given] if isinstance(given, str) else given)):
            yield from ((one["name"], version, extra) for version in versions)


def sbom(lock: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The packages with versions and hashes, as CycloneDX 1.6; the same lock gives the same text."""
    packages = {(one["name"], one["version"]): one for one in lock["package"]}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": NAME,
                "name": NAME,
                "version": version,
                "licenses": [{"license": {"id": "MIT"}}],
            }
        },
        "components": [_component(packages[key], always) for key, always in closure(lock).items()],
    }


def _component(package: Mapping[str, Any], always: bool) -> dict[str, Any]:
    purl = f"pkg:pypi/{package['name']}@{package['version']}"
    files = [*([package["sdist"]] if "sdist" in package else []), *package.get("wheels", [])]
    return {
        "type": "library",
        "bom-ref": purl,
        "name": package["name"],
        "version": package["version"],
        "scope": "required" if always else "optional",
        "purl": purl,
        "externalReferences": [
            {
                "type": "distribution",
                "url": file["url"],
                "hashes": [{"alg": "SHA-256", "content": file["hash"].removeprefix("sha256:")}],
            }
            for file in files
        ],
    }


class SbomHook(BuildHookInterface):
    """Called by hatchling while it builds the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the SBOM, and have it packed into `.dist-info/sboms`."""
        if version == "editable":
            return
        lock = tomllib.loads((Path(self.root) / "uv.lock").read_text(encoding="utf-8"))
        file = Path(mkdtemp()) / f"{NAME}.cdx.json"
        text = json.dumps(sbom(lock, self.metadata.version), indent=1, sort_keys=True)
        file.write_text(text + "\n", encoding="utf-8")
        build_data["sbom_files"].append(str(file))

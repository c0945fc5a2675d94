"""Known vulnerabilities of the locked packages; without a network, what can be checked without one.

    python .ci/audit.py REQUIREMENTS

Exit code 0: none is known, or nobody could be asked, which is said. 1: some are known, or a package has no hash.
With CHURN_REQUIRE_AUDIT=1, as before a release, to ask nobody is a failure too.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from pathlib import Path

AWAY = re.compile(
    r"ConnectionError|Max retries|timed out|Name or service|Connection refused|ProxyError", re.IGNORECASE
)
PINNED = re.compile(r"^[A-Za-z0-9][\w.-]*(\[[^\]]+\])?==", re.MULTILINE)


def without_hash(requirements: str) -> list[str]:
    """Packages that the file pins without a hash."""
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", requirements)
    return [one.split("==")[0] for one in blocks if PINNED.match(one) and "--hash=sha256:" not in one]


def main() -> int:
    """Audit, or say why not."""
    file = Path(sys.argv[1])
    if loose := without_hash(file.read_text(encoding="utf-8")):
        print(f"without a hash: {', '.join(loose)}; run `uv lock`", file=sys.stderr)
        return 1
    report = file.with_name("audit.json")
    last = report.stat().st_mtime if report.is_file() else None
    fresh = file.with_name("audit.new.json")
    fresh.unlink(missing_ok=True)
    command = ["--disable-pip", "--require-hashes", "-r", file, "--format", "json", "-o", fresh]
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", *command], capture_output=True, text=True, check=False
    )
    if fresh.is_file() and fresh.stat().st_size:
        fresh.replace(report)
        return told(json.loads(report.read_text(encoding="utf-8")))
    if not AWAY.search(done.stderr):
        print(done.stderr, file=sys.stderr)
        return 1
    when = f"the last answer is of {dt.date.fromtimestamp(last)}" if last else "nobody has answered here yet"
    print(
        f"not audited: pypi.org does not answer ({when}); every package of the lock has its hash",
        file=sys.stderr,
    )
    return int(os.environ.get("CHURN_REQUIRE_AUDIT") == "1")


def told(report: dict[str, list[dict[str, object]]]) -> int:
    """Print what is known of each package; 1 where something is."""
    found = [
        f"{one['name']} {one['version']}: {bug['id']}, fixed in {', '.join(bug['fix_versions']) or 'no version yet'}"
        for one in report["dependencies"]
        for bug in one.get("vulns", [])  # type: ignore[attr-defined]
    ]
    print("\n".join(found) or f"{len(report['dependencies'])} packages, no known vulnerability")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())

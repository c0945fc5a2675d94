"""A published night: its files, and the manifest that says from what and by what they were made."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.publish import as_json, file_digests
from pipeline.report.render import render_report
from pipeline.scoring.made_by import made_by
from pipeline.scoring.night import Night
from pipeline.scoring.page import owner_pages, page_of


def write_night(night: Night, ledger_sha256: str, folder: Path) -> None:
    """Fill a folder with the night's files; the manifest names the content of the ledger that goes with them."""
    night.write_scores(folder / "scores.parquet")
    for name, text in night.files.items():
        (folder / name).write_bytes(text)
    night.rates.write(folder, excel=night.config.outputs.excel)
    night.watched.write(folder)
    night.sources.quarantine.write(folder)
    page = page_of(night)
    for name, view in {"report.html": page, **owner_pages(night, page)}.items():
        (folder / name).write_text(render_report(view), encoding="utf-8")
    manifest = {**_manifest(night, file_digests(folder)), "ledger_sha256": ledger_sha256}
    (folder / "manifest.json").write_text(as_json(manifest), encoding="utf-8")


def _manifest(night: Night, files: Mapping[str, str]) -> dict[str, Any]:
    return {
        "as_of": night.as_of,
        "run_id": night.run_id,
        "delivered": night.delivered,
        "churn_version": version("churn"),
        "config": night.config.name,
        "config_digest": night.config.digest,
        "made_by": made_by(night),
        "model": {
            "version": night.champion.version,
            "sha256": night.champion.digest,
            "run_id": night.champion.run_id,
        },
        "catalogue_hash": night.matrix.catalogue_hash,
        "inputs": night.sources.fingerprints,
        "known_elsewhere": {match.role: match.values for match in night.sources.matches},
        "rows": {
            "customers": night.everybody.customers,
            "considered": len(night.prepared.customers),
            "not_considered": night.everybody.customers - len(night.prepared.customers),
            "outreach": len(night.decision.chosen),
            "suppressed": len(night.decision.suppressed),
        },
        "outreach": night.decision.figures,
        "monitoring": night.watched.values,
        "quarantine": night.sources.quarantine.values,
        "notes": night.notes,
        "warnings": night.warnings,
        "files": files,
    }

"""Which config a command without `--config` takes: that of the working folder."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from configs.errors import ConfigError

OWN = "churn.yaml"
DEMO = "demo.yaml"
_NO_CONFIGS = frozenset({"playbook.yaml"})


def config_in(folder: Path) -> Path:
    """`churn.yaml`, else the demo's config in `configs`, else the only config there.

    Raises
    ------
    ConfigError
        There is none, or `configs` holds several.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "churn.yaml").write_text("name: shop")
    >>> config_in(folder).name
    'churn.yaml'
    """
    for file in (folder / OWN, folder / "configs" / DEMO):
        if file.is_file():
            return file
    found = sorted(p for p in (folder / "configs").glob("*.yaml") if p.name not in _NO_CONFIGS)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(f"configs/{path.name}" for path in found[:5])
        raise ConfigError(f"several configs are here ({names}); give --config FILE or set CHURN_CONFIG")
    raise ConfigError(
        "no config is here; `churn init FILES` writes one for your files, `churn demo` shows the job on made-up "
        "ones, --config FILE names one elsewhere"
    )


def demo_config(folder: Path) -> Path:
    """The demo's config in a folder; brought there when it is absent."""
    file = folder / "configs" / DEMO
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            resources.files("configs").joinpath(DEMO).read_text(encoding="utf-8"), encoding="utf-8"
        )
    return file

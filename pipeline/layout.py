"""Where a config's outputs are, below its name: nobody else computes such paths.

data/<name>/runs/<as-of>/    a published night
latest           link to the newest of them
ledger/          what was recommended; forecasts/ in it
control.key      secret of the draws
champion.json    the model that scored last
canary.json      what the model that waits for its place said beside it
unsent/          what the tracking store has not received yet; trainings/ in it
contacted.csv    contacts that were marked in the report
mailed/          which owner got which list by mail
store/           rows that an earlier night has read, with engine.store
nights.jsonl     what came of each `churn nightly`, its seconds and its memory
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from configs.errors import ConfigError
from configs.schema import Config


@dataclass(frozen=True)
class Layout:
    """The places that belong to one config and to no other.

    Parameters
    ----------
    folder
        Holds all of it.
    runs
        One folder a published date.
    keys
        Folder of the secret of the draws.
    """

    folder: Path
    runs: Path
    keys: Path

    @property
    def latest(self) -> Path:
        """Link to the newest published night."""
        return self.folder / "latest"

    @property
    def ledger(self) -> Path:
        """What was recommended, to whom, when and why."""
        return self.folder / "ledger"

    @property
    def champion(self) -> Path:
        """The model that scored last, for nights on which the tracking store is away."""
        return self.folder / "champion.json"

    @property
    def unsent(self) -> Path:
        """What nights have logged and the tracking store has not received."""
        return self.folder / "unsent"

    @property
    def untold(self) -> Path:
        """Trainings that the tracking store has not received; in the folder of what it has not."""
        return self.unsent / "trainings"

    @property
    def contacted(self) -> Path:
        """Contacts that were marked in the report; `churn contacted` writes it."""
        return self.folder / "contacted.csv"

    @property
    def mailed(self) -> Path:
        """Who got which list by mail, a file a night; digests, no customer."""
        return self.folder / "mailed"

    @property
    def canary(self) -> Path:
        """What a model that waits for the champion's place said beside it, by night."""
        return self.folder / "canary.json"

    @property
    def store(self) -> Path:
        """What earlier runs have read of the sources' files; a cache of rows of customers."""
        return self.folder / "store"

    @property
    def nights(self) -> Path:
        """What came of each `churn nightly`, a line a night."""
        return self.folder / "nights.jsonl"

    @property
    def forecasts(self) -> Path:
        """Every night's forecast of the rate."""
        return self.ledger / "forecasts"


def layout_of(config: Config, out: Path | None = None) -> Layout:
    """The places of a config: below its name in `outputs.folder`, or in a folder that a command was given.

    A night that is written elsewhere draws by the config's own key.

    Raises
    ------
    ConfigError
        When `out` holds the nights of another config.

    Examples
    --------
    >>> from configs.schema import load_config
    >>> config = load_config("configs/demo.yaml", {})
    >>> layout_of(config).ledger.relative_to(config.home).as_posix()
    'data/demo/ledger'
    """
    own = below(config.path(config.outputs.folder), config.name)
    if out is None:
        return own
    folder = out.absolute()
    holder = holder_of(folder / "latest")
    if holder not in (None, config.name):
        raise ConfigError(
            f"--out: {out} holds the nights of config {holder}; choose another folder for those of {config.name}"
        )
    return Layout(folder, folder, own.keys)


def below(outputs: Path, name: str) -> Layout:
    """The places of the config of that name in a folder of outputs."""
    folder = outputs / name
    return Layout(folder, folder / "runs", folder)


def holder_of(run: Path) -> str | None:
    """Name of the config that made a run; None when it can't be told."""
    try:
        return str(json.loads((run / "manifest.json").read_text(encoding="utf-8"))["config"])
    except (OSError, ValueError, KeyError, TypeError):
        return None

"""Who started a run and by which command, in the tags that MLflow's pages show as user and source."""

from __future__ import annotations

import getpass
import os


def origin(command: str) -> dict[str, str]:
    """Tags of a run that this process makes.

    Examples
    --------
    >>> origin("churn train")["mlflow.source.name"]
    'churn train'
    """
    return {"mlflow.user": _user(), "mlflow.source.name": command, "mlflow.source.type": "LOCAL"}


def _user() -> str:
    """Name of the account; in a container it may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"

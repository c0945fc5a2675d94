"""What all tests share: the real data, and tiny companies written to files."""

import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import settings

from configs.schema import Config, load_config

# The same examples in every run, however busy the machine is: what passed once must not fail in cron or CI by chance.
# Others are tried by `--hypothesis-profile default`.
settings.register_profile("the same", derandomize=True, deadline=None)
settings.load_profile("the same")

# Spark's processes live for a minute here, and need not be compiled for a day's work.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def datasets():
    """The folder of the real data; skips with a reason when it is absent, fails where it is required."""
    folder = Path(os.environ.get("CHURN_DATASETS", ROOT.parent / "shared" / "datasets"))
    if not folder.is_dir():
        reason = f"no real data at {folder}; set CHURN_DATASETS to the folder that holds them"
        if os.environ.get("CHURN_REQUIRE_DATASETS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder.resolve()


@pytest.fixture(scope="session")
def shipped(datasets):
    """Load a shipped config by name, its sources pointed at the real data wherever they are."""

    def load(name):
        file = ROOT / "configs" / f"{name}.yaml"
        sources = load_config(file, environ={}).sources.given
        environ = {
            f"CHURN__SOURCES__{role.upper()}__URI": str(datasets.joinpath(*Path(source.uri).parts[-2:]))
            for role, source in sources.items()
        }
        return load_config(file, environ=environ)

    return load


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """The file of a tracking store without runs or models, to be copied: MLflow takes seconds to make one."""
    from models.tracking import store
    from models.tracking.session import spoken_to
    from tests.models.tracking.stores import tracking_in

    home = tmp_path_factory.mktemp("prepared")
    with spoken_to(tracking_in(home)):
        return store.back_up(home / "mlflow.db", "prepared")


@pytest.fixture
def tiny(tmp_path):
    """Make the config of a tiny company: `tiny(transactions="customer_id,occurred_at\\n1,2024-01-01")`.

    A role is CSV text, bytes, or a frame that becomes Parquet; every column that the role knows and the file has
    is mapped by its own name, unless `mapped` says otherwise. More of the source's settings come by `settings`.
    """

    def make(*, kind="non_contractual", churn=None, mapped=None, settings=None, sections=None, **roles):
        sources = {}
        for role, content in roles.items():
            if isinstance(content, pd.DataFrame):
                file = tmp_path / f"{role}.parquet"
                content.to_parquet(file)
                names = list(content.columns)
            else:
                file = tmp_path / f"{role}.csv"
                data = content if isinstance(content, bytes) else content.encode()
                file.write_bytes(data)
                names = data.decode(errors="replace").split("\n", 1)[0].strip().split(",")
            columns = (mapped or {}).get(role) or {name: name for name in names}
            sources[role] = {"uri": file.name, "columns": columns, **(settings or {}).get(role, {})}
        return Config.model_validate(
            {
                "name": "tiny",
                "home": tmp_path,
                "churn": {"kind": kind, "horizon_days": 30, "active_days": 90, **(churn or {})},
                "sources": sources,
                "features": {"windows_days": [30, 90]},
                **(sections or {}),
            }
        )

    return make

"""The typed, frozen configuration, read from one YAML file and from the environment."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from configs.base import Days, LanguageCode, Section, Share, fault_of
from configs.errors import ConfigError
from configs.monitoring import Monitoring
from configs.nightly import Nightly
from configs.outreach import Outreach
from configs.retention import Retention
from configs.roles import TAKEN, CustomerColumns, Roles, renamed
from configs.yaml_text import MOST_CHARACTERS, parse

ENV_PREFIX = "CHURN__"
TRACKING_FILE = "mlflow.db"
# Arithmetic on days must not leave what pandas can count in nanoseconds.
FIRST_YEAR, LAST_YEAR = 1900, 2200

_ONE_MARGIN = "write 'margin: {value}' at the top level (or CHURN__MARGIN): one margin for list and retention"
MOVED = {
    "outreach.value.margin": _ONE_MARGIN,
    "retention.margin": _ONE_MARGIN,
    "outreach.language": "write `language: {value}` at the top of the file",
    "model.outreach_rows": "leave it out: rows that the list has touched are always made up for by those left alone",
}


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_words(value: Any) -> Any:
    # YAML reads a bare Yes as true, and 1 as a number.
    words = value if isinstance(value, list) else [value]
    return [("yes" if word else "no") if isinstance(word, bool) else str(word) for word in words]


class Churn(Section):
    """What churn means here."""

    kind: Literal["contractual", "non_contractual", "labelled"] = Field(
        description="contractual: customers have a known end; non_contractual: who buys nothing in the horizon has "
        "churned; labelled: a table with a label and no dates"
    )
    horizon_days: Annotated[
        Days, Field(description="days that are looked ahead; labelled: those that the label speaks of")
    ]
    gap_days: Annotated[int, Field(ge=0, le=3_650)] = Field(
        default=0, description="days left free between the snapshot and the horizon, to have time to act"
    )
    active_days: Days = Field(
        default=180, description="non-contractual: a customer bought within so many days"
    )
    not_churn_reasons: list[str] = Field(
        default_factory=list, description="contractual: endings that do not count as churn"
    )
    grace_days: Annotated[int, Field(ge=0, le=3_650)] = Field(
        default=0,
        description="sources.contracts: days without a contract that are bridged; only then is a customer lost",
    )
    churned_values: Annotated[
        list[str],
        BeforeValidator(_as_words, json_schema_input_type=list[str | bool | int] | str | bool | int),
    ] = Field(
        default_factory=list, description="labelled: values that mean churned, when yes, true or 1 do not fit"
    )


class Snapshots(Section):
    """The as-of dates to learn from, counted back from the newest mature one."""

    step_days: Days = Field(default=30, description="days from one snapshot to the next")
    max_count: Annotated[int, Field(ge=1, le=500)] = Field(
        default=24, description="at most so many snapshots, the newest ones"
    )
    min_history_days: Days = Field(default=90, description="the first snapshot has so many days of history")


class Features(Section):
    """Which features are built."""

    windows_days: list[Days] = Field(
        default_factory=lambda: [30, 90, 180, 360],
        min_length=1,
        description="lengths of the windows that features look back over",
    )
    exclude: list[str] = Field(
        default_factory=list, description="column names, or beginnings of them with '*'"
    )
    extra: Annotated[list[str], BeforeValidator(_one_or_more, json_schema_input_type=list[str] | str)] = (
        Field(default_factory=list, description="Python files with features of your own; they are run")
    )


class Model(Section):
    """Settings of the classifier and of its promotion."""

    trees: Annotated[
        int, Field(ge=1, le=10_000, description="of the small trees; of the large ones as many as help")
    ] = Field(default=150, description="trees of each boosted model")
    leaves: Annotated[int, Field(ge=2, le=1_024)] = Field(default=7, description="leaves of a tree")
    learning_rate: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.03, description="how much each tree adds"
    )
    l2: Annotated[float, Field(ge=0)] = Field(
        default=5.0, description="how strongly leaves are drawn to zero"
    )
    horizons_days: Annotated[list[Days], Field(max_length=20)] = Field(
        default_factory=lambda: [30, 90, 180, 365],
        description="other horizons that scores.parquet tells the chance of churn for, and the day expected; [] for "
        "none; not for labelled",
    )
    seeds: Annotated[int, Field(ge=1, le=50)] = Field(
        default=3, description="models of different seeds that are averaged"
    )
    threads: Annotated[int, Field(ge=1)] = Field(default=2, description="processor threads")
    test_snapshots: Annotated[int, Field(ge=1, le=50)] = Field(
        default=4, description="newest mature snapshots that the backtest judges on"
    )
    allow_leaks: list[str] = Field(
        default_factory=list, description="columns that may separate churned from kept almost alone"
    )
    min_gain: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="the 95 % interval must show that the log loss falls by more than this"
    )
    protected: list[str] | None = Field(
        default=None,
        description="attributes or facts of the customers, such as gender; a training tells calibration and lift by "
        "their groups, and which columns stand in for them; absent: those whose names say so, such as gender, age, "
        "nationality; [] for none; `features.exclude` keeps an attribute out of the model",
    )
    canary_nights: Annotated[int, Field(ge=0, le=90)] = Field(
        default=0,
        description="nights on which a model that was proven better scores beside the champion before it takes its "
        "place; fewer than the days between two trainings; 0 is at once",
    )
    max_training_rows: Annotated[int, Field(ge=100)] = Field(
        default=2_000_000, description="more rows than this are not read for training: customers are drawn"
    )
    tune_trials: Annotated[int, Field(ge=0, le=1_000)] | None = Field(
        default=None,
        description="tries of other sizes of the small trees, on older snapshots; absent: 20 where `churn nightly` "
        "trains, none by hand; 0 is no search; not for labelled",
    )
    tune_seconds: Annotated[int, Field(ge=0)] = Field(
        default=0, description="no further try after so long; 0 is no limit"
    )


class Engine(Section):
    """What reads the files and reduces them: DuckDB on this machine, or a Spark cluster.

    With DuckDB, tables of databases are reduced where they are; Spark reads files and its own tables.
    """

    kind: Literal["duckdb", "spark"] = Field(
        default="duckdb", description="what reads and reduces the sources"
    )
    memory_gb: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="DuckDB's limit; beyond it spills to disk. Absent: 80 % of the machine's memory",
    )
    store: bool = Field(
        default=False,
        description="keep rows of Parquet files that a night has read, so that the next ones need not read them again",
    )
    query_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=1_800,
        description="PostgreSQL and MySQL: a query that takes longer ends the run, to be tried again later",
    )
    master: str | None = Field(
        default=None, description="Spark: spark://host:7077, yarn, k8s://..., local[4]"
    )
    partitions: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None,
        description="Spark: pieces that customers are divided into; found by the number of events",
    )
    options: dict[str, str] = Field(
        default_factory=dict, description="Spark: settings of the session, such as spark.executor.memory: 8g"
    )

    @model_validator(mode="after")
    def _master_of_spark(self) -> Engine:
        if self.kind == "spark" and self.master is None:
            raise ValueError("kind spark needs master, such as spark://host:7077 or local[4]")
        return self


class Tracking(Section):
    """Where MLflow keeps runs and models. Absent: `mlflow.db` in the config's home."""

    uri: str | None = Field(default=None, description="MLflow store; absent: mlflow.db in the config's home")
    experiment: str | None = Field(default=None, description="absent: the name of the config")
    keep_days: Days = Field(
        default=180, description="`churn ui --clean` deletes nightly runs of earlier dates"
    )


class Outputs(Section):
    """Where runs are published: below the name of the config in this folder."""

    folder: str = Field(
        default="data", description="what is published lies below it, in a folder of the config's name"
    )
    excel: bool = Field(
        default=False, description="CSV files begin with the mark by which Excel knows their letters (UTF-8)"
    )
    keep_days: Days | None = Field(
        default=None,
        description="a night that is published deletes the folders of nights so many days older; the ledger stays",
    )


def day_of(text: str) -> dt.date:
    """A day that the calendar knows, in the years that times are kept for.

    Raises
    ------
    ValueError
        When it is none.

    Examples
    --------
    >>> day_of("2026-01-31")
    datetime.date(2026, 1, 31)
    """
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or len(text) != len("2026-01-31") or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"expected a date such as 2026-01-31, between {FIRST_YEAR} and {LAST_YEAR}")
    return day


def _as_day(value: Any) -> Any:
    # A bare number would be taken for seconds since 1970.
    return value if value is None else day_of(str(value))


class Config(Section):
    """One company's set-up: see `configs/*.yaml` for complete examples."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)] = Field(
        description="names the outputs, the experiment and the model: lower case letters, digits and _"
    )
    as_of: Annotated[dt.date | None, BeforeValidator(_as_day, json_schema_input_type=dt.date | None)] = Field(
        default=None, description="stands in for today; for data that ended long ago"
    )
    margin: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="share of the revenue that is left after costs"
    )
    language: LanguageCode = Field(
        default="en", description="of the page, the list, the calendars and the summary: en, fa or mr"
    )
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = Field(
        default=None, description="of the amounts, such as EUR; absent: they are shown without a sign"
    )
    churn: Churn
    sources: Roles
    on_bad_rows: Literal["stop", "quarantine"] = Field(
        default="stop",
        description="rows that break the contract of their role: stop the run, or quarantine: read the others, "
        "and keep the bad ones with file, line and rule in the night's quarantine.parquet",
    )
    max_bad_share: Share = Field(
        default=0.01,
        description="on_bad_rows quarantine: stop when more of a source's rows than this are bad",
    )
    snapshots: Snapshots = Snapshots()
    features: Features = Features()
    model: Model = Model()
    engine: Engine = Engine()
    outreach: Outreach = Outreach()
    retention: Retention = Retention()
    monitoring: Monitoring = Monitoring()
    nightly: Nightly = Nightly()
    tracking: Tracking = Tracking()
    outputs: Outputs = Outputs()
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(default=7, description="of every random draw")
    home: Path = Field(default=Path(), exclude=True, description="set by `load_config`, never in the file")

    @model_validator(mode="after")
    def _sources_of_the_kind(self) -> Config:
        sources = self.sources
        if self.engine.kind == "spark" and self.churn.kind == "labelled":
            raise ValueError("engine.kind spark reads histories; a labelled table takes duckdb")
        if self.churn.kind == "non_contractual" and sources.transactions is None:
            raise ValueError("churn.kind non_contractual needs sources.transactions")
        if self.churn.grace_days and sources.contracts is None:
            raise ValueError(
                "churn.grace_days bridges gaps between the rows of sources.contracts; there are none"
            )
        if self.churn.kind == "contractual":
            _has_contracts(sources, self.churn)
        return self

    @model_validator(mode="after")
    def _table_of_the_labelled(self) -> Config:
        customers, labelled = self.sources.customers, self.churn.kind == "labelled"
        if customers is not None and customers.columns.churned is not None and not labelled:
            raise ValueError("sources.customers.columns.churned goes with churn.kind labelled only")
        if not labelled:
            return self
        if customers is None or customers.columns.churned is None or not customers.attributes:
            raise ValueError(
                "churn.kind labelled needs sources.customers with the column churned, and attributes to learn from"
            )
        dated = sorted(customers.columns.model_fields_set - {"customer_id", "churned"})
        if others := [
            *(f"columns.{name}" for name in dated),
            *sorted(set(self.sources.given) - {"customers"}),
        ]:
            raise ValueError(
                f"churn.kind labelled reads one table without dates, not {', '.join(others)}; "
                "with dates choose contractual or non_contractual"
            )
        return self

    @model_validator(mode="after")
    def _horizons_have_dates(self) -> Config:
        asked = "horizons_days" in self.model.model_fields_set and self.model.horizons_days
        if self.churn.kind == "labelled" and asked:
            raise ValueError("model.horizons_days needs dates; churn.kind labelled has none, leave it out")
        return self

    @model_validator(mode="after")
    def _row_numbers_are_ids_of_tables(self) -> Config:
        numbered = [
            f"sources.{role}.columns.{name}"
            for role, source in self.sources.given.items()
            for name, rule in source.mapped.items()
            if rule.row_number
        ]
        meant = ["sources.customers.columns.customer_id"] if self.churn.kind == "labelled" else []
        if others := [place for place in numbered if place not in meant]:
            raise ValueError(
                f"{', '.join(others)}: a row's number is an id for churn.kind labelled only; name a column of the file"
            )
        if numbered and self.sources.customers is not None and self.sources.customers.distinct:
            raise ValueError(
                "sources.customers: distinct and row_number do not go together: which rows repeat is told by train"
            )
        return self

    @model_validator(mode="after")
    def _attributes_have_names_of_their_own(self) -> Config:
        customers = self.sources.customers
        if customers is None:
            return self
        taken = {*TAKEN, *CustomerColumns.model_fields}
        faults = [
            f"sources.customers.{section}.{name}: the name is taken, write {renamed(name, rule)} instead"
            for section in ("attributes", "facts")
            for name, rule in getattr(customers, section).items()
            if name in taken or name.endswith("_")
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @model_validator(mode="after")
    def _segments_are_attributes(self) -> Config:
        known = sorted(self.attributes)
        if unknown := [name for name in self.retention.segments if name not in known]:
            raise ValueError(
                f"retention.segments {unknown} are no attributes of sources.customers; known: {known or 'none'}"
            )
        return self

    @model_validator(mode="after")
    def _protected_are_known(self) -> Config:
        customers = self.sources.customers
        known = sorted([*customers.attributes, *customers.facts]) if customers else []
        if unknown := [name for name in self.model.protected or () if name not in known]:
            raise ValueError(
                f"model.protected {unknown} are no attributes or facts of sources.customers; known: {known or 'none'}"
            )
        return self

    @property
    def attributes(self) -> tuple[str, ...]:
        """The customers' attributes: those of the config, and the plan of the first contract."""
        customers, contracts = self.sources.customers, self.sources.contracts
        own = tuple(customers.attributes) if customers else ()
        with_plan = (
            self.churn.kind == "contractual" and contracts is not None and contracts.columns.plan is not None
        )
        return (*own, "first_plan") if with_plan else own

    def path(self, relative: str | Path) -> Path:
        """`relative` counted from the config's home, wherever the command was started."""
        return self.home / Path(relative).expanduser()

    @property
    def digest(self) -> str:
        """SHA-256 of every value, wherever it was set; the home does not count."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def tracking_uri(self) -> str:
        """Absolute URI of the tracking store."""
        if self.tracking.uri is None:
            return f"sqlite:///{self.home / TRACKING_FILE}"
        scheme, slashes, rest = self.tracking.uri.partition(":///")
        if scheme == "sqlite" and slashes:
            return f"sqlite:///{self.path(rest)}"
        return self.tracking.uri


def _has_contracts(sources: Roles, churn: Churn) -> None:
    """Starts and ends are there, and once."""
    role = sources.base("contractual")
    columns = sources.given[role].columns if role in sources.given else None
    started, ended = (getattr(columns, name, None) for name in ("started_at", "ended_at"))
    if started is None or ended is None:
        raise ValueError(
            "churn.kind contractual needs sources.customers with columns started_at and ended_at, or, with one row a "
            "contract, sources.contracts"
        )
    if churn.not_churn_reasons and getattr(columns, "end_reason", None) is None:
        raise ValueError(f"churn.not_churn_reasons needs the column end_reason in sources.{role}")
    if sources.contracts is None or sources.customers is None:
        return
    twice = {"started_at", "ended_at", "end_reason"} & sources.customers.columns.model_fields_set
    if twice:
        lines = ", ".join(f"sources.customers.columns.{name}" for name in sorted(twice))
        raise ValueError(f"leave out {lines}: with sources.contracts they follow from the contracts")


def load_config(
    file: str | Path, environ: Mapping[str, str] | None = None, changes: Mapping[str, str] | None = None
) -> Config:
    """Read and check a config file.

    Parameters
    ----------
    file
        Path of the YAML file, absolute or from the working directory.
    environ
        Variables `CHURN__SECTION__KEY` override the file; `os.environ` when absent. Their values are read as
        YAML, so that numbers and lists can be given.
    changes
        Key such as `outreach.capacity` to a value in YAML; they override both.

    Raises
    ------
    ConfigError
        With every fault of the file and of the environment at once.
    """
    path = Path(file).expanduser().absolute()
    try:
        with path.open(encoding="utf-8") as text:
            raw = parse(text.read(MOST_CHARACTERS + 1), str(file))
    except FileNotFoundError as error:
        found = sorted(str(p) for p in path.parent.glob("*.yaml"))[:5] if path.parent.is_dir() else []
        hint = f"found there: {', '.join(found)}" if found else "give --config FILE or set CHURN_CONFIG"
        raise ConfigError(f"{file}: no such config file; {hint}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not readable as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(raw, dict):
        raise ConfigError(
            f"{file}: expected sections such as 'churn:' and 'sources:', found {type(raw).__name__}"
        )
    origins = _override(raw, os.environ if environ is None else environ, changes or {})
    raw["home"] = path.parent.parent if path.parent.name == "configs" else path.parent
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        faults = [fault_of(e, Config, origins, MOVED) for e in error.errors()]
        raise ConfigError(
            f"{file}: {len(faults)} fault{'s' * (len(faults) > 1)} in the config", faults
        ) from None


def _override(raw: dict[str, Any], environ: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    """Lay variables and changes over the file's values; return dotted key -> where from, for error messages."""
    origins: dict[str, str] = {}
    variables = sorted(v for v in environ if v.startswith(ENV_PREFIX))
    given = [(v, v.removeprefix(ENV_PREFIX).lower().split("__"), environ[v]) for v in variables]
    given += [(f"--set {key}", key.split("."), text) for key, text in changes.items()]
    for origin, (*sections, key), text in given:
        place = raw
        for section in sections:
            if not isinstance(place.get(section), dict):
                place[section] = {}
            place = place[section]
        place[key] = _value(text, origin)
        origins[".".join([*sections, key])] = origin
    return origins


def _value(text: str, origin: str) -> Any:
    """A value from a variable or an option; what is no YAML, such as a bare `*`, is text."""
    try:
        return parse(text, origin)
    except ConfigError as error:
        if error.faults:
            raise
        return text[:MOST_CHARACTERS]

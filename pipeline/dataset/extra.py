"""`features.extra`: the features of a user's own Python files, beside those of the product.

    import numpy as np
    from configs.base import Range
    from features.spec import feature
    from features.worse import Worse

    less = Worse(range=Range(below=0.1), says="hardly a purchase in the last {days} days")

    @feature("transactions", unit="share", driver="rhythm", null="has never bought", windows=True, worse=less)
    def purchase_recent_share(at, days):
        '''Share of all purchases that fall into the last {days} days.'''
        return at.purchases.last(days).count() / np.maximum(at.purchases.count(), 1)

The files are programs, and run with the rights of who runs `churn`: who names one in the config chooses to trust it.
`churn features --check` shows whether a feature sees what lies after its snapshot.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import ibis.expr.types as ir
import numpy as np

from configs.arrays import Floats
from configs.errors import ConfigError, Fault
from configs.roles import ROLES
from configs.schema import Config
from features.matrix import ColumnOf, declared
from features.snapshots import TimeAxis
from features.spec import At, Feature, columns_of, needed_stats
from features.tables import PREDICATES
from features.worse import Worse

_PREFIX = "churn_extra_"
_KEYS = frozenset({"customer_id", "snapshot", "as_of", "churned", "churn_probability"})


@dataclass(frozen=True)
class Extra:
    """The user's features.

    Parameters
    ----------
    features
        In the order of the files, and of the functions in them.
    code
        SHA-256 of each file: what a column means changes with its code.
    """

    features: tuple[Feature, ...] = ()
    code: tuple[str, ...] = ()


def load_extra(config: Config) -> Extra:
    """Run the files that the config names, and take their features.

    Raises
    ------
    ConfigError
        With all faults: a missing or broken file, one without a feature, a name that is taken, an unknown source.
    """
    found: list[Feature] = []
    code: list[str] = []
    faults: list[Fault] = []
    taken = _taken(config)
    for name in config.features.extra:
        file = config.path(name)
        try:
            content = file.read_bytes()
            features = [_guarded(f, name) for f in _features_of(_run(file, content))]
        except OSError as error:
            step = "paths count from the config's home"
            faults.append(Fault("features.extra", f"can't read {file}: {error.strerror}", step))
            continue
        except Exception as error:
            faults.append(Fault(f"features.extra: {name}", _told(error, str(file)), "correct it"))
            continue
        if not features:
            step = "put @feature(...) from features.spec before a function"
            faults.append(Fault(f"features.extra: {name}", "declares no feature", step))
        for f in features:
            faults += [
                Fault(f"features.extra: {name}, {f.name}", *fault) for fault in _faults_of(f, taken, config)
            ]
            taken |= dict.fromkeys(_names(f, config), name)
        found += features
        code.append(hashlib.sha256(content).hexdigest())
    if faults:
        raise ConfigError(f"{len(faults)} fault{'s' * (len(faults) > 1)} in the features of your own", faults)
    return Extra(tuple(found), tuple(code))


class _Given(SourceFileLoader):
    """Compiles a file as it was read; leaves no bytecode beside it."""

    def __init__(self, name: str, file: Path, content: bytes) -> None:
        super().__init__(name, str(file))
        self.content = content

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.content, self.path)


def loaded() -> list[ModuleType]:
    """The user's files that were run, which no other process can import by their names."""
    return [module for name, module in list(sys.modules.items()) if name.startswith(_PREFIX)]


def _run(file: Path, content: bytes) -> ModuleType:
    name = f"{_PREFIX}{hashlib.sha256(str(file).encode()).hexdigest()[:8]}_{file.stem}"
    spec = importlib.util.spec_from_loader(name, _Given(name, file, content))
    if spec is None or spec.loader is None:
        raise ImportError(f"no loader for {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses in the file look for it there
    spec.loader.exec_module(module)
    return module


def _features_of(module: ModuleType) -> list[Feature]:
    """The features that are declared in the file, not those that it imports."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, Feature) and value.function.__module__ == module.__name__
    ]


def _names(f: Feature, config: Config) -> list[str]:
    return [column.name for column, _ in columns_of([f], config.features.windows_days)]


def _taken(config: Config) -> dict[str, str]:
    """Name of a column -> whose it is."""
    customers = config.sources.customers
    return {
        **dict.fromkeys(_KEYS, "a key of the matrix"),
        **{column.name: "a feature" for column, _ in columns_of(declared(), config.features.windows_days)},
        **dict.fromkeys(customers.attributes if customers else (), "an attribute of the customers"),
    }


def _faults_of(f: Feature, taken: Mapping[str, str], config: Config) -> Iterable[tuple[str, str]]:
    for name in _names(f, config):
        if name in taken:
            yield f"the name {name} is taken: {taken[name]}", "rename the function"
    for source in f.sources:
        role, _, part = source.partition(".")
        known = {*(ROLES[role].columns if role in ROLES else ()), *PREDICATES.get(role, ())}
        if role not in ROLES or (part and part not in known):
            among = sorted(f"{role}.{p}" for p in known) if role in ROLES else sorted(ROLES)
            near = difflib.get_close_matches(source, among, n=1, cutoff=0.5)
            yield (
                f"unknown source '{source}'",
                f"did you mean '{near[0]}'?" if near else f"known: {', '.join(among)}",
            )
    if f.worse is not None and not isinstance(f.worse, Worse):
        yield (
            f"worse is {f.worse!r}",
            "say which numbers are worse, as in Worse(range=Range(above=30), says='quiet for {recency_days:day}')",
        )
        return
    known_columns = {*taken, *_names(f, config)}
    for column, _ in columns_of([f], config.features.windows_days):
        for name in sorted((column.worse.columns() if column.worse else set()) - known_columns):
            near = difflib.get_close_matches(name, sorted(known_columns), n=1, cutoff=0.5)
            hint = f"did you mean '{near[0]}'?" if near else "`churn features --list` shows all columns"
            yield f"worse names {name}, which is no column", hint


def _guarded(f: Feature, file: str) -> Feature:
    """The feature, with errors that name it, and a check of what it returns."""
    where = f"features.extra: {file}, {f.name}"

    def function(at: At, *days: int) -> Floats:
        try:
            found = np.asarray(f.function(at, *days), dtype=np.float64)
        except Exception as error:
            nobody = " when there is no customer" if not len(at.members) else ""
            raise ConfigError(
                f"{where}: fails{nobody}: {_told(error, f.function.__code__.co_filename)}"
            ) from error
        if found.shape != at.members.shape:
            shape = " x ".join(map(str, found.shape)) or "a single number"
            raise ConfigError(
                f"{where}: returns {shape} for {len(at.members)} customers; return one number for each"
            )
        if np.isinf(found).any():
            raise ConfigError(f"{where}: returns infinite values; divide with features.panel.ratio")
        return found

    return replace(f, function=function)


def _told(error: Exception, file: str) -> str:
    """The error in a line, with the line of the user's file."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    text = " ".join(str(error).split())
    return f"{f'line {lines[-1]}: ' if lines else ''}{type(error).__name__}{f': {text}' if text else ''}"


def require_columns(
    columns: Sequence[ColumnOf], tables: Mapping[str, ir.Table], roles: Collection[str], axis: TimeAxis
) -> None:
    """Refuse features of the user that read what their sources don't have.

    Raises
    ------
    ConfigError
        With every such feature, and what it reads.
    """
    faults = []
    for column, function in columns:
        for role, stats in needed_stats([function], roles, axis).items():
            has = set(tables[role].columns)
            for stat in sorted(stats):
                needs, _ = (
                    PREDICATES.get(role, {}).get(stat.where, ((stat.where,), None))
                    if stat.where
                    else ((), None)
                )
                missing = sorted({*needs, *([stat.column] if stat.column else [])} - has)
                if missing:
                    what = f"reads {role}.{missing[0]}, which the source does not have"
                    step = f"map it, or declare it with @feature('{role}.{missing[0]}') so that the feature is left out"
                    faults.append(Fault(f"features.extra: {column.name}", what, step))
    if faults:
        raise ConfigError(f"{len(faults)} fault{'s' * (len(faults) > 1)} in the features of your own", faults)

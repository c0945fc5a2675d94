"""Tables with one row a customer and a label, without dates: read, and made into matrix and labels."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from configs.errors import DataError, Fault
from configs.schema import Config
from features.matrix import Matrix, People, attribute_columns
from features.spec import FeatureColumn, catalogue_hash
from models.backtest.undated import out_of_fold
from models.tracking.registry import Champion
from pipeline.dataset import engine
from pipeline.languages.names import role_in_words
from pipeline.languages.said import said_n
from pipeline.sources.opening import Sources, open_sources

CHURNED = frozenset({"1", "yes", "y", "true", "t", "churned", "churn", "left", "lost", "exited", "gone"})
KEPT = frozenset(
    {"0", "no", "n", "false", "f", "kept", "stayed", "active", "retained", "existing", "current"}
)
_SAMPLES = 5


@dataclass(frozen=True)
class Labelled:
    """A table as it was read.

    Parameters
    ----------
    sources
        For fingerprints and notes.
    matrix
        One row for each row of the table, by customer; `snapshot` is the day on which it was read.
    churned
        Shape (rows,): 1 churned, 0 kept, NaN without a label.
    """

    sources: Sources
    matrix: Matrix
    churned: NDArray[np.float64]

    def rows(self, keep: NDArray[np.bool_]) -> Labelled:
        """Select rows."""
        frame = self.matrix.frame.loc[keep].reset_index(drop=True)
        matrix = Matrix(frame, self.matrix.columns, self.matrix.catalogue_hash)
        return Labelled(self.sources, matrix, self.churned[keep])

    def to_score(self) -> Labelled:
        """The rows without a label, if there are any, else all; of a customer who stands there twice the last one."""
        unknown = np.isnan(self.churned)
        chosen = self.rows(unknown) if unknown.any() else self
        repeated = chosen.matrix.frame["customer_id"].duplicated(keep="last").to_numpy()
        if not repeated.any():
            return chosen
        note = said_n(
            "{role}: {n} row repeats a customer; the last row of each is scored",
            "{role}: {n} rows repeat a customer; the last row of each is scored",
            int(repeated.sum()),
            role=role_in_words("customers"),
        )
        sources = replace(chosen.sources, notes=(*chosen.sources.notes, note))
        return replace(chosen.rows(~repeated), sources=sources)


def read_labelled(config: Config, as_of: dt.date) -> Labelled:
    """Read and check the table.

    Raises
    ------
    DataError
        A column is missing, or a label is none of the known words.
    """
    sources = open_sources(config, as_of, dated=False)
    rows = sources.tables["customers"].to_pyarrow()
    order = np.argsort(rows["customer_id"].to_numpy(zero_copy_only=False).astype(np.str_), kind="stable")
    rows = rows.take(pa.array(order))
    churned = labels_of(rows["churned"].to_pylist(), config.churn.churned_values, _where(config))
    frame = pd.DataFrame({"customer_id": pd.Series(rows["customer_id"].to_pandas(), dtype="str")})
    frame["snapshot"] = np.full(len(frame), np.datetime64(as_of, "s"))
    kinds = engine.kinds_of(rows, sources.attributes)
    facts = {name: rows[name].to_pandas().astype(kind) for name, kind in kinds.items()}
    columns = _columns(facts, config.features.exclude)
    for column in columns:
        frame[column.name] = facts[column.name].array
    matrix = Matrix(frame, columns, catalogue_hash(columns))
    print_ = {**sources.fingerprints["customers"], "digest": _digest(frame, churned)}
    return Labelled(replace(sources, fingerprints={"customers": print_}), matrix, churned)


def _where(config: Config) -> str:
    customers = config.sources.customers
    return f"{customers.uri if customers else ''}, column churned"


def labels_of(values: Sequence[object], churned: Sequence[str], where: str) -> NDArray[np.float64]:
    """Read labels; nothing (null or blank) is no label yet.

    Parameters
    ----------
    values
        Texts or numbers.
    churned
        Values that mean churned, all others then mean kept; empty for the usual words.

    Raises
    ------
    DataError
        When a value is none of the usual words.

    Examples
    --------
    >>> labels_of(["Yes", "No", None, "False."], [], "t.csv, column churned")
    array([ 1.,  0., nan,  0.])
    >>> labels_of(["Attrited Customer", "Existing Customer"], ["attrited customer"], "t.csv, column churned")
    array([1., 0.])
    """
    words = [_word(value) for value in values]
    wanted = frozenset(_word(value) for value in churned) or CHURNED
    strange = sorted({w for w in words if w and w not in wanted and w not in KEPT}) if not churned else []
    if strange:
        shown = ", ".join(map(repr, strange[:_SAMPLES])) + (", ..." if len(strange) > _SAMPLES else "")
        count = sum(w in strange for w in words)
        what = f"neither says churned nor kept in {count} of {len(words)} rows: {shown}"
        raise DataError(
            "1 fault in the data",
            [Fault(where, what, "name the values that mean churned in churn.churned_values")],
        )
    return np.array([np.nan if not w else float(w in wanted) for w in words])


def _word(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:g}"
    return str(value).strip().rstrip(".").casefold()


def _columns(facts: Mapping[str, pd.Series[Any]], exclude: Sequence[str]) -> tuple[FeatureColumn, ...]:
    """Every attribute is a driver of its own: there is no behaviour to group them by."""
    nobody = np.zeros(0)
    people = People(pa.array([], pa.string()), nobody, nobody, facts)
    return tuple(replace(c, driver=c.label.lower()) for c in attribute_columns(people, exclude))


def _digest(frame: pd.DataFrame, churned: NDArray[np.float64]) -> str:
    """Over all values, in any order of rows."""
    rows = pd.util.hash_pandas_object(frame.drop(columns="snapshot").assign(churned=churned), index=False)
    return hashlib.sha256(np.sort(rows.to_numpy()).tobytes()).hexdigest()[:16]


def probabilities(champion: Champion, table: Labelled, threads: int) -> NDArray[np.float64]:
    """Churn probability of each row; by a model that has not seen the customer where there is a label."""
    features = table.matrix.features
    p = champion.model.probability(features, threads)
    seen = np.isfinite(table.churned)
    if seen.any():
        ids = table.matrix.frame.loc[seen, "customer_id"].tolist()
        p[seen] = out_of_fold(champion.held, features.loc[seen], ids, threads)
    return p

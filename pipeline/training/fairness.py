"""How a new model serves the groups of protected attributes, on the newest test snapshot; and what stands in for them.

They are those that `model.protected` names, or else those whose names say that they are.
"""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.schema import Config
from models.backtest.tested import Tested
from models.prediction.sample import single_auc
from models.statistics.fairness import FEWEST_ROWS, Group, by_group
from pipeline.result import table
from pipeline.sources.databases import arrow
from pipeline.sources.opening import Sources

MOST_GROUPS, PARTS = 12, 4
UNKNOWN, OTHERS = "unknown", "others"
PROXY_AUC, PROXY_ROWS = 0.9, 5_000
# Words of columns that tell of what laws protect, in English, German, Persian and Marathi: the one place to add a word.
_PROTECTED = re.compile(
    "gender|sex|male|female|woman|geschlecht|جنسیت|लिंग|"
    "age|birth|birthday|birthdate|born|dob|yob|senior|elderly|alter|geburtstag|geburtsdatum|geburtsjahr|سن|تولد|वय|"
    "nationality|citizenship|ethnicity|ethnic|race|racial|origin|caste|nationalität|herkunft|ملیت|قومیت|जात|"
    "religion|religious|belief|دین|مذهب|धर्म|"
    "disability|disabled|handicap|pregnant|pregnancy|behinderung|معلولیت|अपंगत्व|"
    "marital|married|partner|dependents|children|familienstand|تاهل|orientation"
)


def protected_names(config: Config) -> list[str]:
    """Attributes and facts by which a model is looked at: those that are named, or those whose names say so."""
    customers = config.sources.customers
    if config.model.protected is not None or customers is None:
        return list(config.model.protected or ())
    return [name for name in (*customers.attributes, *customers.facts) if is_protected(name)]


def is_protected(name: str) -> bool:
    """Whether a column's name says that it tells of gender, age, origin, belief, health or family.

    Examples
    --------
    >>> [is_protected(name) for name in ("SeniorCitizen", "birth_date", "Geschlecht", "page", "sexta_feira", "سن")]
    [True, True, True, False, False, True]
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").lower().split()
    return any(_PROTECTED.fullmatch(word) for word in words)


@dataclass(frozen=True)
class Fairness:
    """What a model does for the groups of protected attributes.

    Parameters
    ----------
    names
        The attributes; `named` tells whether the config names them.
    groups
        Figures of each group.
    proxies
        Column of the model, group and AUC where the column alone tells the group from the others.
    """

    names: tuple[str, ...] = ()
    named: bool = False
    groups: tuple[Group, ...] = ()
    proxies: tuple[tuple[str, str, float], ...] = ()

    @property
    def lines(self) -> list[str]:
        """For the terminal and the page."""
        if not self.groups:
            return ["fairness: no attribute says gender, age or the like; model.protected can name one"]
        header = [
            "group",
            "rows",
            "churned",
            "predicted",
            "in the top tenth",
            "of its churners there",
            "lift",
        ]
        found = "" if self.named else " (found by their names; model.protected names others, or [])"
        told = [f"stands in for {group}: {column} (AUC {value:.2f})" for column, group, value in self.proxies]
        head = f"fairness by {', '.join(self.names)}{found}"
        return ["", head, table(header, [_row(one) for one in self.groups]), *told]

    @property
    def looks(self) -> list[str]:
        """What a person should look at before such a model makes lists."""
        return [f"fairness: {line}" for one in self.groups for line in one.looks]

    @property
    def values(self) -> list[dict[str, Any]]:
        """The figures for machines; null where there is none."""
        return [
            {
                name: None if isinstance(value, float) and math.isnan(value) else value
                for name, value in {**asdict(one), "lift": one.lift}.items()
            }
            for one in self.groups
        ]


def fairness_of(config: Config, sources: Sources, tested: Tested, frame: pd.DataFrame) -> Fairness:
    """Look at a model by the protected attributes.

    Parameters
    ----------
    frame
        What the model reads of the tested rows.
    """
    names, customers = protected_names(config), sources.tables.get("customers")
    if not names or customers is None:
        return Fairness()
    rows = arrow(customers.select("customer_id", *names)).to_pandas().astype({"customer_id": "str"})
    known = rows.drop_duplicates("customer_id").set_index("customer_id").reindex(tested.customer)
    y, p = tested.y, tested.probability["model"]
    groups = {name: groups_of(known[name]) for name in names}
    figures = tuple(
        replace(one, name=f"{name}={one.name}")
        for name, of in groups.items()
        for one in by_group(y, p, of, weight=tested.weight)
    )
    found = (one for name, of in groups.items() for one in proxies(frame, name, of))
    return Fairness(tuple(names), config.model.protected is not None, figures, tuple(found))


def proxies(frame: pd.DataFrame, name: str, groups: NDArray[np.str_]) -> list[tuple[str, str, float]]:
    """Columns that alone tell a group of an attribute from all others, the attribute itself among them."""
    some = np.linspace(0, len(groups) - 1, min(len(groups), PROXY_ROWS)).astype(np.int64)
    shown, of = frame.iloc[some], groups[some]
    found = []
    for group in np.unique(of):
        member = (of == group).astype(np.float64)
        if group == UNKNOWN or min(member.sum(), len(member) - member.sum()) < FEWEST_ROWS:
            continue
        for column in shown.columns:
            reached = single_auc(shown[column], member)
            if reached >= PROXY_AUC:
                found.append((str(column), f"{name}={group}", float(reached)))
    return found


def groups_of(values: pd.Series) -> NDArray[np.str_]:
    """To which group each value belongs: many numbers are cut into four parts, rare values stand together.

    Examples
    --------
    >>> groups_of(pd.Series(["f", "m", None])).tolist()
    ['f', 'm', 'unknown']
    >>> sorted(set(groups_of(pd.Series(range(100))).tolist()))
    ['0 to 24', '25 to 49', '50 to 74', '75 to 99']
    """
    numbers = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if numbers and values.nunique() > MOST_GROUPS:
        parts = pd.qcut(values.astype("float64"), PARTS, labels=False, duplicates="drop")
        edges = values.astype("float64").groupby(parts).agg(["min", "max"])
        names = {part: f"{row['min']:g} to {row['max']:g}" for part, row in edges.iterrows()}
        text = parts.map(names)
    else:
        text = values.astype("object").where(values.notna()).map(str, na_action="ignore")
        common = text.value_counts().index[:MOST_GROUPS]
        text = text.where(text.isna() | text.isin(common), OTHERS)
    return text.astype("object").where(text.notna(), UNKNOWN).to_numpy(dtype=np.str_)


def _row(one: Group) -> list[str]:
    shares = (one.churned, one.predicted, one.in_top, one.found)
    return [one.name, f"{one.rows:,}", *(f"{share:.1%}" for share in shares), f"{one.lift:.2f}"]

"""The product's own decision on columns that are computed once: half a year of lists in seconds.

    python -m benchmarks.policy_quick --keep /tmp/kept --seeds 2 --customers 2000

For trying rules of the decision. The columns of all weeks are computed at once from a half-year without lists, the
chances of leaving by plain trees instead of the product's training, and both stay in the folder that `--keep` names.
Each list then is `prepare` and `decide`, and what is learned `judged` and `fit_contact_effect`, with everything that
they rest on: the contact log, the earlier lists, who was drawn. The columns of those who were contacted are computed
anew every fourth week, which is as long as they rest. `benchmarks.policy`, with the product's own nights, counts.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd

from benchmarks.policy import COMPANIES, Row, company_of, rows_of, table
from benchmarks.policy_company import HISTORY, NOBODY, Company, Events, Ints, State, day_of
from benchmarks.policy_product import SMALL
from benchmarks.policy_records import Records
from benchmarks.policy_year import RISKS, Setting, Year, choice_of, lived, policies_of, records_of, settled
from configs.playbook import load_playbook
from configs.schema import Config, load_config
from features.matrix import Matrix
from models.effects.contact import fit_contact_effect
from models.effects.expected import alive
from models.prediction import still_there
from pipeline.dataset.labelling import build_labels
from pipeline.dataset.matrix import build_matrix
from pipeline.outcomes.drawn import YOUNGEST, days_counted
from pipeline.outcomes.learned import Evidence, belief
from pipeline.outcomes.learning import drawn_of, judged, proven
from pipeline.outcomes.situation import there_of
from pipeline.outreach.competing import prepare
from pipeline.outreach.context import Context
from pipeline.outreach.decide import decide
from pipeline.sources.opening import open_sources
from pipeline.training.train import still_there_of

WEEKS, SNAPSHOTS, RESTS = 26, 5, 4
MODEL, THERE = "trees.txt", "still_there.json"
TREES = {
    "n_estimators": 60,
    "num_leaves": 7,
    "learning_rate": 0.06,
    "min_child_samples": 40,
    "reg_lambda": 5.0,
}
TREES |= {"verbose": -1, "n_jobs": 1}
SINCE = ("contact_outbound_gap_days", "contact_gap_days")


@dataclass
class Quick:
    """The lists of one company.

    Parameters
    ----------
    columns
        Of the matrix in all weeks, with `customer_id`, `week`, `churn_probability` and, where known, `still_there`.
    """

    company: Company
    folder: Path
    config: Config
    columns: pd.DataFrame
    log: list[pd.DataFrame] = field(default_factory=list)
    events: list[Events] = field(default_factory=list)
    lists: list[pd.DataFrame] = field(default_factory=list)
    newest: pd.DataFrame | None = None

    def choose(self, state: State, week: int) -> Ints:
        """The list of a week."""
        if self.lists and (week - HISTORY) % RESTS == 0:
            self._refresh(state, week)
        now = day_of(week)
        playbook = load_playbook(self.config.path(str(self.config.outreach.playbook)))
        believed, rows = belief(playbook), self._drawn(state, week)
        bounds = {}
        if len(rows):
            believed = fit_contact_effect(believed, drawn_of(rows, believed.actions))
            bounds = proven(rows, self.config, {})
        nights = [day_of(w) for w in range(HISTORY, week)]
        context = Context(
            now,
            self.config.outreach,
            playbook,
            f"{self.company.seed}".encode(),
            self.config.churn.horizon_days + self.config.churn.gap_days,
            believed,
            Evidence(nights, bounds),
            self.config.margin,
        )
        names = [
            c for c in self.columns if c not in ("customer_id", "week", "churn_probability", "still_there")
        ]
        prepared = prepare(
            self._seen(state, week),
            context,
            columns=names,
            contacts=pd.concat(self.log, ignore_index=True),
            history=pd.concat(self.lists, ignore_index=True) if self.lists else None,
        )
        decision = decide(prepared, [()] * len(prepared.explain))
        self.notes, self.believed = decision.notes, believed
        taken = decision.ledger.loc[decision.ledger["chosen"] | decision.ledger["control"]]
        self.lists.append(taken.assign(as_of=now, week=week))
        action = np.full(len(self.company.ids), NOBODY)
        number = {name: i for i, name in enumerate(self.company.means)}
        listed = taken.loc[taken["chosen"]]
        action[self._place(listed["customer_id"])] = listed["action"].map(number).to_numpy()
        return action

    def note(self, week: int, events: Events) -> None:
        """What the records show of a week."""
        for part in events.get("contacts", []):
            told = {name: part[name] for name in ("channel", "direction", "agent", "topic", "resolved_at")}
            ids = self.company.ids[part["who"]]
            self.log.append(pd.DataFrame({"customer_id": ids, "occurred_at": part["at"], **told}))
        self.events.append(events)

    def _place(self, ids: pd.Series) -> Ints:
        return pd.Series(np.arange(len(self.company.ids)), self.company.ids)[ids].to_numpy()

    def _seen(self, state: State, week: int) -> pd.DataFrame:
        """The newest columns of all customers by the records."""
        fresh = self.columns.loc[self.columns["week"] == week]
        if self.newest is not None:
            fresh = pd.concat([fresh, self.newest]).drop_duplicates("customer_id")
        self.newest = fresh
        at = self._place(fresh["customer_id"])
        found = fresh.loc[self.company.known(state, week)[at]].drop(columns="week").reset_index(drop=True)
        days = 7.0 * (week - state["last_ours"][self._place(found["customer_id"])])
        return found.assign(**{c: np.fmin(found[c], days) for c in SINCE if c in found})

    def _refresh(self, state: State, week: int) -> None:
        """Columns of the coming weeks of whom a list has touched, as they will be if nobody is contacted until then."""
        who = np.unique(self._place(pd.concat(self.lists).loc[lambda rows: rows["chosen"], "customer_id"]))
        nobody, ahead = np.full(len(self.company.ids), NOBODY), list(self.events)
        for coming in range(week, week + RESTS):
            state, events = self.company.week(state, coming, nobody, None)
            ahead.append(events)
        with tempfile.TemporaryDirectory() as name:
            records = Records(self.company, Path(name))
            records.note(0, _only(ahead, who))
            records.customers(state, week + RESTS)
            for file in ("config.yaml", "playbook.yaml"):
                shutil.copy(self.folder / file, name)
            config = load_config(Path(name) / "config.yaml", {})
            weeks = range(week, min(week + RESTS, HISTORY + WEEKS))
            matrix = build_matrix(
                open_sources(config, day_of(week + RESTS)), config, [day_of(w) for w in weeks]
            )
        fresh = _scored(matrix, self.folder, {pd.Timestamp(day_of(w)): w for w in weeks})
        fresh = fresh.loc[np.isin(self._place(fresh["customer_id"]), who)]
        rest = ~(self.columns["week"].isin(weeks) & self.columns["customer_id"].isin(self.company.ids[who]))
        self.columns = pd.concat([self.columns.loc[rest], fresh], ignore_index=True)
        self.newest = self.newest.loc[~self.newest["customer_id"].isin(self.company.ids[who])]

    def _drawn(self, state: State, week: int) -> pd.DataFrame:
        if not self.lists:
            return pd.DataFrame()
        found = pd.concat(self.lists, ignore_index=True)
        found = found.loc[7 * (week - found["week"]) >= YOUNGEST].reset_index(drop=True)
        if found.empty:
            return found
        horizon = self.config.churn.horizon_days
        found = found.assign(age=np.minimum(7 * (week - found["week"]), horizon))
        at, end = self._place(found["customer_id"]), found["week"].to_numpy() + found["age"].to_numpy() // 7
        if self.company.kind == "contractual":
            left = state["left"][at]
            kept = ~((left >= 0) & (left < end))
        else:
            kept = np.zeros(len(found), bool)
            for then, who in enumerate(events["transactions"][0]["who"] for events in self.events):
                kept |= (found["week"].to_numpy() <= then) & (then < end) & np.isin(at, who)
        days = days_counted(self.config, 7 * (week - found["week"].to_numpy()))
        found = found.assign(days=days)
        if self.company.kind == "contractual":
            end = found["week"].to_numpy() + days // 7
            there = (~((left >= 0) & (left < end))).astype(np.float64)
        else:
            last = np.zeros(len(self.company.ids))
            for then, who in enumerate(events["transactions"][0]["who"] for events in self.events):
                last[who] = then
            silence = 7.0 * (week - 0.5 - last[at]) / horizon
            there = alive(found["churn_probability"].to_numpy(np.float64), there_of(found["inputs"]), silence)
        return judged(found, kept.astype(np.float64), there, self.config)


def kept_columns(setting: Setting, folder: Path) -> tuple[Path, pd.DataFrame]:
    """The config, and the columns of all weeks of a half-year without lists; made when they are not there."""
    file = folder / "columns.parquet"
    if not file.exists():
        company, state = setting.company, setting.state
        records, nobody = records_of(setting, folder), np.full(len(company.born), NOBODY)
        for week in range(HISTORY, HISTORY + WEEKS):
            state, events = company.week(state, week, nobody, None)
            records.note(week, events)
        records.customers(state, HISTORY + WEEKS)
        config = load_config(records.config(setting.capacity, SMALL), {})
        _columns(config, folder).to_parquet(file, index=False)
    return folder / "config.yaml", pd.read_parquet(file)


def _only(weeks: Sequence[Events], who: Ints) -> Events:
    """The events of some customers in all of the weeks, as if of one."""
    found: Events = {}
    for events in weeks:
        for role, parts in events.items():
            for part in parts:
                use = np.isin(part["who"], who)
                found.setdefault(role, []).append({name: values[use] for name, values in part.items()})
    return found


def _columns(config: Config, folder: Path) -> pd.DataFrame:
    first, end = day_of(HISTORY), day_of(HISTORY + WEEKS)
    matured = first - dt.timedelta(days=config.churn.gap_days + config.churn.horizon_days)
    learned = [matured - dt.timedelta(weeks=4 * i) for i in range(SNAPSHOTS)]
    weeks = {pd.Timestamp(day_of(week)): week for week in range(HISTORY, HISTORY + WEEKS)}
    sources = open_sources(config, end)
    matrix = build_matrix(sources, config, [*learned, *(day.date() for day in weeks)])
    past = pd.to_datetime(matrix.frame["snapshot"]) < pd.Timestamp(first)
    older = replace(matrix, frame=matrix.frame.loc[past].reset_index(drop=True))
    there = still_there_of(sources, config, older, first)
    (folder / THERE).write_text(json.dumps(there))
    churned = build_labels(sources, config, older, first)
    known = np.isfinite(churned)
    X = older.features.select_dtypes("number").loc[known]
    trees = lgb.LGBMClassifier(**TREES).fit(X, churned[known])
    trees.booster_.save_model(folder / MODEL)
    return _scored(replace(matrix, frame=matrix.frame.loc[~past].reset_index(drop=True)), folder, weeks)


def _scored(matrix: Matrix, folder: Path, weeks: Mapping[pd.Timestamp, int]) -> pd.DataFrame:
    trees, there = lgb.Booster(model_file=folder / MODEL), json.loads((folder / THERE).read_text())
    chance = trees.predict(matrix.features[trees.feature_name()])
    found = matrix.frame.assign(churn_probability=chance)
    found = found.assign(week=pd.to_datetime(found["snapshot"]).map(weeks)).drop(columns="snapshot")
    return found.assign(still_there=still_there.chance(there, found)) if there else found


def year(setting: Setting, policy: str, keep: Path) -> Year:
    """Half a year under a policy."""
    found, begun = Year(policy), time.perf_counter()
    if policy == "product":
        file, columns = kept_columns(setting, keep)
        quick = Quick(setting.company, file.parent, load_config(file, {}), columns)
        for week, events in enumerate(setting.past):
            quick.note(week, events)
        lived(setting, found, WEEKS, quick.choose, quick.note)
    else:
        lived(setting, found, WEEKS, choice_of(setting, policy))
    found.seconds = time.perf_counter() - begun
    return found


def one(job: tuple[str, int, int | None, tuple[str, ...], Path]) -> list[Row]:
    """All policies on one company at one seed, as rows of `benchmarks.policy.table`."""
    os.environ.update(OMP_NUM_THREADS="1", MLFLOW_DISABLE_TELEMETRY="true")
    name, seed, customers, only, keep = job
    company = company_of(name, seed, WEEKS, customers)
    with tempfile.TemporaryDirectory() as folder:
        setting = settled(company, Path(folder) / "history")
        names = [p for p in policies_of(setting) if p not in RISKS and (not only or p in only)]
        years = {p: year(setting, p, keep / f"{name}-{seed}-{customers}") for p in names}
    return rows_of(name, seed, years)


def main() -> None:
    """Print a table for each company."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--companies", nargs="+", choices=COMPANIES, default=COMPANIES[:4])
    parser.add_argument("--policies", nargs="+", default=[], help="nobody and oracle are always among them")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--customers", type=int, help="in the beginning; drawn when not given")
    parser.add_argument("--keep", type=Path, required=True, help="folder for what is computed once")
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    only = ("nobody", *given.policies, "oracle") if given.policies else ()
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    with ProcessPoolExecutor(given.jobs) as pool:
        for name in given.companies:
            found = pool.map(one, [(name, s, given.customers, only, given.keep) for s in seeds])
            rows = [row for rows in found for row in rows]
            print(f"\n{name}: share of the oracle's gain over nobody, {given.seeds} seeds", flush=True)
            print(table(rows, WEEKS), flush=True)


if __name__ == "__main__":
    main()

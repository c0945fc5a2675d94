"""Do-not-contact lists and opt-outs that fail closed: an id that matches nobody is said, never passed over.

Lists come from spreadsheets, which take leading zeros and the case of letters away. An id that matches nobody as it is
written stands for every customer whose id has the same form without them: to contact one too few is the smaller harm.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import ibis
import ibis.expr.types as ir

from configs.errors import DataError
from configs.outreach import Outreach
from configs.schema import Config
from configs.sources import Column, Tidying
from pipeline.languages.said import Said, said, said_n, together
from pipeline.outreach.eligibility import ALLOWED, NO, YES
from pipeline.sources.contacted import opted_out
from pipeline.sources.contracts import SAMPLES
from pipeline.sources.databases import arrow
from pipeline.sources.opening import Sources
from pipeline.sources.values import tidied

_FORM = Column(column="x", tidy=list(get_args(Tidying)))
_SEPARATORS = ",;\t"


@dataclass(frozen=True)
class DoNotContact:
    """Who is never to be contacted, by the list of ids.

    Parameters
    ----------
    customers
        Ids as the sources have them.
    look, notes
        What a person should look at, and what is good to know.
    """

    customers: frozenset[str] = frozenset()
    look: tuple[Said, ...] = ()
    notes: tuple[Said, ...] = ()


def do_not_contact(config: Config, sources: Sources) -> DoNotContact:
    """The customers on the config's do-not-contact list, and the ids of it that are nobody's; and who asked for it.

    Raises
    ------
    DataError
        When the list can't be read: then nobody may be contacted.
    """
    asked = opted_out(sources.marks)
    if config.outreach.do_not_contact is None:
        return DoNotContact(asked)
    listed = read_ids(config.path(config.outreach.do_not_contact))
    rules = [source.mapped["customer_id"] for source in config.sources.given.values()]
    for prefix in sorted({rule.without_prefix for rule in rules if rule.without_prefix}):
        listed = tuple(name.removeprefix(prefix) for name in listed)
    found = matched(listed, _candidates(listed, list(sources.ids.values())))
    return replace(found, customers=found.customers | asked)


def matched(listed: Sequence[str], known: Mapping[str, Collection[str]]) -> DoNotContact:
    """The customers whom ids of a list stand for.

    Parameters
    ----------
    listed
        As they are written.
    known
        Id of the list to the customers whose ids have its form.

    Examples
    --------
    >>> found = matched(["162", "x9"], {"162": ["000162"]})
    >>> sorted(found.customers), found.look
    (['000162'], ("1 of 2 ids of `outreach.do_not_contact` matches no customer, such as 'x9'; correct the list",))
    >>> found.notes
    ("1 id of `outreach.do_not_contact` is written in another form than the customers', such as '162' for '000162'",)
    """
    customers: set[str] = set()
    nobody, changed = [], []
    for name in listed:
        same = known.get(name, ())
        if name in same:
            customers.add(name)
        elif same:
            customers.update(same)
            changed.append((name, min(same)))
        else:
            nobody.append(name)
    if len(listed) > 1 and nobody[:1] == list(listed[:1]) and not _has_digit(nobody[0]):
        listed, nobody = listed[1:], nobody[1:]  # a heading
    look = (
        _nobody(nobody, len(listed))
        if listed
        else [said("`outreach.do_not_contact` names nobody; correct the list")]
    )
    notes = []
    if changed:
        sample = [said("{one!r} for {other!r}", one=one, other=other) for one, other in changed[:SAMPLES]]
        notes.append(
            said_n(
                "{n} id of `outreach.do_not_contact` is written in another form than the customers', such as {sample}",
                "{n} ids of `outreach.do_not_contact` are written in another form than the customers', such as "
                "{sample}",
                len(changed),
                sample=sample,
            )
        )
    return DoNotContact(frozenset(customers), tuple(look), tuple(notes))


def _nobody(ids: Sequence[str], count: int) -> list[Said]:
    if not ids:
        return []
    return [
        said_n(
            "{n} of {count} ids of `outreach.do_not_contact` matches no customer, such as {sample!r}; correct the list",
            "{n} of {count} ids of `outreach.do_not_contact` match no customer, such as {sample!r}; correct the list",
            len(ids),
            count=count,
            sample=list(ids[:SAMPLES]),
        )
    ]


def id_forms(ids: ir.Table) -> ir.Table:
    """The ids with their `form`: without blanks, leading zeros, a '.0' at its end, case of letters and look-alikes.

    Parameters
    ----------
    ids
        With `customer_id`.

    Examples
    --------
    >>> ids = ibis.memtable({"customer_id": [" 00 16.0", "Ann@X.com", "000", "۰۱۶"]})
    >>> id_forms(ids).form.to_pyarrow().to_pylist()
    ['16', 'ann@x.com', '0', '16']
    """
    return ids.select("customer_id", form=tidied(ids.customer_id, _FORM))


def _candidates(listed: Collection[str], ids: Sequence[ir.Table]) -> dict[str, list[str]]:
    """Of each listed id the customers with its form; the customers' ids are looked up where they are."""
    if not listed:
        return {}
    asked = arrow(id_forms(ibis.memtable({"customer_id": sorted(set(listed))}))).to_pylist()
    everybody = (
        ibis.union(*(table.select("customer_id") for table in ids), distinct=True) if len(ids) > 1 else ids[0]
    )
    wanted = ibis.memtable({"form": sorted({row["form"] for row in asked})})
    found = arrow(id_forms(everybody).semi_join(wanted, "form"))
    known: dict[str, list[str]] = {}
    for row in found.sort_by("customer_id").to_pylist():
        known.setdefault(row["form"], []).append(row["customer_id"])
    return {row["customer_id"]: known.get(row["form"], []) for row in asked}


def unheard_opt_outs(config: Config, sources: Sources) -> tuple[list[Said], list[Said]]:
    """Opt-outs of people whom no other source knows: what to look at, and what is good to know."""
    settings, customers = config.outreach, sources.tables.get("customers")
    others = [table for role, table in sources.ids.items() if role != "customers"]
    names = [name for name in _opting_out(settings) if customers is not None and name in customers.columns]
    if customers is None or not names or not others or config.churn.kind != "non_contractual":
        return [], []
    says = [_opted(customers[name]) for name in names]
    opted = customers.filter(ibis.or_(*says)).select("customer_id")
    here = opted if opted.get_backend() is others[0].get_backend() else ibis.memtable(arrow(opted))
    elsewhere = (
        ibis.union(*(t.select("customer_id") for t in others), distinct=True)
        if len(others) > 1
        else others[0]
    )
    unheard = here.anti_join(elsewhere, "customer_id")
    count = int(arrow(here.aggregate(n=here.count()))["n"][0].as_py())
    sample = arrow(unheard.order_by("customer_id"))["customer_id"].to_pylist()
    if not sample:
        return [], []
    told = said(
        "{n} of {count} customers who opted out are known from no other source, such as {sample!r}",
        n=len(sample),
        count=count,
        sample=sample[:SAMPLES],
    )
    source = config.sources.customers
    few = source is not None and len(sample) > (1 - source.min_known_share) * count
    if few:
        step = said("correct their ids, or, if they never bought, lower `sources.customers.min_known_share`")
        return [together([told, step])], []
    return [], [told]


def _opting_out(settings: Outreach) -> list[str]:
    stop = [settings.columns.do_not_contact] if settings.columns.do_not_contact else []
    return [*settings.opt_out.values(), *stop]


def refused(customers: ir.Table, settings: Outreach) -> dict[str, Any]:
    """Column of the customers that says who may be contacted, to an expression that is true of those who refuse.

    Examples
    --------
    >>> people = ibis.memtable({"stop": ["yes", "", "later"], "may": ["yes", None, "later"]})
    >>> says = refused(people, Outreach(opt_out={"all": "stop"}, consent={"email": "may"}))
    >>> people.select(**says).to_pyarrow().to_pylist()[2]
    {'stop': True, 'may': True}
    """
    stops = {name: _opted(customers[name]) for name in _opting_out(settings) if name in customers.columns}
    may = {
        name: _text(customers[name]).notin(sorted(YES | ALLOWED))
        for name in settings.consent.values()
        if name in customers.columns
    }
    return stops | may


def _text(column: Any) -> Any:
    return column.cast("string").strip().lower().fill_null("")


def _opted(column: Any) -> Any:
    return _text(column).notin(sorted(NO | ALLOWED))


def read_ids(path: Path) -> tuple[str, ...]:
    """Customer ids of a file, one a line; of a table the first column, without the heading `customer_id`.

    Raises
    ------
    DataError
        When the file can't be read: then nobody may be contacted.
    """
    try:
        data = path.read_bytes()
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: the do-not-contact list can't be read: {error}; correct outreach.do_not_contact"
        ) from error
    lines = text.splitlines()
    separator = next((sign for sign in _SEPARATORS if lines and sign in lines[0]), ",")
    first = [line.split(separator)[0].strip().strip('"').strip() for line in lines]
    return tuple(dict.fromkeys(name for name in first if name and name != "customer_id"))


def _has_digit(text: str) -> bool:
    return any(sign.isdigit() for sign in text)

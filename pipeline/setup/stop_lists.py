"""Files of people who are not to be contacted, as mail tools export them: their names say so, and a list obeys them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pipeline.setup.draft import Draft
from pipeline.setup.table_words import is_stop_list
from pipeline.setup.tables import GivenTable
from pipeline.setup.textfiles import is_text
from pipeline.sources.profiles import Profile


def without_lists(
    tables: Sequence[GivenTable], roles: Mapping[str, str]
) -> tuple[list[GivenTable], list[GivenTable]]:
    """The tables of customers and events, and the lists of people who said no; a role that was given decides."""
    lists = [t for t in tables if t.name not in roles and is_stop_list(t.name)]
    return [t for t in tables if t not in lists], lists


def obey(draft: Draft, lists: Sequence[GivenTable], ids: Mapping[str, tuple[Profile | None, str]]) -> None:
    """Name the one list in the config; say so where there are several, or the list's first column holds no ids."""
    fits = [one for one in lists if _is_read(one, ids[one.name][0])]
    if len(lists) == 1 and fits:
        draft.values.setdefault("outreach", {})["do_not_contact"] = fits[0].uri
        draft.remarks["outreach"] = "the list"
        draft.remarks["outreach.do_not_contact"] = "its first column has the customers that are never listed"
        return
    for one in lists:
        draft.doubts.append(
            f"{one.name} sounds like a list of people who are not to be contacted, and is not asked: write the ids of "
            "such customers into one text file, one a line, and name it in outreach.do_not_contact"
        )


def _is_read(one: GivenTable, who: Profile | None) -> bool:
    """Whether the list reads it as it stands: one text file of UTF-8 with the ids in front."""
    (uri, *more) = one.uris
    plain = is_text(uri) and not re.search(r"\.gz$|[*?#]|/$", uri)
    return not more and plain and not one.settings and who is not None and one.columns[0].name == who.name

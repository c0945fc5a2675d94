"""Do-not-contact ids and opt-outs: what they match, what they don't, and that neither is passed over."""

import datetime as dt

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.errors import DataError
from pipeline.outreach.consent import _candidates, do_not_contact, read_ids, unheard_opt_outs
from pipeline.sources.opening import open_sources

AS_OF = dt.date(2024, 3, 1)


def purchases(*ids):
    return "\n".join(["customer_id,occurred_at", *(f"{i},2024-02-20" for i in ids), ""])


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ('customer_id,since\n0001,2024\n "0003" \n\n', ("0001", "0003")),
        ("0001\n0001\n0002", ("0001", "0002")),
        ("Kunde;Grund\nK1;umgezogen\nK2;", ("Kunde", "K1", "K2")),
        ("ann@x.com\nbo@x.com", ("ann@x.com", "bo@x.com")),
        ("", ()),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_as_spreadsheets_write_them(tmp_path, text, ids, encoding):
    file = tmp_path / "stop.csv"
    file.write_text(text, encoding=encoding)
    assert read_ids(file) == ids


def test_a_list_that_can_not_be_read_stops_the_night(tmp_path):
    with pytest.raises(DataError, match="do-not-contact list can't be read"):
        read_ids(tmp_path / "none.csv")


def stopped(tiny, tmp_path, listed, *known, sources=None):
    (tmp_path / "stop.csv").write_text("\n".join(listed))
    config = tiny(
        transactions=purchases(*known),
        settings=sources or {},
        sections={"outreach": {"do_not_contact": "stop.csv"}},
    )
    return do_not_contact(config, open_sources(config, AS_OF))


def test_zeros_that_a_spreadsheet_took_away_are_restored(tiny, tmp_path):
    found = stopped(tiny, tmp_path, ["162", "293", "000051"], "000162", "000293", "000051", "000777")
    assert found.customers == {"000162", "000293", "000051"}
    assert found.look == ()
    assert found.notes == (
        "2 ids of `outreach.do_not_contact` are written in another form than the customers', "
        "such as '162' for '000162', '293' for '000293'",
    )


def test_what_is_not_clear_stops_every_customer_that_it_may_mean(tiny, tmp_path):
    assert stopped(tiny, tmp_path, ["7"], "007", "0007", "8").customers == {"007", "0007"}
    assert stopped(tiny, tmp_path, ["007"], "007", "0007", "8").customers == {"007"}


def test_ids_that_match_nobody_are_named(tiny, tmp_path):
    found = stopped(tiny, tmp_path, ["A@x.com", "z9", "z8"], "a@x.com")
    assert found.customers == {"a@x.com"}
    assert found.look == (
        "2 of 3 ids of `outreach.do_not_contact` match no customer, such as 'z9', 'z8'; correct the list",
    )


@pytest.mark.parametrize("listed", [[], ["customer_id"], ["", " "]])
def test_a_list_of_nobody_is_looked_at(tiny, tmp_path, listed):
    found = stopped(tiny, tmp_path, listed, "K1", "K2")
    assert (found.customers, found.look) == (
        frozenset(),
        ("`outreach.do_not_contact` names nobody; correct the list",),
    )


def test_digits_and_letters_of_another_keyboard_stop_the_same_customer(tiny, tmp_path):
    listed = ["۱۶۲", "\u0643\u0627", "0\u200b7"]
    found = stopped(tiny, tmp_path, listed, "000162", "\u06a9\u0627", "07", "8")
    assert found.customers == {"000162", "\u06a9\u0627", "07"}
    assert found.look == ()


HOSTILE = st.text(
    st.sampled_from("01aAbİßſ .۱٢१９\u200b\u0643\u06a9\t\x1f\xa0é\u0301'\";,%_\\"), min_size=1, max_size=6
)


@settings(max_examples=60, deadline=None)
@given(ids=st.lists(HOSTILE, min_size=1, max_size=8, unique=True))
def test_an_id_of_the_list_always_stops_the_customer_who_has_it(ids):
    kinds = {"customer_id": "string"}
    two = [ibis.memtable({"customer_id": some}, schema=kinds) for some in (ids[:5], ids[3:])]
    known = _candidates(ids, two)
    assert all(name in known[name] for name in ids)
    # Whom one id stands for, the others of that form stand for as well.
    assert all(known[other] == known[name] for name in ids for other in known[name])


def test_a_heading_is_no_id_unless_somebody_has_it(tiny, tmp_path):
    found = stopped(tiny, tmp_path, ["Kunde", "K1"], "K1", "K2")
    assert (found.customers, found.look) == ({"K1"}, ())
    assert stopped(tiny, tmp_path, ["Kunde", "K1"], "K1", "Kunde").customers == {"K1", "Kunde"}


def test_a_prefix_that_the_config_leaves_out_is_left_out_here_too(tiny, tmp_path):
    columns = {
        "customer_id": {"column": "customer_id", "without_prefix": "cus_"},
        "occurred_at": "occurred_at",
    }
    sources = {"transactions": {"columns": columns}}
    found = stopped(tiny, tmp_path, ["cus_1"], "cus_1", "cus_2", sources=sources)
    assert (found.customers, found.look) == ({"1"}, ())


def opted_out(tiny, rows, share=0.9):
    config = tiny(
        transactions=purchases("a", "b"),
        customers="\n".join(["customer_id,stop", *rows, ""]),
        mapped={"customers": {"customer_id": "customer_id"}},
        settings={"customers": {"facts": ["stop"], "min_known_share": share}},
        sections={"outreach": {"opt_out": {"all": "stop"}}},
    )
    return unheard_opt_outs(config, open_sources(config, AS_OF))


def test_opt_outs_of_people_whom_nobody_knows(tiny):
    rows = ["a,no", "b,", "c,YES", "d,perhaps"]
    told = "2 of 2 customers who opted out are known from no other source, such as 'c', 'd'"
    look, notes = opted_out(tiny, rows)
    assert look == [
        f"{told}; correct their ids, or, if they never bought, lower `sources.customers.min_known_share`"
    ]
    assert notes == []
    assert opted_out(tiny, rows, share=0.0) == ([], [told])
    assert opted_out(tiny, ["a,yes", "b,no"]) == ([], [])

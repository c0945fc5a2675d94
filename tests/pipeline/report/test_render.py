import base64
import datetime as dt
import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from importlib import resources
from itertools import product
from pathlib import Path

import pytest

from configs.errors import ConfigError
from pipeline.languages.language import Language
from pipeline.report import render
from pipeline.report.charts import ChartMark, calibration_chart, trend_chart
from pipeline.report.overview import (
    AuditRow,
    Change,
    Cohort,
    EffectRow,
    GoalRow,
    Overview,
    PeriodRevenue,
    PointWorth,
    SegmentRow,
    StatedRow,
    SurveyRow,
)
from pipeline.report.render import LIST_ROWS, render_report
from pipeline.report.view import (
    CalibrationBin,
    Contender,
    Count,
    Forecast,
    ListRow,
    ModelFacts,
    NightOutcome,
    NightRow,
    PeriodRow,
    ReportView,
    SourceRow,
    Talk,
    WatchedRow,
)

AS_OF = dt.date(2025, 11, 21)
EVIL = "<script>alert('x')</script>\"&"

# Retention of a made-up company, Oct 2024 to Oct 2025 and the running November: S, N, E.
COUNTS = [
    (1104, 81, 1108), (1108, 90, 1120), (1120, 118, 1156), (1156, 64, 1138), (1138, 70, 1127), (1127, 85, 1139),
    (1139, 88, 1152), (1152, 79, 1149), (1149, 95, 1170), (1170, 91, 1183), (1183, 96, 1198), (1198, 104, 1221),
]  # fmt: skip
LABELS = [f"2024-{m:02}" for m in (11, 12)] + [f"2025-{m:02}" for m in range(1, 11)]
REASONS = (
    "No purchase for {a} days; usual gap {b} days",
    "Last survey score 3 of 10, {c} points below the one before",
    "No contact for {d} days; agreed rhythm 30 days",
    "Spend fell from {e} to {f} a quarter",
    "2 complaints in 90 days, 1 still open",
)


def period_row(label, S, N, E, complete=True):
    rate = 100 * (E - N) / S if complete and S else None
    return PeriodRow(label, S, N, E, S - E + N, rate, rate and rate - 1.6, rate and rate + 1.4, complete)


def list_row(rank):
    a, b = 40 + 7 * rank % 90, 12 + rank % 17
    said = [
        s.format(a=a, b=b, c=2 + rank % 4, d=35 + 3 * rank, e=420 + 10 * rank, f=90 + 5 * rank)
        for s in REASONS
    ]
    start = rank % 3
    return ListRow(
        rank,
        f"{70_000 + 4_099 * rank % 9_973:06d}",
        0.35 + 0.6 * (rank * 37 % 50) / 50,
        4_310.0 * 0.97**rank + 37 * (rank % 5),
        (said[start], said[start + 1], said[start + 2]),
        None if rank % 11 == 4 else AS_OF - dt.timedelta(days=5 + 13 * rank % 160),
        610.0 * 0.965**rank,
        ("Call: was it something we did?", "Service recovery by a senior person", "Ask for feedback")[
            rank % 3
        ],
        name=f"Kaveh {rank}",
        owner=("Eva Brandt", "Tom Hill", "سارا")[rank % 3],
        channel=("phone", "email")[rank % 2],
        message=f"Customer {rank}, we have not heard from you.\nHow are things?",
        due=AS_OF + dt.timedelta(days=1 + rank % 9),
        win_back=rank > 47,
        segments=(("plan", ("basic", "pro")[rank % 2]), ("region", ("North", "South", "")[rank % 3])),
        talks=(
            Talk(AS_OF - dt.timedelta(days=9), "phone", True, "Eva Brandt", "review"),
            Talk(AS_OF - dt.timedelta(days=40)),
        ),
        history=tuple(
            (AS_OF - dt.timedelta(days=7 * k), 0.2 + 0.6 * ((rank + k) % 7) / 7) for k in (9, 5, 1, 0)
        ),
    )


def counts(by_name):
    return tuple(Count(name, customers) for name, customers in by_name.items())


def overview():
    return Overview(
        goals=(
            GoalRow("nps", "at least 0", "2025-10", -15.6, False, -15.6, "2025-08", 3),
            GoalRow("rate", "at least 90", "2025-10", 93.2, True, 3.2, "2024-11", 12),
            GoalRow("engagement", "up every month", "", None, None, None, "", 0),
        ),
        change=Change("plan", "2025-09", "2025-10", 0.14, -0.3, 0.44),
        money=PeriodRevenue("2025-10", 48.0, 69.9, None),
        point=PointWorth(113.6, 81_985.0, 32_794.0, 1_221, 93.2, 94.2, 12, 88.5, 40.0),
        segments=(
            SegmentRow("plan", "basic", 567, 95.8, 93.8, 97.1),
            SegmentRow("plan", "", 3, None, None, None),
        ),
        segments_of="2025-10",
        surveys=(
            SurveyRow("nps", "nps", "2025-10", 243, 48.6, -15.6, -24.8, -6.5),
            SurveyRow("csat", "csat", "2025-10", 1, 28.8, 3.1, None, None),
            SurveyRow("ease", "mean", "2025-10", 9, 20.0, 4.25, 4.0, 4.5),
        ),
        stated=(
            StatedRow("won by a competitor", "yes", 7, 70.0),
            StatedRow("no reason stated", "unknown", 3, 30.0),
        ),
        audit=(AuditRow("mean_score", "(none)", 286, 10.8, 5.4, 3.1, 9.4),),
        audit_of="2025-10",
        usual=EffectRow("", 655, 1.5, 0.2, 2.8),
        effects=(EffectRow("", 812, 2.34, 0.4, 4.2), EffectRow("Ask for feedback", 40, None, None, None)),
        cohorts=(
            Cohort("2025-08", 39, (100.0, 95.2, 84.9)),
            Cohort("2025-09", 28, (100.0, 90.0)),
            Cohort("2025-10", 31, (100.0,)),
        ),
        doubtful=frozenset({"2024-11", "2024-12"}),
        held=9,
        past=10,
    )


def build_view():
    return ReportView(
        company="demo",
        as_of=AS_OF,
        horizon_days=60,
        customers=1_229,
        expected_to_leave=143.4,
        model=ModelFacts(
            "7",
            dt.date(2025, 11, 16),
            dt.date(2025, 9, 15),
            1_187,
            (
                Contender("model", 0.781, 0.402, 2.93, 0.018),
                Contender("recency rule", 0.702, 0.451, 2.11, 0.047),
                Contender("base rate", 0.5, 0.489, 1.0, 0.009),
            ),
            tuple(CalibrationBin(p, p + d) for p, d in zip(
                (0.02, 0.04, 0.06, 0.08, 0.11, 0.15, 0.2, 0.28, 0.41, 0.66),
                (0.01, -0.01, 0.01, 0.02, -0.02, 0.01, 0.03, -0.02, 0.04, -0.03), strict=True,
            )),
        ),
        outreach=tuple(list_row(rank) for rank in range(1, 51)),
        suppressed=counts({"contacted in the last 14 days": 31, "opted out of contact": 9, "control group": 6}),
        retention=(
            *(period_row(label, *row) for label, row in zip(LABELS, COUNTS, strict=True)),
            period_row("2025-11", 1221, 41, 1229, False),
        ),
        forecast=Forecast("2025-11", 93.6, 92.1, 94.9),
        drivers=counts(
            {"silence": 411, "low feedback": 268, "contact gap": 190, "falling spend": 122, "complaints": 47}
        ),
        sources=(
            SourceRow("customers", 1_904, dt.date(2025, 11, 20), stale=False),
            SourceRow("transactions", 48_230, dt.date(2025, 11, 20), stale=False),
            SourceRow("feedback", 6_120, dt.date(2025, 11, 19), stale=False),
            SourceRow("contacts", 11_904, dt.date(2025, 11, 12), stale=True),
        ),
        warnings=("contacts: the newest record is 9 days old, usually 1; ask whether the CRM export still runs",),
        files=("outreach.csv", "suppressed.csv", "retention.csv", "scores.parquet"),
        tracking_url="http://127.0.0.1:5000/#/experiments/1?workflowType=machine_learning",
        value_days=180,
        overview=overview(),
        watched=(
            WatchedRow("psi", "purchase_count_90d of the matrix", "moved " * 30),
            WatchedRow("rows", "usage", "fewer"),
        ),
        checks=120,
        past=tuple(
            NightOutcome(AS_OF - dt.timedelta(60 * k), 1_100 + k, 0.1 + 0.01 * k, 0.12, 2.4 if k < 4 else None)
            for k in (4, 3, 2, 1)
        ),
        nights=tuple(
            NightRow(AS_OF - dt.timedelta(days), (("freshness", days), ("drift", 0), ("model", 1), ("rows", 0)))
            for days in (2, 1, 0)
        ),
    )  # fmt: skip


@pytest.fixture
def view():
    return build_view()


class Page(HTMLParser):
    """Tags with their attributes, the text by section, and whether each tag is closed where it must be."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.sections = [], [], [""]
        self.said = {"": []}
        self.feed(html)
        self.close()
        assert self.open == []
        self.words = {name: " ".join(" ".join(parts).split()) for name, parts in self.said.items()}

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input"):
            self.open.append(tag)
        if tag == "section":
            self.sections.append(dict(attrs).get("id") or dict(attrs)["aria-labelledby"])

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "section":
            self.sections.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.said.setdefault(self.sections[-1], []).append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def sparse(view):
    """The first night of a company that has nothing but purchases without amounts."""
    return replace(
        view,
        model=replace(view.model, contenders=(), calibration=()),
        outreach=(),
        suppressed=(),
        retention=(),
        forecast=None,
        drivers=(),
        sources=(),
        warnings=(),
        files=(),
        tracking_url=None,
        value_days=None,
        overview=Overview(),
        watched=(),
        checks=0,
        nights=(),
        past=(),
    )


def test_the_first_screen_answers_the_three_questions(view):
    words = Page(render_report(view)).words
    assert words["h-rate"] == (
        "Retention rate, Oct 2025 93.2% ▲ up 0.1 points on Sept 2025 95% interval 91.6% to 94.6% "
        "1,117 of the 1,198 customers at the start were still here at the end; 81 had left, 104 were won. "
        "Forecast for Nov 2025: 93.6% (92.1% to 94.9%)"
    )
    assert words["h-about"].startswith(
        "About to leave 143 11.7% of all of 1,229 customers, between 21 November 2025 and 19 January 2026"
    )
    assert words["list"].startswith(
        "Contact today 50 customers, most worthwhile first. Worth 112,668 together. Expected gain 13,986. "
        "The list as a file"
    )
    assert (
        "1 074099 Kaveh 1 79% 4,218 589 Service recovery by a senior person email Tom Hill 23 Nov 2025 "
        "Last survey score 3 of 10, 3 points below the one before "
        "Also No contact for 38 days; agreed rhythm 30 days Spend fell from 430 to 95 a quarter "
        "Message Customer 1, we have not heard from you. How are things? "
        "Last contact 18 days ago 12 Nov 2025 · by us · phone · review · Eva Brandt 12 Oct 2025 "
        "Chance of leaving so far 46% on 19 Sept 2025, 29% on 21 Nov 2025 Segment plan: pro · region: South 2 "
    ) in words["list"]


def test_an_executive_reads_three_sentences_and_the_company(view):
    words = Page(render_report(view)).words
    assert words["short"] == (
        "In three sentences In Oct 2025, 93.2% of the customers stayed: 3.2 points above the goal (at least 90). "
        "For Nov 2025, 93.6% is expected, between 92.1% and 94.9%. Of 10 past forecasts, 9 held what came. "
        "Of the +0.1 points since Sept 2025, −0.3 come from another mix of customers (by plan) and +0.4 from the same "
        "kinds of customers staying more or less often."
    )
    company = words["company"]
    for told in (
        "Goals: 1 of 3 reached ✗ missed NPS, at least 0 : -15.6 for 3 periods, Aug 2025 to Oct 2025 ✓ reached",
        "not known events a customer, up every month",
        "Revenue kept, Oct 2025 gross 48.0% net, with what customers paid more 69.9% from repeat purchases –",
        "81,985 more revenue in a year, 32,794 after costs. 114 customers more at its end.",
        "All actions together : +2.3 points kept (+0.4 to +4.2) 812 customers listed or left alone by chance",
        "Ask for feedback : not known yet 40 customers",
        "Against business as usual, what the team does without a list, the lists changed the share kept by +1.5 points "
        "(+0.2 to +2.8). 655 customers listed or left to the team by chance",
        "NPS , Oct 2025: −15.6 (-25 to -6) 243 answers, 49% of those asked satisfied , Oct 2025: 3.1% 1 answer",
        "Why customers say they left won by a competitor : 70% 7 customers · within the company's control no reason",
        "mean survey score : (none) – 5.4 times as often lost 10.8% of 286 customers; interval 3.1 to 9.4",
        "Rate by segment, Oct 2025 plan Start (S) Retention rate basic 567 95.8% 93.8% to 97.1% – 3 – –",
        "Started Customers 0 1 2 Oct 2025 31 100 Sept 2025 28 100 90 Aug 2025 39 100 95 85",
    ):
        assert told in company
    assert "Grey: the records" in words["h-trend"]
    assert "Nov 2025 is still running" in words["h-trend"]


def test_without_goals_segments_and_forecast_the_sentences_say_what_is_missing(view):
    words = Page(render_report(replace(view, overview=Overview(), forecast=None))).words
    assert "stayed; no goal is set for it (retention.goals). What moved the rate" in words["short"]
    assert "Nothing is proven yet" in words["company"]
    assert "short" not in Page(render_report(sparse(view))).words


def test_against_business_as_usual_nothing_is_claimed_without_an_interval(view):
    for usual, told in (
        (EffectRow("", 40, None, None, None), "what the team does without a list, nothing is known yet. 40"),
        (None, ""),
    ):
        shown = replace(view, overview=replace(view.overview, usual=usual))
        words = Page(render_report(shown)).words["company"]
        assert told in words
        assert ("business as usual" in words) == bool(told)


def test_past_nights_are_drawn_and_told_newest_first(view):
    page = render_report(view)
    words = Page(page).words["model"]
    assert "22 Sept 2025 1,101 11.0% 12.0% 2.4 24 Jul 2025 1,102 12.0% 12.0% 2.4" in words
    assert "26 Mar 2025 1,104 14.0% 12.0% – " in words
    labels = [svg.get("aria-label", "") for svg in Page(page).all("svg")]
    assert sum(label.startswith("Line charts by night") for label in labels) == 1


@pytest.mark.parametrize("n", [1, 2, 12])
def test_any_number_of_past_nights_can_be_drawn(view, n):
    nights = tuple(NightOutcome(AS_OF - dt.timedelta(40 * k), 9, 0.0, 0.0, None) for k in range(n, 0, -1))
    assert Page(render_report(replace(view, past=nights))).words["model"].count("0.0%") >= 2 * n


def test_without_a_mature_night_nothing_is_said_of_past_ones(view):
    assert "Past nights" not in render_report(replace(view, past=()))


def test_every_period_is_listed_newest_first_and_the_running_one_has_no_rate(view):
    words = Page(render_report(view)).words["rates"]
    assert (
        "Nov 2025 – – – – 93.6% 92.1% to 94.9% forecast Nov 2025 1,221 41 1,229 33 – – still running Oct"
        in words
    )
    assert words.endswith("Nov 2024 1,104 81 1,108 77 93.0% 91.4% to 94.4% records too short")


def test_model_drivers_sources_and_files(view):
    words = Page(render_report(view)).words
    assert "this model 0.781 0.402 2.93 0.018 recency rule 0.702 0.451 2.11 0.047" in words["model"]
    assert "held 2.9 times as many leavers" in words["model"]
    assert "silence 411 40%" in words["drivers"]
    assert "opted out of contact 9" in words["suppressed"]
    assert "purchases 48,230 20 Nov 2025 1 day up to date" in words["data"]
    assert "contacts 11,904 12 Nov 2025 9 days ⚠ older than usual" in words["data"]
    links = [a["href"] for a in Page(render_report(view)).all("a")]
    assert {"./outreach.csv", "./scores.parquet", view.tracking_url} <= set(links)


@pytest.mark.parametrize("change", [lambda v: v, sparse])
def test_the_page_is_accessible_and_needs_nothing_from_outside(view, change):
    view = change(view)
    html = render_report(view)
    page = Page(html)
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    named = {a["aria-labelledby"] for _, a in page.tags if "aria-labelledby" in a}
    local = {a["href"][1:] for _, a in page.tags if a.get("href", "").startswith("#")}
    clips = set(re.findall(r"url\(#(\w+)\)", html))
    assert named | local | clips <= set(ids)
    assert page.all("html") == [{"lang": "en", "dir": "ltr"}]
    assert all("scope" in a for a in page.all("th"))
    assert all("aria-hidden" in a or (a["role"] == "img" and a["aria-label"]) for a in page.all("svg"))
    assert len(page.all("h1")) == 1
    assert not {"link", "iframe", "img", "object"} & {tag for tag, _ in page.tags}
    assert [a for _, a in page.tags if "src" in a or any(name.startswith("on") for name in a)] == []
    outside = html.replace(view.tracking_url.replace("&", "&amp;"), "") if view.tracking_url else html
    assert "://" not in outside
    assert "@import" not in html


def test_text_from_the_data_is_never_markup(view):
    words = dict.fromkeys(["customer_id", "action", "name", "owner", "channel", "message"], EVIL)
    talk = Talk(AS_OF, EVIL, True, EVIL, EVIL)
    row = replace(view.outreach[0], reasons=(EVIL,) * 3, talks=(talk,), segments=((EVIL, EVIL),), **words)
    page = render_report(
        replace(
            view,
            company=EVIL,
            outreach=(row, view.outreach[1]),
            suppressed=(Count(EVIL, 1),),
            drivers=(Count(EVIL, 1),),
            sources=(SourceRow(EVIL, 1, None),),
            warnings=(EVIL,) * 5,
            files=(EVIL,),
            watched=(WatchedRow(EVIL, EVIL, EVIL),),
            overview=replace(
                view.overview,
                change=replace(view.overview.change, attribute=EVIL, before=EVIL),
                goals=(replace(view.overview.goals[0], metric=EVIL, wanted=EVIL, period=EVIL, since=EVIL),),
                segments=(SegmentRow(EVIL, EVIL, 1, 1.0, 1.0, 1.0),),
                surveys=(replace(view.overview.surveys[0], kind=EVIL, period=EVIL),),
                audit=(replace(view.overview.audit[0], fact=EVIL, value=EVIL),),
                effects=(EffectRow(EVIL, 1, None, None, None),),
                cohorts=(Cohort(EVIL, 1, (1.0,)),),
            ),
            retention=(replace(view.retention[0], period=EVIL),),
            forecast=replace(view.forecast, period=EVIL),
            model=replace(view.model, version=EVIL, contenders=(Contender(EVIL, None, None, None, None),)),
            tracking_url=f"http://127.0.0.1/{EVIL}",
        )
    )
    assert page.count("&lt;script&gt;") > 20
    parsed = Page(page)
    assert EVIL in parsed.words["list"]
    assert parsed.all("script") == [{}]
    own = page[page.index("<script>") + 8 : page.index("</script>")]
    digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in page or f"script-src 'sha256-{digest}'" in page


@pytest.mark.parametrize(
    "text", ["007", " two  spaces ", 'O\'Neil "x"', "۰۱۲۳", "{rank} {{ v }} $x^2$", "a" * 300]
)
def test_ids_survive_unchanged(view, text):
    page = render_report(replace(view, outreach=(replace(view.outreach[0], customer_id=text),)))
    cell = re.search(r'class="id"><bdi>(.*?)</bdi>', page, re.DOTALL)[1]
    assert unescape(cell) == text


def test_what_the_monitoring_found_is_a_short_block(view):
    row = WatchedRow("volume", "contacts", "12 rows in 7 days, expected 60 to 140; <b>see the export</b>")
    page = render_report(replace(view, watched=(row,), checks=180))
    assert "180 checks of the data, the features and the scores against their past: 1 to look at." in page
    assert "12 rows in 7 days, expected 60 to 140; &lt;b&gt;see the export" in page
    assert "past: nothing to look at." in render_report(replace(view, watched=(), checks=180))
    assert "against their past" not in render_report(replace(view, checks=0))


def test_what_the_last_nights_found_is_a_table_by_kind(view):
    words = Page(render_report(view)).words["data"]
    assert "Kind 19 Nov 20 Nov 21 Nov Freshness and volume 2 1 0 Drift of data and features 0 0 0" in words
    assert "last nights found" not in render_report(replace(view, nights=view.nights[:1]))


def test_only_web_addresses_are_linked(view):
    for address in ("javascript:alert(1)", "sqlite:////data/mlflow.db"):
        page = Page(render_report(replace(view, tracking_url=address)))
        assert address in page.words["data"]
        assert address not in [a["href"] for a in page.all("a")]


def test_same_bytes_whatever_the_machine_prefers(view, tmp_path):
    (tmp_path / "matplotlibrc").write_text("font.size: 30\naxes.grid: True\nsvg.fonttype: path\n")
    here = Path(__file__)
    program = (
        f"import sys; sys.path[:0] = [{str(here.parent)!r}, {str(here.parents[2])!r}]\n"
        "import test_render as t; sys.stdout.buffer.write(t.render_report(t.build_view()).encode())"
    )
    environment = os.environ | {
        "MATPLOTLIBRC": str(tmp_path),
        "PYTHONHASHSEED": "5",
        "TZ": "Asia/Tehran",
        "LANG": "C",
    }
    other = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True)
    assert other.stdout.decode() == render_report(view) == render_report(view)


def test_an_empty_list_says_so(view):
    words = Page(render_report(replace(view, outreach=()))).words
    assert words["list"] == (
        "Contact today Nobody is on the list today. See below who was left out, and by which rule."
    )
    assert Page(render_report(sparse(view))).words["list"] == "Contact today Nobody is on the list today."


def test_without_a_complete_period_there_is_no_rate_and_no_picture(view):
    for rows in ((), (view.retention[-1],)):
        html = render_report(replace(view, retention=rows, forecast=None))
        assert Page(html).words["h-rate"] == (
            "Retention rate No complete period yet The rate appears once the records cover one whole period."
        )
        assert "h-trend" not in html


def test_a_period_without_customers_at_its_start_has_no_rate(view):
    rows = (view.retention[0], period_row("2024-12", 0, 5, 5))
    words = Page(render_report(replace(view, retention=rows, forecast=None))).words
    assert "no customers at the start of this period" in words["h-rate"]
    assert "Dec 2024 0 5 5 0 – – no customers at the start" in words["rates"]


def test_a_page_of_an_owner_is_the_list_alone(view):
    page = Page(render_report(replace(view, owner="Eva Brandt", warnings=())))
    assert set(page.words) == {"", "list"}
    assert "demo · Eva Brandt" in page.words[""]


def test_values_that_are_not_known_are_dashes(view):
    nan = float("nan")
    rows = (
        replace(view.outreach[0], value=nan),
        replace(view.outreach[1], value=12.5, expected_gain=None),
        replace(view.outreach[2], value=None, expected_gain=nan),
    )
    gap = replace(view.retention[10], rate=nan, low=nan, high=nan)
    words = Page(
        render_report(
            replace(view, outreach=rows, retention=(*view.retention[:10], gap, *view.retention[11:]))
        )
    ).words
    assert "nan" not in " ".join(words.values()).lower()
    assert "Worth 12 together. Expected gain 589." in words["list"]
    assert "64% 12 – Ask for feedback" in words["list"]
    assert "48% – – Call: was" in words["list"]
    assert " points on " not in words["h-rate"]


def test_columns_without_content_are_left_out(view):
    rows = tuple(ListRow(r.rank, r.customer_id, r.probability, None, r.reasons) for r in view.outreach)
    bare = Page(render_report(replace(view, outreach=rows, sources=()))).words["list"]
    assert "# Customer Chance of leaving 1 074099" in bare
    assert "Message" not in bare
    never = Page(render_report(replace(view, outreach=rows))).words["list"]
    assert "Last contact" in never
    assert "none on record" in never


def test_a_long_list_is_cut_and_the_file_named(view, monkeypatch):
    monkeypatch.setattr(render, "LIST_ROWS", 20)
    page = Page(render_report(view))
    assert "The first 20 of 50 are shown" in page.words["list"]
    assert sum(a.get("class") == "id" and a["scope"] == "row" for a in page.all("th")) == 20


def test_a_thousand_customers_fit_into_three_megabytes(view):
    rows = tuple(list_row(rank) for rank in range(1, LIST_ROWS + 1))
    rows = tuple(replace(row, talks=row.talks[:1] * 5, message=f"{row.message} " * 4) for row in rows)
    assert len(render_report(replace(view, outreach=rows)).encode()) < 3_000_000


def test_warnings_stand_on_top_and_the_rest_below(view):
    words = Page(render_report(view)).words
    assert words["h-attention"].startswith("⚠ 1 thing needs a look contacts: the newest record")
    assert "warnings" not in words
    five = Page(render_report(replace(view, warnings=tuple(f"warning {i}" for i in range(5))))).words
    assert "5 things need a look warning 0 warning 1 warning 2 and 2 more" in five["h-attention"]
    assert five["warnings"] == "Warnings warning 0 warning 1 warning 2 warning 3 warning 4"
    assert "h-attention" not in Page(render_report(replace(view, warnings=()))).words


def test_certainty_is_never_claimed():
    en = Language("en")
    assert [en.chance(p) for p in (0.0, 0.004, 0.01, 0.5, 0.99, 0.9951, 1.0)] == [
        "< 1%", "< 1%", "1%", "50%", "99%", "> 99%", "> 99%",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("2025-09", ("Sept", "2025")),
        ("2025-09-15", ("15 Sept", "2025")),
        ("2025-Q3", ("Q3", "2025")),
        ("2025", ("2025", "")),
        ("2025-02-31", ("2025-02-31", "")),
        ("<b>", ("<b>", "")),
    ],
)
def test_names_of_periods(label, name):
    assert Language("en").period(label) == name


def test_an_unknown_language_is_refused(view):
    with pytest.raises(ConfigError, match="no texts in the language 'xx'; known: en, fa, mr"):
        render_report(replace(view, language="xx"))


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_contrast_of_text_is_at_least_4_5(mode):
    css = (resources.files("pipeline.report.templates") / "report.css").read_text("utf-8")
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", re.findall(r":root \{(.*?)\}", css, re.DOTALL)[mode]))
    # Text, and the edges of controls, by WCAG 2.2 AA.
    for inks, least in ((("ink", "muted", "link", "accent", "bad"), 4.5), (("control",), 3.0)):
        for ink, ground in product(inks, ("page", "surface", "warn")):
            dark, light = sorted((luminance(colours[ink]), luminance(colours[ground])))
            assert (light + 0.05) / (dark + 0.05) >= least, (ink, ground)


def test_charts_take_their_colours_from_the_page(view):
    for svg in re.findall(r"<svg.*?</svg>", render_report(view)):
        assert re.findall(r"#[0-9a-f]{6}\b", svg) == []
        assert "var(--accent)" in svg or 'class="spark"' in svg
        assert "font-family" not in svg


def test_the_newest_rate_is_written_where_its_line_does_not_come_from():
    def height(rates):
        marks = [ChartMark(str(i), "2025", rate, rate, rate) for i, rate in enumerate(rates)]
        svg = trend_chart(marks, lambda value: f"{value:g} %", "rates", 330, 230)
        point = re.findall(r'<use [^>]*y="([0-9.]+)"', svg)[-1]
        text = re.findall(rf'<text [^>]*y="([0-9.]+)">{rates[-1]:g} %<', svg)[-1]
        return float(text) - float(point)

    assert height([90.3, 95.1, 91.7]) > 0  # below a fall; a picture's y grows downwards
    assert height([95.1, 90.3, 93.7]) < 0


def test_a_chart_of_one_period_and_one_of_a_constant_rate():
    def percent(value):
        return f"{value:g}%"

    one = trend_chart([ChartMark("Sep", "2025", 100, 100, 100)], percent, 'a <b> & "c"', 330, 230)
    assert 'aria-label="a &lt;b&gt; &amp; &quot;c&quot;"' in one
    assert ">100%<" in one
    assert ">101%<" not in one
    flat = trend_chart([ChartMark(str(i), "2025", 0, 0, 0) for i in range(36)], percent, "flat", 330, 230)
    assert ">0%<" in flat
    assert ">-1%<" not in flat
    none = trend_chart([ChartMark("Sep", "2025", *[float("nan")] * 3)], percent, "none", 330, 230)
    assert ">100%<" in none
    assert calibration_chart([1.0], [0.0], percent, ("x", "y"), "z").count(">100%<") == 2

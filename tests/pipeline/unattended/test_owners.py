"""Each owner's list by mail to a server on a real socket: nobody sees another's customers, nobody is mailed twice."""

import datetime as dt
import email
import email.policy
import io

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from configs.errors import ConfigError, DataError, TryAgainError
from configs.nightly import OwnerMail
from pipeline.languages.language import Language
from pipeline.layout import layout_of
from pipeline.outreach.calendar import file_name
from pipeline.outreach.files import owner_workbooks, parquet_bytes
from pipeline.unattended.owners import mail_owners
from tests.pipeline.unattended.local_servers import post_office

DAY = dt.date(2024, 3, 1)
LISTED = pd.DataFrame(
    {"customer_id": ["A1", "B1", "B2", "C1"], "owner": ["Eva", "سارا", "سارا", "Tom"], "title": "Call"}
)


@pytest.fixture
def company(tiny):
    config = tiny(transactions="customer_id,occurred_at\nA1,2024-01-01\n")
    run = layout_of(config).runs / str(DAY)
    run.mkdir(parents=True)
    (run / "outreach.parquet").write_bytes(parquet_bytes(LISTED))
    for name, content in owner_workbooks(LISTED, DAY, lambda _: Language("en")).items():
        (run / name).write_bytes(content)
    for owner, rows in LISTED.groupby("owner"):
        (run / file_name(owner, "list", "html")).write_text(" ".join(rows.customer_id))
    return config


def with_mail(config, port, **more):
    to = {"Eva": "eva@example.org", "سارا": "sara@example.org"}
    given = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "churn@example.org", "to": to}
    outreach = config.outreach.model_copy(
        update={"mail": OwnerMail(**given | more), "owner_languages": {"سارا": "fa"}}
    )
    return config.model_copy(update={"outreach": outreach})


def read(got):
    return [(to, email.message_from_string(text, policy=email.policy.default)) for _, _, to, text in got]


def customers(part):
    if part.get_filename().endswith("xlsx"):
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(part.get_content())).get_sheet_by_index(0)
        return {row[0] for row in sheet.to_python()[1:]}
    return set(part.get_content().split())


def test_each_owner_gets_the_own_customers_and_nobody_is_mailed_twice(company):
    got = []
    with post_office(got) as port:
        first = mail_owners(with_mail(company, port), DAY, {})
        again = mail_owners(with_mail(company, port), DAY, {})
    letters = read(got)
    assert [to for to, _ in letters] == [["eva@example.org"], ["sara@example.org"]]
    for (_, letter), theirs in zip(letters, ({"A1"}, {"B1", "B2"}), strict=True):
        parts = list(letter.iter_attachments())
        assert len(parts) == 2
        assert all(customers(part) == theirs for part in parts)
    assert letters[0][1]["Subject"].endswith("1 March 2024: 1 customer to contact")
    assert letters[1][1]["Subject"].endswith("۱۱ اسفند ۱۴۰۲: ۲ مشتری برای تماس")
    assert first.values["mailed"] == ["Eva", "سارا"]
    assert again.values["mailed"] == []
    assert "no address for Tom" in first.text
    assert first.exit_code == 3


def test_a_list_that_has_changed_is_mailed_again(company):
    got = []
    with post_office(got) as port:
        mail_owners(with_mail(company, port), DAY, {})
        (layout_of(company).runs / str(DAY) / file_name("Eva", "list", "html")).write_text("A1 A2")
        assert mail_owners(with_mail(company, port), DAY, {}).values["mailed"] == ["Eva"]
    assert len(got) == 3


@pytest.mark.slow
def test_what_stands_in_the_way_is_said(company):
    with pytest.raises(ConfigError, match="no mail server is set"):
        mail_owners(company, DAY)
    with pytest.raises(DataError, match="no such night is published"):
        mail_owners(with_mail(company, 9), DAY + dt.timedelta(1))
    with pytest.raises(TryAgainError, match=r"127\.0\.0\.1:9 took no mail"):
        mail_owners(with_mail(company, 9), DAY, {})
    with pytest.raises(ConfigError, match="CHURN_SMTP_PASSWORD is not set"), post_office([]) as port:
        mail_owners(with_mail(company, port, user="me"), DAY, {})

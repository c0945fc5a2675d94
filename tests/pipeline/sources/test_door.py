"""What people's exports look like: each is read right, or refused with the line that mends it."""

import datetime as dt
import gzip
import io
import zipfile

import pandas as pd
import pytest
import yaml

from configs.errors import DataError
from configs.schema import Config
from pipeline.sources.opening import open_sources
from pipeline.training.advisor import rows_text

AS_OF = dt.date(2025, 1, 1)
HEAD = "id,at,amount"
MAPPED = {"customer_id": "id", "occurred_at": "at", "amount": "amount"}


@pytest.fixture
def shop(tmp_path):
    """The config of a shop whose purchases are in a file of that content; more of the source by keywords."""

    def make(content, name="o.csv", columns=MAPPED, home=tmp_path, **source):
        if content is not None:
            data = content if isinstance(content, bytes) else content.encode()
            (tmp_path / name).write_bytes(data)
        return Config.model_validate(
            {
                "name": "shop",
                "home": home,
                "churn": {"kind": "non_contractual", "horizon_days": 30, "active_days": 90},
                "sources": {"transactions": {"uri": name, "columns": columns, **source}},
            }
        )

    return make


def read(config, as_of=AS_OF):
    """Rows as (id, day, amount), sorted, and the account of the rows."""
    sources = open_sources(config, as_of)
    table = sources.tables["transactions"]
    columns = [c for c in ("customer_id", "occurred_at", "amount") if c in table.columns]
    rows = table.select(*columns).to_pyarrow().to_pylist()
    account = sources.accounts["transactions"]
    assert account.adds_up, account
    return sorted((r["customer_id"], f"{r['occurred_at']:%Y-%m-%d}", r.get("amount")) for r in rows), account


def said(config, as_of=AS_OF):
    """The one fault of a config."""
    with pytest.raises(DataError) as caught:
        open_sources(config, as_of)
    (fault,) = caught.value.faults
    return str(fault)


def lines(*rows, end="\n"):
    return end.join([*rows, ""])


TWO = [("1", "2024-01-05", 10.0), ("2", "2024-01-06", 20.0)]


@pytest.mark.parametrize(
    "text",
    [
        lines(HEAD, "1,2024-01-05,10", "2,2024-01-06,20"),
        lines(HEAD, "1,2024-01-05,10", "2,2024-01-06,20", end="\r\n"),
        lines(HEAD, "1,2024-01-05,10", "2,2024-01-06,20", end="\r"),
        f"{HEAD}\r\n1,2024-01-05,10\n2,2024-01-06,20",
        f"{HEAD}\n\n1,2024-01-05,10\n\n\n2,2024-01-06,20\n\n",
        lines("Orders of January", "", HEAD, "1,2024-01-05,10", "2,2024-01-06,20"),
        lines('\ufeff"id" ; "at";"amount"', '1;2024-01-05;"10"', '"2";2024-01-06;20'),
        lines("'id','at','amount'", "'1','2024-01-05','10'", "'2','2024-01-06','20'"),
        lines("id\tat\tamount", "1\t2024-01-05\t10", "2\t2024-01-06\t20"),
        lines("id|at|amount|", "1|2024-01-05|10|", "2|2024-01-06|20|"),
        lines("id,at,amount", "1,2024-01-05,10,", "2,2024-01-06,20,"),
        lines("id,at,note,amount", '1,2024-01-05,"a\nb, c",10', '2,2024-01-06,"say ""hi""",20'),
        lines("id,at,note,amount", '1,2024-01-05,"say \\"hi\\"",10', "2,2024-01-06,b,20"),
        lines("id,at,note,note,amount", "1,2024-01-05,a,b,10", "2,2024-01-06,,,20"),
        lines(HEAD, "1,2024-01-05,10", HEAD, "2,2024-01-06,20"),
        lines(HEAD, " 1 ,2024-01-05,10", "2, 2024-01-06, 20"),
        lines("# note", HEAD, "1,2024-01-05,10", "2,2024-01-06,20"),
    ],
)
def test_csv_as_it_comes(shop, text):
    rows, account = read(shop(text))
    assert rows == TWO
    assert account.in_source == 2


PARTS = {
    "plain": lines(HEAD, "1,2024-01-05,10", "2,{at},20", "3,2024-01-07,30"),
    "windows": lines(HEAD, "1,2024-01-05,10", "2,{at},20", "3,2024-01-07,30", end="\r\n"),
    "titled": lines("Orders of January", "", HEAD, "1,2024-01-05,10", "2,{at},20"),
    "mixed ends": f"{HEAD}\r\n1,2024-01-05,10\n2,{{at}},20\n",
    "blank lines": f"{HEAD}\n\n1,2024-01-05,10\n\n2,{{at}},20\n",
    "quoted": lines("id;at;amount;note", '"1";2024-01-05;10;"a\nb"', "2;{at};20;c"),
    "header again": lines(HEAD, "1,2024-01-05,10", HEAD, "2,{at},20"),
}


@pytest.mark.parametrize("bad", PARTS)
def test_a_wrong_value_among_many_files_is_told_by_file_and_line(shop, tmp_path, bad):
    for name, text in PARTS.items():
        content = text.format(at="2024-02-30" if name == bad else "2024-02-28").encode()
        (tmp_path / f"{name}.csv").write_bytes(content)
    with gzip.open(tmp_path / "zipped.csv.gz", "wt") as packed:
        packed.write(PARTS["plain"].format(at="2024-02-28"))
    line = next(n for n, text in enumerate(PARTS[bad].splitlines(), 1) if "{at}" in text)
    fault = said(shop(None, "*.csv*", max_unreadable_share=0))
    assert fault.startswith("*.csv*, column occurred_at: is not a date or time of the years")
    assert f" in 1 of 19 rows ({bad}.csv line {line}), such as '2024-02-30'" in fault


def test_a_wrong_value_among_many_files_without_lines_is_told_by_its_row(shop, tmp_path):
    good = pd.DataFrame({"id": ["1", "2"], "at": ["2024-01-05", "2024-01-06"], "amount": [1.0, 2.0]})
    bad = good.assign(at=["2024-01-05", "2024-02-30"])
    good.to_parquet(tmp_path / "a.parquet")
    bad.to_parquet(tmp_path / "b.parquet")
    assert "in 1 of 4 rows (b.parquet data row 2), such as" in said(
        shop(None, "*.parquet", max_unreadable_share=0)
    )
    for name, frame in {"a": good, "b": bad}.items():
        frame.to_json(tmp_path / f"{name}.jsonl", orient="records", lines=True)
    assert "in 1 of 4 rows (b.jsonl data row 2), such as" in said(
        shop(None, "*.jsonl", max_unreadable_share=0)
    )
    for name, day in {"a": "2024-01-05", "b": "2024-02-30"}.items():
        (tmp_path / f"{name}.fix").write_text(f"1 2024-01-06 5\n\n2 {day} 7\n")
    fields = {"id": [1, 1], "at": [3, 12], "amount": [14, 14]}
    fixed = shop(None, "*.fix", format="fixed_width", fields=fields, max_unreadable_share=0)
    assert "in 1 of 4 rows (b.fix line 3), such as" in said(fixed)


def test_an_order_name_that_begins_with_a_hash_is_no_comment(shop):
    rows, account = read(shop(lines("at,amount,id", "2024-01-05,10,#1001", "2024-01-06,20,2")))
    assert [r[0] for r in rows] == ["#1001", "2"]
    assert account.in_source == 2


def test_quotes_that_come_late_are_quotes(shop):
    plain = [f"{i % 50:06d},2024-01-{1 + i % 28:02d},1" for i in range(30_000)]
    late = [f'"{i % 50:06d}",2024-01-{1 + i % 28:02d},1' for i in range(5_000)]
    rows, account = read(shop(lines(HEAD, *plain, *late)))
    assert len({r[0] for r in rows}) == 50
    assert account.in_source == account.read == 35_000


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            ["1,2024-01-05,10,oops"],
            "o.csv: 1 rows do not fit the header: line 2 has 4 fields; 3 expected (id, at,",
        ),
        (
            ["1,2024-01-05,10", "1,2024-01-05"],
            "line 3 has 2 fields; 3 expected (id, at, amount); correct them: text",
        ),
        (["1,2024-01-05,10", "Total: 29"], "line 3 has 1 fields; 3 expected"),
        (
            ["1,2024-01-05,10", "id,at,amount,channel", "2,2024-02-06,7,web"],
            "line 3 is a second header: cut the file before it and name both parts, sources.transactions.uri: [",
        ),
        (['"1,2024-01-05,10', "2,2024-01-06,20"], 'a quote " that opens after line 1 is never closed'),
        (['"1"x,2024-01-05,10'], 'a row after line 1 goes on behind a closing quote "'),
        (
            ["Total,,30"],
            "column occurred_at: is empty in 1 of 1 rows (data row 1); fill it in, or leave such rows out by",
        ),
    ],
)
def test_a_row_that_does_not_fit_is_named(shop, rows, says):
    assert says in said(shop(lines(HEAD, *rows)))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            b"<!DOCTYPE html><html><body>Please log in</body></html>",
            "is a web page, not a table; the download needs",
        ),
        (b"%PDF-1.7\n", "is a PDF, not a table"),
        (
            b"id,at,amount\n1,2024-01-05,\xe9\n",
            "line 2 is not utf-8 text; set sources.transactions.encoding, such as la",
        ),
    ],
)
def test_what_is_no_table_is_said(shop, content, says):
    assert says in said(shop(content))


def test_each_file_of_a_glob_has_the_columns(shop, tmp_path):
    (tmp_path / "o1.csv").write_text(lines(HEAD, "1,2024-01-05,10"))
    (tmp_path / "o2.csv").write_text(lines("at,id,Total", "2024-02-05,1,10"))
    (tmp_path / "o3.csv").write_text(lines("id;at;amount;channel", "2;2024-01-06;20;web"))
    assert "sources.transactions.columns.amount: no column 'amount' in o2.csv" in said(shop(None, "o*.csv"))
    (tmp_path / "o2.csv").unlink()
    assert read(shop(None, "o*.csv"))[0] == TWO


def test_files_of_parquet_are_read_by_name(shop, tmp_path):
    at = pd.to_datetime(["2024-01-05"])
    pd.DataFrame({"id": ["1"], "at": at, "amount": [10.0]}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"amount": [20], "at": at + pd.Timedelta(days=1), "id": [2], "new": [1]}).to_parquet(
        tmp_path / "b.parquet"
    )
    rows, account = read(shop(None, "*.parquet"))
    assert rows == TWO
    assert account.in_source == 2
    pd.DataFrame({"id": ["1"], "at": at, "Total": [10.0]}).to_parquet(tmp_path / "c.parquet")
    assert "no column 'amount' in c.parquet" in said(shop(None, "*.parquet"))


def test_a_folder_and_a_list_of_files(shop, tmp_path):
    (tmp_path / "days").mkdir()
    (tmp_path / "days" / "1.csv").write_text(lines(HEAD, "1,2024-01-05,10"))
    (tmp_path / "days" / "2.csv.gz").write_bytes(
        gzip.compress(lines(HEAD, "2,2024-01-06,20").encode(), mtime=0)
    )
    assert read(shop(None, "days/"))[0] == TWO
    assert read(shop(None, ["days/2.csv.gz", "days/1.csv"]))[0] == TWO


def zipped(*files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files:
            archive.writestr(name, text)
    return out.getvalue()


def test_packed_files(shop):
    text = lines(HEAD, "1,2024-01-05,10", "2,2024-01-06,20")
    assert read(shop(gzip.compress(text.encode(), mtime=0), "o.csv.gz"))[0] == TWO
    assert read(shop(zipped(("o.csv", text)), "o.zip"))[0] == TWO
    assert "holds 2 files: a.csv, b.csv; unpack it" in said(
        shop(zipped(("a.csv", text), ("b.csv", text)), "p.zip")
    )
    assert "can't read" in said(shop(gzip.compress(text.encode(), mtime=0)[:-12], "q.csv.gz"))


def test_json(shop):
    text = lines(
        '{"id": 1, "at": "2024-01-05", "amount": 10.0}', '{"amount": 20, "id": "2", "at": "2024-01-06"}'
    )
    assert read(shop(text, "o.jsonl"))[0] == TWO
    assert read(shop(f"[{text.strip().replace(chr(10), ',')}]", "o.json"))[0] == TWO
    assert "line 2 is no JSON" in said(shop(text.replace("20", ""), "p.jsonl"))


E_CELL = '<c r="{cell}" t="inlineStr"><is><t>{text}</t></is></c>'


def workbook(*sheets):
    """A small Excel workbook of text cells: (name, rows) a sheet."""
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    spaces = "http://schemas.openxmlformats.org"
    parts = [("[Content_Types].xml", '<Types xmlns="{0}/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{1}.sheet.main+xml"/></Types>')]  # fmt: skip  # noqa: E501
    parts.append(("_rels/.rels", '<Relationships xmlns="{0}/package/2006/relationships"><Relationship Id="rId1" Type="{0}/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>'))  # fmt: skip  # noqa: E501
    names = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="rId{i}"/>' for i, (n, _) in enumerate(sheets, 1))
    parts.append(("xl/workbook.xml", '<workbook xmlns="{0}/spreadsheetml/2006/main" xmlns:r="{0}/officeDocument/2006/relationships"><sheets>' + names + "</sheets></workbook>"))  # fmt: skip  # noqa: E501
    targets = "".join(f'<Relationship Id="rId{i}" Type="{{0}}/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet{i}.xml"/>' for i in range(1, len(sheets) + 1))  # fmt: skip  # noqa: E501
    parts.append(("xl/_rels/workbook.xml.rels", '<Relationships xmlns="{0}/package/2006/relationships">' + targets + "</Relationships>"))  # fmt: skip  # noqa: E501
    for i, (_, rows) in enumerate(sheets, 1):
        cells = "".join(
            f'<row r="{r}">'
            + "".join(E_CELL.format(cell=f"{'ABCDE'[c]}{r}", text=t) for c, t in enumerate(row))
            + "</row>"
            for r, row in enumerate(rows, 1)
        )
        parts.append((f"xl/worksheets/sheet{i}.xml", '<worksheet xmlns="{0}/spreadsheetml/2006/main"><sheetData>' + cells + "</sheetData></worksheet>"))  # fmt: skip  # noqa: E501
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return zipped(*((name, head + text.replace("{0}", spaces).replace("{1}", kinds)) for name, text in parts))


def test_excel(shop):
    rows = [["Orders"], ["id", "at", "amount"], ["1", "2024-01-05", "10"], ["2", "2024-01-06", "20"]]
    assert read(shop(workbook(("Sheet1", rows)), "o.xlsx"))[0] == TWO
    assert read(shop(workbook(("Sheet1", rows)), "wrongly_named.csv"))[0] == TWO
    two = workbook(("notes", [["x"]]), ("orders", rows))
    assert "has the sheets notes, orders; name one: uri: 'p.xlsx#notes'" in said(shop(two, "p.xlsx"))
    assert read(shop(None, "p.xlsx#orders"))[0] == TWO
    assert "can't read the workbook q.xlsx" in said(shop(b"PK\x03\x04broken", "q.xlsx"))


@pytest.mark.parametrize(
    "encoding", ["cp1252", "cp1256", "latin-1", "utf-16", "utf-8-sig", "mac-roman", "gb18030"]
)
def test_any_encoding_of_python(shop, encoding):
    who = {"cp1256": "کتاب", "gb18030": "客户"}.get(encoding, "Zoë")
    text = lines(HEAD, f"{who},2024-01-05,10").encode(encoding)
    settings = {} if encoding.startswith("utf") else {"encoding": encoding}
    assert [r[0] for r in read(shop(text, **settings))[0]] == [who]


def test_an_encoding_that_nobody_knows_is_a_fault_of_the_config(shop):
    with pytest.raises(ValueError, match="'cp9999' is no encoding that Python reads; such as utf-8, cp1252"):
        shop(lines(HEAD), encoding="cp9999")


@pytest.mark.parametrize(
    ("values", "settings", "amounts"),
    [
        (["$1,250.50", "$90.00", "(12.50)"], {}, [1250.5, 90, -12.5]),
        (["€ 12,50", "€ 1.234,50", "-€ 19,80"], {"decimal": ","}, [12.5, 1234.5, -19.8]),
        (["1,234.50", "444.98"], {}, [1234.5, 444.98]),
        (["1 234,50", "1\u00a0234,50", "7,5"], {"decimal": ","}, [1234.5, 1234.5, 7.5]),
        (["1'234.50", "1’234.50"], {}, [1234.5, 1234.5]),
        (["1,250.50", "2,000", "90"], {"thousands": ","}, [1250.5, 2000, 90]),
        (["1.250", "2.000"], {"thousands": "."}, [1250, 2000]),
        (["1,250", "2,000"], {"decimal": ","}, [1.25, 2]),
        (["1.250", "2.000"], {"decimal": "."}, [1.25, 2]),
        (["1,23,456.00", "12 EUR", "19-"], {}, [123456, 12, -19]),
        (["۴۴۴٫۹۸", "١٢٣", "१२३", "۱۲٬۳۴۵"], {}, [444.98, 123, 123, 12345]),
        (["12.5", "N/A", "NULL", "-", "None", "unknown", " "], {}, [12.5] + [None] * 6),
        (["12.5", "missing"], {"null_values": ["missing"]}, [12.5, None]),
    ],
)
def test_amounts_as_people_write_them(shop, values, settings, amounts):
    columns = {**MAPPED, "transaction_id": "order"}
    text = lines("id;at;order;amount", *(f'1;2024-01-{i:02d};{i};"{v}"' for i, v in enumerate(values, 1)))
    negatives = [a for a in amounts if a is not None and a < 0]
    config = shop(
        text, columns={**columns, "points": "amount"} | ({"amount": "order"} if negatives else {}), **settings
    )
    table = open_sources(config, AS_OF).tables["transactions"].order_by("occurred_at")
    assert table["points" if negatives else "amount"].to_pyarrow().to_pylist() == amounts


def test_cents(shop):
    columns = {**MAPPED, "amount": {"column": "amount", "scale": 0.01}}
    assert read(shop(lines(HEAD, "1,2024-01-05,44498"), columns=columns))[0] == [("1", "2024-01-05", 444.98)]


@pytest.mark.parametrize(
    ("values", "settings", "says"),
    [
        (
            ["1,250", "2,000"],
            {},
            "write thousands: ',' (1250) or, as it is meant, decimal: ',' (1.25) beside",
        ),
        (["1,250.50", "2,000"], {}, "such as '2,000'; write thousands: ',' beside the source's uri"),
        (["1,250.50", "12,5"], {"decimal": ","}, "amount: is not a number in 1 of 2 rows (data row 1)"),
        (
            ["1.250", "90", "2.000"],
            {},
            "all 2 numbers with a point have three digits behind it, so 1.250 may be 1250",
        ),
        (["$ 5", "€ 6"], {}, "amounts are in more than one currency, such as '$' and '€'"),
        (["12 coins"], {}, "is not a number in 1 of 1 rows (data row 1), such as '12 coins'; correct it"),
    ],
)
def test_amounts_that_could_be_two_numbers_are_refused(shop, values, settings, says):
    text = lines("id;at;amount", *(f'1;2024-01-{i:02d};"{v}"' for i, v in enumerate(values, 1)))
    assert says in said(shop(text, **settings))


def test_a_number_in_another_way_of_writing_is_never_borne_as_unreadable(shop):
    rows = [f"1;2024-01-05;{i},5" for i in range(500)]
    assert "1,250.50" in said(shop(lines("id;at;amount", *rows, "2;2024-01-05;1,250.50"), decimal=","))


def test_a_few_unreadable_cells_are_borne_and_said(shop):
    rows = [f"{i},2024-01-05,1.5" for i in range(200)]
    config = shop(lines(HEAD, *rows, "x,2024-01-05,oops", "y,2024-02-30,3"))
    found, account = read(config)
    assert ("x", "2024-01-05", None) in found
    assert account.left_out == {"no readable occurred_at": 1}
    assert (account.in_source, account.read) == (202, 201)
    notes = open_sources(config, AS_OF).notes
    assert "is not a number in 1 of 202 rows (data row 201), such as 'oops'; they count as empty" in notes[1]
    assert "(data row 202), such as '2024-02-30'; these rows are left out" in notes[0]
    assert "is not a number in 1 of 202" in said(
        shop(lines(HEAD, *rows, "x,2024-01-05,oops", "y,2024-01-05,3"), max_unreadable_share=0)
    )


@pytest.mark.parametrize("value", ["-infinity", "0000-01-01", "0000-00-01", "infinity"])
def test_a_time_that_is_none_is_named(shop, value):
    assert f"such as '{value}'" in said(shop(lines(HEAD, f"1,{value},1")))


def test_a_purchase_on_the_day_zero_of_a_database_has_no_day(shop):
    fault = said(shop(lines(HEAD, "1,0000-00-00 00:00:00,1", "2,2024-01-05,1")))
    assert "column occurred_at: is empty in 1 of 2 rows (data row 1)" in fault


@pytest.mark.parametrize(
    ("values", "days"),
    [
        (["2024-01-05 08:26:00 -0500", "2024-01-05 23:26:00 -0500"], ["2024-01-05", "2024-01-06"]),
        (["۲۰۲۴-۰۱-۰۵", "२०२४-०१-०६"], ["2024-01-05", "2024-01-06"]),
        (["2024-01-05T10:00:00.1234567Z", "2024-01-06"], None),
    ],
)
def test_dates_that_are_read_as_they_are(shop, values, days):
    config = shop(lines(HEAD, *(f"{i},{v},1" for i, v in enumerate(values))))
    if days is None:
        assert "1 rows carry a time zone and 1 do not" in said(config)
    else:
        assert [day for _, day, _ in read(config)[0]] == days


def test_persian_dates(shop):
    text = lines(HEAD, "1,1403/01/10,1", "2,۱۴۰۳/۰۲/۱۱,1", "3,2024-05-21,1")
    rows, _ = read(shop(text, calendar="jalali"))
    assert [day for _, day, _ in rows] == ["2024-03-29", "2024-04-30", "2024-05-21"]


def test_an_export_that_was_run_twice_counts_once(shop):
    columns = {**MAPPED, "transaction_id": "order"}
    rows = [f"{i % 7},2024-01-{1 + i % 28:02d},{i}.5,t{i}" for i in range(40)]
    once = lines("id,at,amount,order", *rows)
    for again in (lines("id,at,amount,order", *rows, *rows), once + once):
        config = shop(again, columns=columns)
        found, account = read(config)
        assert sum(amount for _, _, amount in found) == sum(i + 0.5 for i in range(40))
        assert account.left_out["standing there twice"] == 40
        assert (
            "40 rows repeat whole purchases, as when an export is run twice"
            in open_sources(config, AS_OF).notes[0]
        )


@pytest.mark.parametrize("parts", [1, 2])
def test_of_an_export_that_was_run_twice_purchases_that_changed_meanwhile_are_named(shop, parts):
    """Equal ones count once whatever became of the others, which stay lines of one purchase."""
    rows = [(i % 7, 1 + i % 28, f"{i}.{part}", i) for i in range(40) for part in range(parts)]
    changed = [(who, day, "999" if i in (3, 5) else amount, i) for who, day, amount, i in rows]
    text = [f"{who},2024-01-{day:02d},{amount},t{i}" for who, day, amount, i in rows + changed]
    config = shop(lines("id,at,amount,order", *text), columns={**MAPPED, "transaction_id": "order"})
    found, account = read(config)
    assert account.left_out["standing there twice"] == 38 * parts
    twice = sum(float(amount) for _, _, amount, i in rows if i in (3, 5)) + 999 * 2 * parts
    once = sum(float(amount) for _, _, amount, i in rows if i not in (3, 5))
    assert sum(amount for _, _, amount in found) == pytest.approx(once + twice)
    looks = open_sources(config, dt.date(2024, 2, 1)).look
    assert looks == (
        "transactions: 2 purchases of an export that was run twice have lines that differ, such as 't3', 't5'; they "
        "count as lines of one purchase, so that amounts add up: if the later lines replace the earlier ones, keep "
        "one export",
    )


def test_equal_lines_of_one_purchase_stay_lines(shop):
    columns = {**MAPPED, "transaction_id": "order"}
    text = lines(
        "id,at,amount,order", "1,2024-01-05,5,A", "1,2024-01-05,5,A", "1,2024-01-05,2,A", "2,2024-01-06,20,B"
    )
    config = shop(text, columns=columns)
    assert read(config)[0] == [("1", "2024-01-05", 12.0), ("2", "2024-01-06", 20.0)]
    assert (
        "1 row equals another of its purchase in every column and counts as a line"
        in open_sources(config, AS_OF).notes[0]
    )


def test_every_row_is_accounted_for(shop):
    columns = {**MAPPED, "transaction_id": "order"}
    text = lines(
        "id,at,amount,order,kind",
        "1,2024-01-05,5,A,sale",
        "1,2024-01-05,6,A,sale",
        "1,2024-01-05,7,B,test",
        "2,2026-01-05,8,C,sale",
        ",2024-01-05,9,D,sale",
    )
    where = [{"column": "kind", "not_equals": "test"}, {"column": "id", "is_null": False}]
    _, account = read(shop(text, columns=columns, where=where))
    assert account.line("transactions") == (
        "transactions: 5 rows = 1 read + 1 joined to another of its purchase + 1 left out by kind not_equals test + "
        "1 left out by id is_null False + 1 left out by lying at or after 2025-01-01"
    )


def test_check_tells_where_the_rows_went(shop):
    text = lines(HEAD, "1,2024-01-05,10", "2,2026-01-06,20")
    assert rows_text(open_sources(shop(text), AS_OF)) == (
        "transactions: 2 rows = 1 read + 1 left out by lying at or after 2025-01-01\n"
        "note: transactions: 1 of 2 rows lies at or after 2025-01-01 and is ignored"
    )


PEOPLE = {
    "customer_id": "id",
    "started_at": "since",
}


@pytest.fixture
def people(shop, tmp_path):
    """The config of a shop with these customers; more of their source by keywords."""

    def make(*rows, head="id,since,plan,written", **source):
        config = shop(lines(HEAD, "1,2024-11-05,10", "2,2024-12-06,20"))
        (tmp_path / "people.csv").write_text(lines(head, *rows))
        given = {"uri": "people.csv", "columns": PEOPLE, "attributes": ["plan"], **source}
        roles = {**config.sources.model_dump(mode="json", exclude_unset=True), "customers": given}
        return Config.model_validate(
            {**config.model_dump(exclude={"home"}), "home": tmp_path, "sources": roles}
        )

    return make


def plans(config):
    sources = open_sources(config, AS_OF)
    assert sources.accounts["customers"].adds_up
    rows = sources.tables["customers"].select("customer_id", "plan").to_pyarrow().to_pylist()
    return {r["customer_id"]: r["plan"] for r in rows}, sources


def test_customers_that_stand_there_twice_in_the_same_words_count_once(people):
    found, sources = plans(
        people("1,2024-01-01,a,x", "2,2024-01-01,b,x", "1,2024-01-01,a,y", "1,2024-01-01,a,x")
    )
    assert found == {"1": "a", "2": "b"}
    assert "customers: 2 rows repeat another in every column that is read, and count once" in sources.notes
    assert sources.accounts["customers"].left_out == {"standing there twice": 2}


def test_of_customers_that_stand_there_twice_the_newest_row_counts_when_asked_for(people):
    rows = [
        "1,2024-01-01,a,03/02/2024",
        "2,2024-01-01,b,01/02/2024",
        "1,2024-01-01,c,14/01/2024",
        "1,2024-01-01,d,",
    ]
    fault = said(people(*rows))
    assert fault.startswith(
        "people.csv, column customer_id: 2 rows repeat an id, such as '1', and differ in plan; one row a customer: "
        "write sources.customers.latest_by: COLUMN, a column of times, for the newest of them to count"
    )
    newest = {"column": "written", "format": "%d/%m/%Y"}
    for order in (rows, rows[::-1]):
        found, sources = plans(people(*order, latest_by=newest))
        assert found == {"1": "a", "2": "b"}
        assert sources.accounts["customers"].left_out == {"older than another of the customer (latest_by)": 2}
    fault = said(people(*rows, ",2024-01-01,a,x", ",2024-01-01,a,y", latest_by=newest))
    assert "column customer_id: is empty in 2 of 4 rows" in fault
    assert "no column 'writen' in people.csv; did you mean 'written'?" in said(
        people(*rows, latest_by="writen")
    )


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (",2024-01-06,20", "sources.transactions.where: [{column: 'id', is_null: false}]"),
        ("N/A,2024-01-06,20", "sources.transactions.where: [{column: 'id', is_null: false}]"),
        ("   ,2024-01-06,20", "sources.transactions.where: [{column: 'id', is_null: false}]"),
        ("Total,,20", "sources.transactions.where: [{column: 'at', is_null: false}]"),
        ("Total,NULL,20", "sources.transactions.where: [{column: 'at', is_null: false}]"),
    ],
)
def test_a_row_without_a_value_is_named_with_the_line_that_leaves_it_out(shop, row, line):
    text = lines(HEAD, "1,2024-01-05,10", row, "2,2024-01-06,20")
    fault = said(shop(text))
    assert "is empty in 1 of 3 rows (data row 2); " in fault
    assert fault.endswith(f"leave such rows out by {line}")
    rows, account = read(shop(text, where=yaml.safe_load(line.partition(": ")[2])))
    assert rows == TWO
    assert sum(account.left_out.values()) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\n\n", "o.csv: has no header; check the export that writes it"),
        (lines("ID,At,Amount", "1,2024-01-05,10"), None),
        (
            lines("1,2024-01-05,10", "2,2024-01-06,20"),
            "o.csv: has none of the columns id, at, amount; its first line holds values (1, 2024-01-05, 10): write the "
            "names of the columns above it",
        ),
        (
            lines(HEAD, "1,2024-01-05,10", "2 rows exported"),
            "line 3 has 1 fields; 3 expected (id, at, amount); correct them: text that holds ',' belongs in quotes, "
            "and a line that is no row, such as a footer, is to be cut",
        ),
        (
            lines(HEAD, "1.23457E+11,2024-01-05,10", "2E+11,2024-01-06,20", "A1E5,2024-01-06,20"),
            "o.csv, column customer_id: 2 ids were shortened by a spreadsheet, such as '1.23457E+11', '2E+11'; their "
            "last digits are lost, so that customers may share one: export the column as text",
        ),
    ],
)
def test_what_is_no_header_no_row_or_no_id_any_more_is_said(shop, text, told):
    if told is None:
        with pytest.raises(DataError) as caught:
            open_sources(shop(text), AS_OF)
        assert [str(f).partition("; ")[2] for f in caught.value.faults] == [
            f"did you mean '{name}'?" for name in ("ID", "At", "Amount")
        ]
    else:
        assert told in said(shop(text))


@pytest.mark.parametrize("sign", ["^", "~~", "::"])
def test_a_separator_that_is_not_found_out_is_told(shop, sign):
    text = lines(*(line.replace(",", sign) for line in (HEAD, "1,2024-01-05,10", "2,2024-01-06,20")))
    fault = said(shop(text))
    assert fault.startswith("o.csv: has none of the columns id, at, amount; write delimiter: ")
    found = yaml.safe_load(fault.partition("write ")[2].partition(" beside")[0])
    assert found == {"delimiter": sign}
    assert read(shop(text, **found))[0] == TWO


@pytest.mark.parametrize("again", ["amount", "Amount", " amount"])
def test_a_name_that_the_header_has_twice_is_refused_until_the_config_says_which(shop, again):
    content = f"id,at,amount,{again}\na,2024-10-01,5,7\n"
    assert said(shop(content)) == (
        "sources.transactions.columns.amount: no column 'amount' in o.csv; the header has that name more than "
        f"once; write 'amount_3' or '{again.strip()}_4'"
    )
    second = {**MAPPED, "amount": f"{again.strip()}_4"}
    for columns, amount in (({**MAPPED, "amount": "amount_3"}, 5.0), (second, 7.0)):
        assert read(shop(content, columns=columns))[0] == [("a", "2024-10-01", amount)]

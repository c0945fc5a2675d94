"""What a text file's source has to say besides its columns."""

import gzip

import pytest

from pipeline.setup import textfiles
from pipeline.setup.textfiles import code_of, fixed_widths, known_of, start_of, text_settings


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Zoë,مشتري".encode(), "utf-8"),
        (b"plain\n", "utf-8"),
        ("Café Müller, Zoë\n".encode("cp1252"), "cp1252"),
        ("مشتري خوب\n".encode("cp1256"), "cp1256"),
        ("Клиент,Дата заказа\nИванов,Тверь\n".encode("cp1251"), "cp1251"),
        (b"id\n" + b"x\n" * 9 + "Zoë".encode("cp1252"), "cp1252"),  # in the last line, without its end
        ("Zoë\n".encode("utf-16"), "utf-8"),  # its mark tells the reader
        (gzip.compress("Zoë\n".encode("cp1252"), mtime=0), "cp1252"),
    ],
    ids=["utf-8", "ascii", "cp1252", "cp1256", "cp1251", "the last line, without its end", "marked", "gzip"],
)
def test_the_code_page_that_the_letters_speak_of(tmp_path, text, code):
    file = tmp_path / "x.csv"
    file.write_bytes(text)
    assert code_of(file) == code
    assert text_settings(file) == ({} if code == "utf-8" else {"encoding": code})


def test_a_letter_that_a_chunk_cuts_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(textfiles, "_CHUNK", 3)
    (tmp_path / "x.csv").write_text("ab\nééé\néé", encoding="utf-8")
    assert code_of(tmp_path / "x.csv") == "utf-8"


def test_a_file_that_can_not_be_opened_says_nothing(tmp_path):
    assert start_of(tmp_path / "none.csv") == ""
    assert code_of(tmp_path / "none.csv") == "utf-8"
    (tmp_path / "x.parquet").write_bytes(b"\xff\xff")
    assert text_settings(tmp_path / "x.parquet") == {}


WIDE = " 01 19970101  1\n 02 19970112 12\n 02 19970113  5\n 03"


@pytest.mark.parametrize(
    ("head", "fields"),
    [
        (WIDE, {"field_1": (2, 3), "field_2": (5, 12), "field_3": (14, 15)}),
        ("aaa\nbbb\nccc\n", None),  # one column
        ("1 2\n3 4\n", None),  # too few lines
        ("1 2\n3 4\n5 66\nx", None),  # not of one width
        ("1,2 3\n4,5 6\n7,8 9\nx", None),
    ],
)
def test_columns_of_fixed_width(head, fields):
    assert fixed_widths(head) == fields


def test_a_header_below_a_title_is_found_by_its_names():
    assert known_of("Sales of May\n\nOrder No;Customer ID;Colour\n1;2;3\n") == ["Customer ID", "Order No"]
    assert known_of("a b c\n1 2 3\n") == []


def test_a_name_that_stands_there_twice_is_no_column():
    assert known_of("customer_id,amount,amount,plan\n1,2,3,4\n") == ["customer_id", "plan"]

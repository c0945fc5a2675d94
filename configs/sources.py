"""How the rows of a source are read, whatever its role; `configs.roles` has the roles and their columns."""

from __future__ import annotations

import codecs
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from configs.base import Section, Share, redacted

Tidying = Literal["lower", "drop_zeros", "drop_point_zero", "drop_blanks", "plain_signs"]


class Column(Section):
    """How one column of a role is made from the columns of the file.

    Exactly one of `column`, `product`, `join`, `constant` and `row_number`. In YAML a bare name stands for
    `{column: name}`.
    """

    column: str | None = Field(default=None, description="name in the file")
    product: list[str] | None = Field(default=None, min_length=2, description="multiply these columns")
    join: list[str] | None = Field(default=None, min_length=2, description="join these columns with '-'")
    constant: str | float | None = Field(default=None, description="the same value in every row")
    row_number: Literal[True] | None = Field(
        default=None,
        description="the row's number in the file, from 1: the id of a table that has none (churn.kind labelled)",
    )
    format: str | list[str] | None = Field(
        default=None,
        description="of dates: strptime's, unix_s, unix_ms, unix_us, unix_ns or excel; several are tried in order",
    )
    scale: float = Field(default=1.0, gt=0, description="multiply a number by it: 0.01 makes euros of cents")
    negate: bool = Field(default=False, description="turn the sign around")
    without_prefix: str | None = Field(
        default=None, min_length=1, description="of texts: leave this beginning out, where a text has it"
    )
    rename: dict[str, str] = Field(
        default_factory=dict,
        description="of texts: word to the one that is read in its place, such as {Eingehend: inbound}",
    )
    tidy: list[Tidying] = Field(
        default_factory=list,
        description="of texts, so that one id is written in one way: lower (case), drop_zeros (leading ones), "
        "drop_point_zero (12.0 is 12), drop_blanks, plain_signs (digits of other scripts, Arabic for "
        "Persian letters, signs that nobody sees)",
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Column:
        known = ("column", "product", "join", "constant", "row_number")
        origins = [n for n in known if getattr(self, n) is not None]
        if len(origins) != 1:
            raise ValueError(f"needs exactly one of {', '.join(known)}; has {origins or 'none'}")
        return self

    @property
    def formats(self) -> list[str]:
        """The formats of a date in the order in which they are tried; none means ISO 8601."""
        return [self.format] if isinstance(self.format, str) else list(self.format or [])

    @property
    def inputs(self) -> list[str]:
        """Names of the file's columns that this one is made from."""
        return [self.column] if self.column else list(self.product or self.join or [])


def _bare_name(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


ColumnRule = Annotated[Column, BeforeValidator(_bare_name, json_schema_input_type=Column | str)]


def named(value: Any) -> Any:
    """A list of names stands for a mapping of each to itself."""
    return {name: name for name in value} if isinstance(value, list) else value


class Where(Section):
    """One condition that a row of the file must meet to be read. Exactly one test."""

    column: str = Field(description="column of the file that is tested")
    equals: str | float | None = Field(default=None, description="the value is this one")
    not_equals: str | float | None = Field(default=None, description="the value is another one")
    one_of: list[str | float] | None = Field(default=None, description="the value is one of these")
    none_of: list[str | float] | None = Field(default=None, description="the value is none of these")
    starts_with: str | None = Field(default=None, description="the text begins so")
    not_starts_with: str | None = Field(default=None, description="the text begins otherwise")
    above: float | None = Field(default=None, description="the number is above it")
    below: float | None = Field(default=None, description="the number is below it")
    is_null: bool | None = Field(default=None, description="true: the cell is empty; false: it is not")

    @model_validator(mode="after")
    def _one_test(self) -> Where:
        tests = sorted(self.model_fields_set - {"column"})
        if len(tests) != 1:
            raise ValueError(f"needs exactly one test beside 'column'; has {tests or 'none'}")
        if getattr(self, tests[0]) is None:
            raise ValueError(f"{tests[0]} has no value; for empty cells write is_null: true")
        return self

    @property
    def shown(self) -> str:
        """The condition in a few words, such as `Total above 0`."""
        name = next(iter(self.model_fields_set - {"column"}))
        return f"{self.column} {name} {getattr(self, name)}"


class Source(Section):
    """Where the rows of a role are, and which of them count.

    `uri` is a path, a glob or a folder of CSV, JSON, Excel, Parquet or fixed-width files, packed ones too, here or in
    an object store or web server (`s3://`, `gs://`, `https://`); a list of such; or a database and a table of it, such
    as `postgresql://user@host/shop#sales.orders` (see `pipeline.sources.databases`). A sheet of a workbook is named
    behind `#`. Relative paths count from the config's home.
    """

    uri: str | list[str] = Field(
        description="path, glob, folder, list of such, address (https, s3, gs), or a database and a table: postgresql://host/db#schema.table"
    )
    format: Literal["auto", "csv", "json", "excel", "parquet", "fixed_width"] = Field(
        default="auto", description="of files; auto looks at the first bytes and the ending"
    )
    delimiter: str | None = Field(
        default=None, min_length=1, description="of CSV files; found out when absent"
    )
    encoding: str = Field(default="utf-8", description="of text files: any that Python reads, such as cp1252")
    decimal: Literal[".", ","] | None = Field(
        default=None, description="in numbers kept as text: 1234.5 (when absent) or 1.234,5"
    )
    thousands: Literal[",", ".", " ", "'"] | None = Field(
        default=None, description="in numbers kept as text; when absent only where it can't be a decimal sign"
    )
    null_values: list[str] | None = Field(
        default=None,
        description="words, and days and numbers of typed columns, for an empty cell; when absent NULL, N/A and the "
        "like, in numbers, dates and ids",
    )
    calendar: Literal["gregorian", "jalali"] = Field(
        default="gregorian",
        description="of dates kept as text; with jalali the years 1200 to 1499 are Persian",
    )
    max_unreadable_share: Share = Field(
        default=0.01,
        description="numbers that can't be read are empty, rows without a readable time left out, "
        "up to this share; refuse when it is more",
    )
    fields: dict[str, tuple[int, int]] | None = Field(
        default=None, description="fixed width: first and last character of each column, from 1"
    )
    where: list[Where] = Field(default_factory=list, description="only rows that meet all of these are read")
    distinct: bool = Field(default=False, description="drop rows that repeat another in every column")
    time_zone: str = Field(default="UTC", description="of times that carry no zone of their own")
    max_future_share: Share = Field(
        default=1.0, description="refuse when more rows than this lie after as-of"
    )

    min_known_share: Share = Field(
        default=0.9,
        description="a person should look when fewer of the customers than this are known from the other sources",
    )

    @field_validator("uri")
    @classmethod
    def _some_uri(cls, uri: str | list[str]) -> str | list[str]:
        if not uri:
            raise ValueError("needs at least one path or address")
        if isinstance(uri, list) and any("#" in one and "://" in one for one in uri):
            raise ValueError("a list names files; a table of a database stands alone")
        return uri

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            "".encode(encoding)
        except LookupError:
            raise ValueError(
                f"{encoding!r} is no encoding that Python reads; such as utf-8, cp1252, cp1256"
            ) from None
        return codecs.lookup(encoding).name

    @model_validator(mode="after")
    def _signs_differ(self) -> Source:
        if self.thousands and self.thousands == self.decimal:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}")
        return self

    @model_validator(mode="after")
    def _fields_of_fixed_width(self) -> Source:
        if (self.format == "fixed_width") != (self.fields is not None):
            raise ValueError("'fields' and 'format: fixed_width' go together")
        for name, (first, last) in (self.fields or {}).items():
            if not 1 <= first <= last:
                what = f"fields: {name}: is {first} to {last}"
                raise ValueError(f"{what}, expected first and last character, from 1")
        return self

    @property
    def shown(self) -> str:
        """The URI without its password: for messages, logs and manifests."""
        return redacted(", ".join(self.uris))

    @property
    def uris(self) -> list[str]:
        """The URI, or all of them."""
        return [self.uri] if isinstance(self.uri, str) else self.uri

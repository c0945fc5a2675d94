"""Quoted figures."""

import pytest

from pipeline.retention.tables.benchmarks import benchmark_table


def test_benchmarks_carry_source_and_date():
    table = benchmark_table()
    assert table.source.str.len().gt(0).all()
    assert set(table.dated) == {"2017", "undated"}
    assert len(benchmark_table("finance")) < len(table)


@pytest.mark.parametrize(
    ("industry", "figures"),
    [
        ("SaaS", ["above 35 % counts as elite"]),
        ("MEDIA", ["above 25 % counts as elite"]),
        ("shoes", []),
    ],
)
def test_an_industry_has_its_own_figures_and_those_of_any(industry, figures):
    table = benchmark_table(industry)
    assert table[table.industry != "any"].figure.tolist() == figures
    assert (table.industry == "any").sum() == 4
    assert table.columns.tolist() == ["subject", "industry", "figure", "source", "dated"]

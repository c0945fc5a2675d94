"""Quoted figures."""

from pipeline.retention.tables.benchmarks import benchmark_table


def test_benchmarks_carry_source_and_date():
    table = benchmark_table()
    assert table.source.str.len().gt(0).all()
    assert set(table.dated) == {"2017", "undated"}
    assert len(benchmark_table("finance")) < len(table)

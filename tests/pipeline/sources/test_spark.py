"""What Spark refuses before it is asked to read; what it reads is in `tests/pipeline/dataset/test_cluster.py`."""

import socket
import zipfile

import pytest

from configs.errors import TryAgainError
from pipeline.sources import spark
from pipeline.sources.drivers import UnreadableError
from pipeline.sources.spark import read_on_spark


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"uri": "postgresql://me:secret@host/shop#orders"},
            "a database is not read by Spark; export the table",
        ),
        (
            {"uri": "x.csv", "encoding": "cp1252"},
            "encoding: is cp1252, and Spark reads utf-8, iso8859-1, utf-16",
        ),
        ({"uri": "x.json", "format": "json"}, "Spark reads CSV and Parquet, not json"),
        ({"uri": "x.xlsx", "format": "excel"}, "Spark reads CSV and Parquet, not excel"),
    ],
)
def test_what_spark_does_not_read_is_told_with_the_next_step(tiny, settings, says):
    config = tiny(transactions="customer_id,occurred_at\n1,2024-01-01\n", settings={"transactions": settings})
    with pytest.raises(UnreadableError) as caught:
        read_on_spark(None, "transactions", config.sources.transactions, config)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_master_that_is_away_is_tried_again_and_of_several_one_is_enough():
    with socket.socket() as here:
        here.bind(("127.0.0.1", 0))
        closed = here.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
        spark._require_answer(f"spark://127.0.0.1:{closed},127.0.0.1:{port}")
        with pytest.raises(TryAgainError, match=r"no master at spark://127\.0\.0\.1:\d+: .*engine\.master"):
            spark._require_answer(f"spark://127.0.0.1:{closed}")
    with pytest.raises(TryAgainError):
        spark._require_answer("spark://nowhere")
    spark._require_answer("local[2]")


def test_workers_get_the_code_of_all_packages():
    with zipfile.ZipFile(spark._code()) as archive:
        names = set(archive.namelist())
    assert {"configs/base.py", "features/panel.py", "models/statistics/drift.py", "pipeline/cli.py"} <= names
    assert all(name.endswith(".py") for name in names)

"""The prepared view of the runs is what MLflow's pages unpack."""

import base64
import json
import zlib

from models.tracking.views import KEY, TAG, view_state


def test_the_view_unpacks_to_its_columns_in_their_order():
    packed = view_state(["auc", "log_loss"], ["recipe"], ["as_of"])
    kind, _, text = packed.partition(";")
    state = json.loads(zlib.decompress(base64.b64decode(text)))
    assert kind == "deflate"
    assert state["selectedColumns"] == [
        "tags.`as_of`", "metrics.`auc`", "metrics.`log_loss`", "params.`recipe`"
    ]  # fmt: skip
    assert (state["orderByKey"], state["orderByAsc"]) == ("attributes.start_time", False)
    assert TAG.endswith(KEY)
    assert view_state(["auc"]) == view_state(["auc"])

"""A prepared view of the runs table, so that a comparison opens with its figures instead of none.

The MLflow pages read it from an experiment tag. That tag is not documented: without it the page still works, and
shows its default columns.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence

KEY = "churn"
TAG = f"mlflow.sharedViewState.{KEY}"


def view_state(metrics: Sequence[str], params: Sequence[str] = (), tags: Sequence[str] = ()) -> str:
    """The tag's value: a runs table with these columns, newest run first.

    Examples
    --------
    >>> view_state(["auc"]).partition(";")[0]
    'deflate'
    """
    columns = [
        "attributes.`Source`",
        *(f"tags.`{name}`" for name in tags),
        *(f"metrics.`{name}`" for name in metrics),
        *(f"params.`{name}`" for name in params),
    ][1:]
    state = {
        "searchFilter": "",
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": columns,
        "runsExpanded": {},
        "runsPinned": [],
        "runsHidden": [],
        "runsHiddenMode": "FIRST_20_RUNS",
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": False,
        "groupBy": None,
        "groupsExpanded": {},
        "autoRefreshEnabled": True,
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
    }
    packed = zlib.compress(json.dumps(state).encode())
    return f"deflate;{base64.b64encode(packed).decode()}"

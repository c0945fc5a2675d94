"""The section of the list: imports of CRM systems, and limits that make sense."""

import pytest
from pydantic import ValidationError

from configs.outreach import CRM_READY, CrmColumn, Outreach
from pipeline.output_columns import OUTPUTS

# Facts of the customers source that an import needs beside the list's own columns.
IDS = {"hubspot_id", "pipedrive_id", "salesforce_id", "salesforce_owner_id", "dynamics_id"}


@pytest.mark.parametrize("system", CRM_READY)
def test_what_is_ready_reads_columns_of_the_list(system):
    for name, rule in CRM_READY[system].items():
        column = rule.column if isinstance(rule, CrmColumn) else rule
        assert column.startswith("=") or column in IDS | set(OUTPUTS["outreach.csv"]), name


def test_ready_stands_for_the_columns_of_a_system():
    crm = Outreach(crm={"hubspot": "ready", "ours": {"Name": "customer_id", "Kind": "=call"}}).crm
    assert crm["hubspot"] == CRM_READY["hubspot"]
    assert crm["ours"] == {"Name": "customer_id", "Kind": "=call"}


def test_what_is_ready_for_another_system_is_said():
    says = "zoho: nothing is ready for it; ready are hubspot, pipedrive, salesforce, dynamics"
    with pytest.raises(ValidationError, match=says):
        Outreach(crm={"zoho": "ready"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"capacity": 0},
        {"budget": -1},
        {"control": {"share": 0.6}},
        {"exploration": 0.51},
        {"gone_below": 1.1},
        {"channel_capacity": {"phone": -1}},
        {"quiet_days": {"default": 1.5}},
        {"owner_languages": {"Ada": "klingon"}},
    ],
    ids=str,
)
def test_limits_that_are_none_are_refused(wrong):
    with pytest.raises(ValidationError):
        Outreach.model_validate(wrong)

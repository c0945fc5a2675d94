"""What columns say of contacts by their names: exports of well-known systems, other languages, and what is none."""

import pytest

from configs.schema import Config
from pipeline.outreach.permissions import permission_of, unasked_permissions
from tests.pipeline.setup.test_words_of_exports import EXPORTS

SAID = {
    "Accepts Email Marketing": ("consent", "email"),  # Shopify
    "Accepts SMS Marketing": ("consent", "sms"),
    "Email Marketing Consent": ("consent", "email"),  # Klaviyo
    "HasOptedOutOfEmail": ("opt_out", "email"),  # Salesforce
    "DoNotCall": ("opt_out", "phone"),
    "Unsubscribed from all email": ("opt_out", "email"),  # HubSpot
    "DoNotPhone": ("opt_out", "phone"),
    "do_not_contact": ("opt_out", "all"),
    "marketing_opt_in": ("consent", "all"),
    "sms_optin": ("consent", "sms"),
    "gdpr_consent": ("consent", "all"),
    "email_allowed": ("consent", "email"),
    "can_contact": ("consent", "all"),
    "may be contacted": ("consent", "all"),
    "email_subscribed": ("consent", "email"),
    "ok to call": ("consent", "phone"),
    "newsletter": ("consent", "email"),
    "no_calls": ("opt_out", "phone"),
    "phone and email opt out": ("opt_out", "all"),
    "Werbung erlaubt": ("consent", "all"),
    "Einwilligung E-Mail": ("consent", "email"),
    "Keine Werbung": ("opt_out", "all"),
    "Werbesperre": ("opt_out", "all"),
    "Telefon erlaubt": ("consent", "phone"),
    "اجازه تماس": ("consent", "all"),
    "عدم تماس": ("opt_out", "all"),
}
NONE = (
    *("consent_date", "opt_in_at", "newsletter_clicks", "email", "phone", "phone number", "Contact ID"),
    *(
        "PhoneService",
        "PaperlessBilling",
        "MultipleLines",
        "calls_last_month",
        "email_opened",
        "Marketing Channel",
    ),
    *(
        "total_eve_calls",
        "number customer service calls",
        "no_of_orders",
        "Accepted",
        "allowance",
        "subscription",
    ),
    *(
        "subscription_type",
        "preferred contact method",
        "last contact date",
        "opt_out_date",
        "consent source",
        "may",
    ),
    *("plan", "region", "Tarif", "active", "is_active", "voice mail plan", "complaints", "promo code", "can"),
    *("no_of_calls", "No. of emails", "Offer accepted", "number of marketing emails", "AcceptedCmp1"),
    *("may_calls", "phone_subscription", "can_calls", "call_ok_count", "texts_received", "mail_received"),
)


@pytest.mark.parametrize(("name", "said"), SAID.items())
def test_what_a_name_says(name, said):
    assert permission_of(name) == said


@pytest.mark.parametrize("name", NONE)
def test_other_names_say_nothing(name):
    assert permission_of(name) is None


@pytest.mark.parametrize("system", EXPORTS)
def test_columns_of_known_exports_are_not_taken_for_permissions(system):
    headers, _ = EXPORTS[system]
    assert [name for name in headers if permission_of(name)] == []


def config(attributes=(), facts=(), **outreach):
    people = {"uri": "x.csv", "columns": {"customer_id": "id", "started_at": "s", "ended_at": "e"}}
    people |= {"attributes": list(attributes), "facts": list(facts)}
    churn = {"kind": "contractual", "horizon_days": 30}
    return Config.model_validate(
        {"name": "shop", "churn": churn, "sources": {"customers": people}, "outreach": outreach}
    )


def test_a_permission_that_the_list_does_not_ask_is_said_with_the_line_to_write():
    (line,) = unasked_permissions(config(["plan", "Werbung erlaubt"]))
    assert str(line) == (
        "'Werbung erlaubt' sounds as if it said who may be contacted, and the list does not ask it; write "
        "`outreach.consent: {all: 'Werbung erlaubt'}`, or `outreach.consent: {}` where it says something else"
    )
    (line,) = unasked_permissions(config(facts=["DoNotCall"]))
    assert "`outreach.opt_out: {phone: 'DoNotCall'}`" in str(line)


@pytest.mark.parametrize(
    "outreach",
    [
        {"consent": {"all": "Werbung erlaubt"}},
        {"consent": {}},
    ],
)
def test_a_config_that_has_said_what_it_asks_is_not_doubted(outreach):
    assert unasked_permissions(config(["plan", "Werbung erlaubt"], **outreach)) == []
    assert unasked_permissions(config(["plan"])) == []


def test_one_permission_that_is_asked_does_not_speak_for_another():
    asked = {"consent": {"all": "Werbung erlaubt"}}
    (line,) = unasked_permissions(config(["Werbung erlaubt", "DoNotCall"], **asked))
    assert "`outreach.opt_out: {phone: 'DoNotCall'}`" in str(line)
    stop = {"columns": {"do_not_contact": "do_not_contact"}}
    (line,) = unasked_permissions(config(["email_allowed"], ["do_not_contact"], **stop))
    assert "`outreach.consent: {email: 'email_allowed'}`" in str(line)

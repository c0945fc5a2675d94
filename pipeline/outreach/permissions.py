"""Columns that say whether a customer may be contacted, by what companies call them: none of them is passed over."""

from __future__ import annotations

import re
from typing import Literal

from configs.outreach import EVERY_CHANNEL
from configs.schema import Config
from pipeline.languages.said import Said, said
from pipeline.sources.names import words_of

_OF_EMAIL = "e ?mails?|mail(?:ing)?s?|newsletters?|ایمیل|خبرنامه"
_CHANNELS = {
    "email": _OF_EMAIL,
    "phone": r"(?:tele)?phones?|telefon\w*|calls?|anrufe?n?|تلفن\w*",
    "sms": "sms|texts?|پیامک",
    "post": "post|postal|letters?|briefe?|پستی",
    "chat": "chat|whatsapp|messenger|telegram",
}
_ABOUT = "|".join(
    [
        *_CHANNELS.values(),
        r"contact\w*|kontakt\w*|marketing|promo(?:tion)?s?|promotional|advertis\w+|ads|communications?",
        r"tracking|push|gdpr|dsgvo|privacy|data processing|werbung|werbe\w*|datenschutz",
        "تماس|تبلیغات",
    ]
)
# Says by itself that the customer does not want to hear from us.
_STOP = (
    r"(?:has )?opt(?:ed|s)? ?outs?|optouts?|unsubscribed?|dnc|do not \w+(?: \w+)?|"
    r"don ?t (?:contact|call|e ?mail|mail|text)|"
    r"(?:werbe|kontakt|mail|post|anruf)?sperre|(?:werbe)?widerspruch|(?:contact|marketing|e ?mail) blocked|"
    r"لغو (?:تماس|تبلیغات|اشتراک خبرنامه)|عدم تماس"
)
# The same beside a word that says what is meant; `no of calls` is a number.
_NO = rf"(?:no|kein\w*|ohne|without) (?:{_ABOUT})"
_REFUSED = r"suppress(?:ed|ion)?|refus(?:es|ed)|declined|objects?|objected"
_GO = (
    r"consent(?:s|ed)?|opt(?:ed|s)? ?ins?|optins?|einwilligung\w*|zustimmung|einverstanden\w*|رضایت به \w+|"
    rf"newsletters?|(?:may|can|ok to|okay to) (?:be )?(?:contact\w*|call(?:ed)?|e ?mail(?:ed)?|mail|text|phone)|"
    rf"(?:{_OF_EMAIL}|marketing|sms) subscri\w+|subscribed to (?:{_OF_EMAIL}|marketing|sms)"
)
_YES = (
    r"permissions?|permitted|permits?|allow(?:s|ed)?|accept(?:s|ed)?|agree[sd]?|ok|okay|"
    r"wants?|receives?|enabled|erlaubt\w*|erlaubnis|darf|zugestimmt|اجازه|مجاز|موافقت"
)
# Other things that are said of a contact or of a consent.
_NOT = (
    r"date|datum|time|at|on|count|number|clicks?|clicked|opened|opens|rate|score|ip|source|version|reason|type|id|"
    r"text|preferred|last|days|since|method|تاریخ"
)


def permission_of(name: str) -> tuple[Literal["consent", "opt_out"], str] | None:
    """What a column says of contacts by its name: a yes that is needed, or that stops them; and the channel.

    Examples
    --------
    >>> permission_of("Accepts Email Marketing"), permission_of("HasOptedOutOfEmail"), permission_of("DoNotCall")
    (('consent', 'email'), ('opt_out', 'email'), ('opt_out', 'phone'))
    >>> permission_of("gdpr_consent"), permission_of("Werbung erlaubt"), permission_of("consent_date")
    (('consent', 'all'), ('consent', 'all'), None)
    """
    words = words_of(name)
    about = _has(_ABOUT, words)
    if _has(_STOP, words) or _has(_NO, words) or (_has(_REFUSED, words) and about):
        kind: Literal["consent", "opt_out"] = "opt_out"
    elif (_has(_GO, words) or (_has(_YES, words) and about)) and not _has(_NOT, words):
        kind = "consent"
    else:
        return None
    if kind == "opt_out" and re.search(r"(?:^| )(?:date|datum|at|time|reason)$", words):
        return None
    named = [channel for channel, pattern in _CHANNELS.items() if _has(pattern, words)]
    return kind, named[0] if len(named) == 1 else EVERY_CHANNEL


def _has(pattern: str, words: str) -> bool:
    return re.search(rf"(?<!\S)(?:{pattern})(?!\S)", words) is not None


def unasked_permissions(config: Config) -> list[Said]:
    """Columns of the customers that sound like a permission, and that the list does not ask: a person should look.

    A config that has `outreach.consent`, an empty one too, has said which yes it needs, and so it is with
    `outreach.opt_out` and those that stop a contact.
    """
    settings = config.outreach
    asked = {*settings.consent.values(), *settings.opt_out.values(), settings.columns.do_not_contact}
    facts = config.sources.customers.facts if config.sources.customers else {}
    columns = [name for name in dict.fromkeys([*config.attributes, *facts]) if name not in asked]
    found = {name: rule for name in columns if (rule := permission_of(name)) is not None}
    found = {name: rule for name, rule in found.items() if rule[0] not in settings.model_fields_set}
    return [
        said(
            "{name!r} sounds as if it said who may be contacted, and the list does not ask it; write "
            "`{line}`, or `outreach.{kind}: {{}}` where it says something else",
            name=name,
            line=f"outreach.{kind}: {{{channel}: {name!r}}}",
            kind=kind,
        )
        for name, (kind, channel) in found.items()
    ]

"""Every text that a reader sees, in the reader's language: a catalogue a language, and its numbers and dates."""


def N_(text: str) -> str:  # noqa: N802 - gettext's own name
    """Mark a text that is translated later, where its reader is known.

    Examples
    --------
    >>> N_("control group")
    'control group'
    """
    return text

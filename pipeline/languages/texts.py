"""Every text that is to be translated, found in the code, the templates and the playbook; the catalogues' upkeep."""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment

from pipeline.languages.language import LANGUAGES

_PACKAGES = ("pipeline", "features", "models")
ONE, SEVERAL = frozenset({"N_", "text", "word", "t", "w", "said"}), frozenset({"several", "nt", "said_n"})
DECLARED = frozenset({"says", "driver"})  # of a feature: its sentence, and the group of its reasons
_KEPT = "WARNING"  # of a model: kept with it, and told by every night
Text = str | tuple[str, str]
HEADER = r"""msgid ""
msgstr ""
"Language: {code}\n"
"Plural-Forms: {plural}\n"
"Content-Type: text/plain; charset=utf-8\n"

"""


def texts() -> dict[Text, str]:
    """Each text, or singular and plural, to the file that has it first; in the order of the files."""
    found: dict[Text, str] = {}
    for package in _PACKAGES:
        root = Path(str(resources.files(package)))
        for path in sorted(root.rglob("*")):
            if path.suffix not in (".py", ".j2"):
                continue
            read = of_code if path.suffix == ".py" else of_template
            for text in read(path.read_text(encoding="utf-8")):
                found.setdefault(text, path.relative_to(root.parent).as_posix())
    playbook = resources.files("configs") / "playbook.yaml"
    for text in of_playbook(playbook.read_text(encoding="utf-8")):
        found.setdefault(text, "configs/playbook.yaml")
    return found


def of_code(source: str) -> Iterator[Text]:
    """The texts of a module.

    Examples
    --------
    >>> list(of_code('N_("a"); l.text("b {n}", n=1); l.several("{n} c", "{n} cs", 2); Worse(says="d " "e")'))
    ['a', 'b {n}', ('{n} c', '{n} cs'), 'd e']
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and any(
            getattr(target, "id", "") == _KEPT for target in node.targets
        ):
            yield str(getattr(node.value, "value", ""))
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        words = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if called in ONE and words:
            yield words[0]
        elif called in SEVERAL and len(words) > 1:
            yield words[0], words[1]
        for keyword in node.keywords:
            value = getattr(keyword.value, "value", None)
            if keyword.arg in DECLARED and isinstance(value, str):
                yield value


def of_template(source: str) -> Iterator[Text]:
    """The texts of a page's template.

    Examples
    --------
    >>> list(of_template('<p title="{{ t("a") }}">{{ nt("{n} b", "{n} bs", rows|length) }}</p>'))
    ['a', ('{n} b', '{n} bs')]
    """
    from jinja2 import nodes

    for call in Environment(autoescape=True).parse(source).find_all(nodes.Call):
        called = getattr(call.node, "attr", getattr(call.node, "name", ""))
        words = [a.value for a in call.args if isinstance(a, nodes.Const) and isinstance(a.value, str)]
        if called in ONE and words:
            yield words[0]
        elif called in SEVERAL and len(words) > 1:
            yield words[0], words[1]


def of_playbook(source: str) -> Iterator[str]:
    """Titles and sentences of the playbook that comes with churn."""
    actions: dict[str, dict[str, Any]] = yaml.safe_load(source)["actions"]
    for action in actions.values():
        yield action["title"]
        yield from action["message"]


def updated(code: str, content: bytes) -> bytes:
    """A catalogue with the texts of today: new ones are empty, those that are gone are left out.

    Returns
    -------
    bytes
        The same for the same texts: no time, no line numbers.
    """
    old, new = read_po(io.BytesIO(content), locale=code), Catalog(locale=code)
    for text, place in texts().items():
        one = text[0] if isinstance(text, tuple) else text
        known = old.get(one)
        empty = ("",) * new.num_plurals if isinstance(text, tuple) else ""
        new.add(text, known.string if known else empty, locations=[(place, None)])
    sink = io.BytesIO()
    write_po(sink, new, width=110, omit_header=True, include_lineno=False)
    return HEADER.format(code=code, plural=new.plural_forms).encode() + sink.getvalue()


def untranslated(content: bytes) -> list[str]:
    """The texts of a catalogue that have no translation, or not in every plural form."""
    found = []
    for message in read_po(io.BytesIO(content)):
        forms = message.string if isinstance(message.string, list | tuple) else (message.string,)
        if message.id and not all(forms):
            found.append(message.id if isinstance(message.id, str) else message.id[0])
    return found


def main() -> None:
    """Bring every catalogue up to date: `python -m pipeline.languages.texts`."""
    for code in LANGUAGES[1:]:
        path = Path(str(resources.files("pipeline.languages"))) / f"{code}.po"
        content = updated(code, path.read_bytes())
        path.write_bytes(content)
        sys.stdout.write(f"{path.name}: {len(untranslated(content))} texts to be translated\n")


if __name__ == "__main__":
    main()

"""YAML as people write it by hand: small, flat, each key once. Whatever is not, is told with its key and line.

The text is looked at as a stream of events before anything is built from it, so that no text, however deep or
however often it refers to itself, costs time or memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from configs.errors import ConfigError, Fault

MOST_CHARACTERS = 1_000_000
_MOST_VALUES = 5_000
DEEPEST = 40
LONGEST_NUMBER = 40
MOST_FAULTS = 20
_RESOLVER = yaml.resolver.Resolver()
_TAG = "tag:yaml.org,2002:"


def parse(text: str, name: str) -> Any:
    """Build the values of a YAML text.

    Parameters
    ----------
    text
        The YAML.
    name
        The file, variable or option that it comes from, for messages.

    Raises
    ------
    ConfigError
        It is no YAML, too large, too deep, holds a key twice, a date that is in no calendar, or a number of more
        digits than a number needs; with all such faults at once.

    Examples
    --------
    >>> parse("churn: {horizon_days: 60}", "shop.yaml")
    {'churn': {'horizon_days': 60}}
    >>> parse("as_of: 2026-02-30", "shop.yaml")
    Traceback (most recent call last):
    ...
    configs.errors.ConfigError: shop.yaml: 1 fault in the text
      - as_of (line 1): '2026-02-30' is in no calendar; write a day such as 2026-01-31
    """
    if len(text) > MOST_CHARACTERS:
        raise ConfigError(f"{name}: has more than {MOST_CHARACTERS:,} characters; is it the right file?")
    try:
        faults = _Look().over(text)
        if faults:
            told = f"{len(faults)} fault{'s' * (len(faults) > 1)} in the text"
            raise ConfigError(f"{name}: {told}", faults)
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: not readable as YAML: {' '.join(str(error).split())[:300]}") from error
    except ValueError as error:  # of a value with a tag of its own, such as !!int
        raise ConfigError(f"{name}: not readable as YAML: {str(error)[:200]}") from error


@dataclass
class _Level:
    """A mapping or a list that is open."""

    path: str
    keys: set[str] | None
    anchor: str | None
    size: int = 1
    items: int = 0
    key: str | None = None

    @property
    def wants_key(self) -> bool:
        return self.keys is not None and self.key is None

    @property
    def place(self) -> str:
        """Dotted key of the value that comes next."""
        part = self.key if self.keys is not None else str(self.items)
        return f"{self.path}.{part}" if self.path else str(part)


@dataclass
class _Look:
    """What was seen of a text so far."""

    levels: list[_Level] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    values: int = 0
    faults: list[Fault] = field(default_factory=list)

    def over(self, text: str) -> list[Fault]:
        """The faults, in their order; the first that makes the text too large, or many others, end the look."""
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            self._event(event)
            if len(self.levels) > DEEPEST:
                return [*self.faults, self._fault(event, f"lies more than {DEEPEST} levels deep")]
            if self.values > _MOST_VALUES:
                return [*self.faults, self._fault(event, f"is one of more than {_MOST_VALUES:,} values")]
            if len(self.faults) >= MOST_FAULTS:
                break
        return self.faults

    def _event(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor in {level.anchor for level in self.levels}:
                self.faults.append(self._fault(event, f"refers to '{event.anchor}', which holds it"))
            self._closed(self.sizes.get(str(event.anchor), 1))
        elif isinstance(event, yaml.CollectionStartEvent):
            if self.levels and self.levels[-1].wants_key:
                self.faults.append(self._fault(event, "has a key that is no text"))
                self.levels[-1].key = "?"
            path = self.levels[-1].place if self.levels else ""
            keys: set[str] | None = set() if isinstance(event, yaml.MappingStartEvent) else None
            self.levels.append(_Level(path, keys, event.anchor))
            self.values += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            done = self.levels.pop()
            if done.anchor:
                self.sizes[done.anchor] = done.size
            self._closed(done.size, counted=True)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if event.anchor:
            self.sizes[event.anchor] = 1
        level = self.levels[-1] if self.levels else None
        if level is None or not level.wants_key:
            if what := _wrong(event):
                self.faults.append(self._fault(event, what))
            self._closed(1)
            return
        level.key = str(event.value)[:60]
        if level.keys is not None and event.value in level.keys and event.value != "<<":
            self.faults.append(self._fault(event, "stands there twice; keep one of them"))
        if level.keys is not None:
            level.keys.add(event.value)

    def _closed(self, size: int, *, counted: bool = False) -> None:
        """A value is complete: it counts where it stands, an alias as often as it stands there."""
        self.values += 0 if counted else size
        if self.levels:
            level = self.levels[-1]
            level.size += size
            level.items += 1
            level.key = None

    def _fault(self, event: yaml.Event, what: str) -> Fault:
        place = self.levels[-1].place if self.levels else "the text"
        line = event.start_mark.line + 1 if event.start_mark else 1
        where = f"{place[:120]} (line {line})"
        said, _, fix = what.partition("; ")
        return Fault(where, said, fix)


def _wrong(event: yaml.ScalarEvent) -> str | None:
    """What is wrong with a value that YAML would turn into a date or a number."""
    if not event.implicit[0]:  # quoted, or with a tag
        return None
    tag = _RESOLVER.resolve(yaml.ScalarNode, event.value, (True, False))  # type: ignore[no-untyped-call]
    if tag in (f"{_TAG}int", f"{_TAG}float") and len(event.value) > LONGEST_NUMBER:
        return f"is a number of {len(event.value):,} characters; write at most {LONGEST_NUMBER}"
    if tag == f"{_TAG}timestamp":
        try:
            yaml.SafeLoader("").construct_yaml_timestamp(yaml.ScalarNode(tag, event.value))
        except ValueError:
            return f"{event.value[:30]!r} is in no calendar; write a day such as 2026-01-31"
    return None

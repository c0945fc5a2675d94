"""Trees of a LightGBM text that score many rows at once: the same bits, many times as fast.

LightGBM takes row after row down each tree, and the processor can't foresee the turns. Here each split is one
comparison of a column with a number, for a block of rows. The answers to the splits of a tree are the bits of a code,
and a table has the value of the leaf to which each code leads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import NamedTuple

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from configs.arrays import Bools, Floats

# A code is a byte: a tree with more splits is cut into pieces.
_BITS = 8
# Rows of a block: a column of them, and what is made of it, stay in the processor's cache.
_ROWS = 32_768
# Fewer rows are not worth the tables.
_FEW = 1_000


class _Split(NamedTuple):
    """A turn: rows of at most `threshold` go left, and rows without a value where `unknown_left` says so."""

    column: int
    threshold: float
    unknown_left: bool
    left: _Node
    right: _Node


_Node = _Split | float


class _Piece(NamedTuple):
    """Splits whose answers are a code, and what each code leads to.

    Parameters
    ----------
    splits
        The first gives the highest bit but one: the highest tells whether a row comes here from the piece above.
    above
        Place of the piece above, and of each of its codes 1 where it leads here; None at the top of the tree.
    values
        Of each code the value of its leaf; 0 where it leads to none of this piece.
    """

    splits: tuple[_Split, ...]
    above: tuple[int, NDArray[np.uint8]] | None
    values: Floats


# A tree in pieces, and the places in the result to which its values are added.
_Tree = tuple[list[_Piece], Sequence[int]]


class Forest:
    """The trees of a booster.

    Parameters
    ----------
    text
        LightGBM's model text.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(2_000, 3)), rng.integers(0, 2, 2_000)
    >>> booster = lgb.train({"objective": "binary", "verbose": -1}, lgb.Dataset(X, y), 5)
    >>> bool((Forest(booster.model_to_string()).predict(X) == booster.predict(X, raw_score=True)).all())
    True
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._by_value: dict[tuple[int, tuple[float, ...]], list[_Tree]] = {}

    @cached_property
    def booster(self) -> lgb.Booster:
        """LightGBM's own."""
        return lgb.Booster(model_str=self._text)

    @cached_property
    def _nodes(self) -> list[_Node]:
        return _read(self._text)

    @cached_property
    def _trees(self) -> list[_Tree]:
        return [(_cut(node), (0,)) for node in self._nodes]

    def predict(self, X: Floats, *, raw_score: bool = True, num_threads: int = 1) -> Floats:
        """Log-odds of the rows of X, shape (rows,), as `lightgbm.Booster.predict` gives them."""
        if len(X) < _FEW or not raw_score:
            return np.asarray(self.booster.predict(X, raw_score=raw_score, num_threads=num_threads))
        return _scored(X, self._trees, 1, num_threads)[0]

    def predict_each(self, X: Floats, column: int, values: Sequence[float], num_threads: int = 1) -> Floats:
        """Log-odds of the rows of X, were each of some values in a column; shape (values, rows).

        What a tree says is worked out once for all values that it does not tell apart.
        """
        key = column, tuple(values)
        if key not in self._by_value:
            self._by_value[key] = [tree for node in self._nodes for tree in _told_apart(node, column, values)]
        return _scored(X, self._by_value[key], len(values), num_threads)


def _read(text: str) -> list[_Node]:
    """The trees of a model text; splits by category, and zeros that count as unknown, are in none of ours."""
    found = []
    for part in text.split("\nTree=")[1:]:
        lines = part.split("\n\n")[0].splitlines()
        fields = {name: value.split() for name, _, value in (line.partition("=") for line in lines)}
        found.append(_node(fields, -1 if fields["num_leaves"] == ["1"] else 0))
    return found


def _node(fields: Mapping[str, list[str]], at: int) -> _Node:
    if at < 0:
        return float(fields["leaf_value"][~at])
    kind, threshold = int(fields["decision_type"][at]), float(fields["threshold"][at])
    by_category, left_is_usual, missing = kind & 1, bool(kind & 2), kind >> 2 & 3
    if by_category or missing == 1:
        raise ValueError(f"a split of kind {kind} is not known here")
    # Where the training had a value in every row, unknown counts as 0.
    unknown_left = left_is_usual if missing else threshold >= 0
    left, right = (_node(fields, int(fields[side][at])) for side in ("left_child", "right_child"))
    return _Split(int(fields["split_feature"][at]), threshold, unknown_left, left, right)


def _told_apart(node: _Node, column: int, values: Sequence[float]) -> list[_Tree]:
    """The tree without splits by a column, once for all values at which it is the same."""
    found: dict[_Node, list[int]] = {}
    for place, value in enumerate(values):
        found.setdefault(_with_value(node, column, value), []).append(place)
    return [(_cut(one), places) for one, places in found.items()]


def _with_value(node: _Node, column: int, value: float) -> _Node:
    if isinstance(node, float):
        return node
    if node.column == column:
        return _with_value(node.left if value <= node.threshold else node.right, column, value)
    left, right = (_with_value(below, column, value) for below in (node.left, node.right))
    return node._replace(left=left, right=right)


def _cut(tree: _Node) -> list[_Piece]:
    """The pieces of a tree, each after the one above it."""
    found: list[_Piece] = []
    tops: list[tuple[_Node, tuple[int, NDArray[np.uint8]] | None]] = [(tree, None)]
    for top, above in tops:
        below = above is not None
        splits = _first(top, _BITS - below)
        codes = np.arange(1 << len(splits) + below)
        answers = {id(split): codes >> len(splits) - 1 - i & 1 == 1 for i, split in enumerate(splits)}
        values = np.zeros(len(codes))
        for node, here in _exits(top, codes >> len(splits) == below, answers):
            if isinstance(node, float):
                values[here] = node
            else:
                tops.append((node, (len(found), here.astype(np.uint8))))
        found.append(_Piece(tuple(splits), above, values))
    return found


def _exits(node: _Node, here: Bools, answers: Mapping[int, Bools]) -> Iterator[tuple[_Node, Bools]]:
    """The leaves of a piece and the splits below it, each with the codes that lead there."""
    if isinstance(node, float) or id(node) not in answers:
        yield node, here
        return
    # The question is whether a row goes where the unknown do not: their answer is always no.
    left = answers[id(node)] != node.unknown_left
    yield from _exits(node.left, here & left, answers)
    yield from _exits(node.right, here & ~left, answers)


def _first(top: _Node, most: int) -> list[_Split]:
    """So many splits at most, from the top downwards."""
    level, found = [top], list[_Split]()
    for node in level:
        if isinstance(node, _Split) and len(found) < most:
            found.append(node)
            level += [node.left, node.right]
    return found


def _scored(X: Floats, trees: Sequence[_Tree], count: int, threads: int) -> Floats:
    """Shape (count, rows): the sums of the trees' values, in the trees' order."""
    found = np.zeros((count, len(X)))

    def block(begin: int) -> None:
        columns, sums = X[begin : begin + _ROWS].T, found[:, begin : begin + _ROWS]
        if columns.strides[1] != columns.itemsize:
            columns = np.ascontiguousarray(columns)
        for pieces, places in trees:
            codes: list[NDArray[np.uint8]] = []
            for piece in pieces:
                codes.append(_codes(piece, codes, columns))
                value = piece.values.take(codes[-1])
                for place in places:
                    sums[place] += value

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(block, range(0, len(X), _ROWS)))
    return found


def _codes(piece: _Piece, codes: Sequence[NDArray[np.uint8]], columns: Floats) -> NDArray[np.uint8]:
    """Shape (rows,): the answers of each row to the splits of a piece."""
    rows = columns.shape[1]
    if piece.above is None:
        code = np.zeros(rows, np.uint8)
    else:
        above, leads_here = piece.above
        code = leads_here.take(codes[above])
    yes = np.empty(rows, bool)
    for column, threshold, unknown_left, _, _ in piece.splits:
        (np.greater if unknown_left else np.less_equal)(columns[column], threshold, out=yes)
        np.add(code, code, out=code)
        np.bitwise_or(code, yes.view(np.uint8), out=code)
    return code

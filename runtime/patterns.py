r"""Regular expressions of numbers: whether a number matches one, and whether any number could.

    pattern = Pattern(r"\\d{3}")
    pattern.fullmatch("407")        # True
    pattern.can_match(digits=4)     # False: nobody writes a number of four digits with three

Python's own parser reads the expression, and its tree is walked: from a state, which states may be reached by what a
part of the tree matches? With the places of a text as states that is a match, in a time that grows with the square of
its length at most, while Python's matcher takes years for `(\d+)+x` and sixty digits. With the states of all numbers it
tells whether there is a number that matches. What depends on more than states, such as `(\d)\1` or a lookahead, is
taken for matching: then Python's matcher decides on a text, and an expression is never wrongly said to match no number.
"""

import re
from collections.abc import Callable, Hashable, Iterable
from importlib import import_module
from typing import Any, Generic, TypeVar

from digitocr.runtime.characters import SIGNS
from digitocr.runtime.errors import UsageError

DIGITS = "0123456789"
ALPHABET = DIGITS + SIGNS  # the characters of a number
MAX_COUNTED = 64  # digits; that a number can have exactly so many is checked up to here, as a check that takes no time

MAX_INEXACT = 20  # characters that Python's matcher gets; with more it may take minutes for nested repeats

State = TypeVar("State", bound=Hashable)

_IN_CATEGORY = {
    "CATEGORY_DIGIT": str.isdigit,
    "CATEGORY_WORD": str.isdigit,  # of ALPHABET
    "CATEGORY_SPACE": str.isspace,
}


class Pattern:
    """A regular expression, in the syntax of Python's re.

    Attributes:
        text: The expression.
    """

    def __init__(self, text: str) -> None:
        r"""Parses the expression.

        Args:
            text: The expression, as "\\d{5}".

        Raises:
            UsageError: It is not a regular expression.
        """
        self.text = text
        try:
            self._python = re.compile(text)
        except (re.error, OverflowError, RecursionError) as error:
            raise UsageError(f"{text} is not a regular expression ({error}); for five digits it is \\d{{5}}") from None
        self._tree = _without_anchors(import_module("re._parser").parse(text))

    def fullmatch(self, text: str) -> bool:
        """Whether it matches the whole text, of characters of ALPHABET.

        An expression with what depends on more than states, such as a lookaround, a backreference or an anchor inside,
        matches no text of more than MAX_INEXACT characters.
        """

        def step(place: int, characters: frozenset[str]) -> Iterable[int]:
            return (place + 1,) if place < len(text) and text[place] in characters else ()

        walk = _Walk(step, range(len(text) + 1))
        if len(text) not in walk.after(self._tree, {0}):
            return False
        return walk.exact or (len(text) <= MAX_INEXACT and self._python.fullmatch(text) is not None)

    def can_match(self, digits: int = 0) -> bool:
        """Whether it can match a number as it is written, with its signs or without.

        Args:
            digits: How many digits the number has; 0 for any.
        """
        counted = digits if digits <= MAX_COUNTED else 0
        kinds = "start", "sign", "digit", "between"

        def step(state: tuple[str, int], characters: frozenset[str]) -> Iterable[tuple[str, int]]:
            kind, count = state
            if not characters.isdisjoint(DIGITS) and (not counted or count < counted):
                yield "digit", count + 1 if counted else 0
            if kind == "start" and not characters.isdisjoint("+-"):
                yield "sign", count
            if kind == "digit" and not characters.isdisjoint(".,-:/"):
                yield "between", count

        states = [(kind, count) for kind in kinds for count in range(counted + 1)]
        return ("digit", counted) in _Walk(step, states).after(self._tree, {("start", 0)})


class _Walk(Generic[State]):
    """A walk over the tree of an expression.

    Attributes:
        exact: Whether all parts that were met depend on states alone. Else some were taken for matching.
    """

    def __init__(self, step: Callable[[State, frozenset[str]], Iterable[State]], states: Iterable[State]) -> None:
        """A walk that has not begun.

        Args:
            step: The states after a state and one of some characters.
            states: All states.
        """
        self.exact = True
        self._step = step
        self._states = frozenset(states)
        self._known: dict[tuple[int, State], frozenset[State]] = {}

    def after(self, tree: Any, states: Iterable[State]) -> frozenset[State]:
        """The states after any of these states and whatever a part of the tree matches."""
        now = frozenset(states)
        for item in tree:
            reached: set[State] = set()
            for state in now:
                key = (id(item), state)
                if key not in self._known:
                    self._known[key] = frozenset(self._after_item(item[0], item[1], state))
                reached |= self._known[key]
            now = frozenset(reached)
        return now

    def _after_item(self, operation: Any, argument: Any, state: State) -> Iterable[State]:
        name = str(operation)
        if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            return self._step(state, _characters(name, argument))
        if name == "SUBPATTERN":
            return self.after(argument[-1], {state})
        if name == "BRANCH":
            return frozenset().union(*(self.after(one, {state}) for one in argument[1]))
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            return self._after_repeat(argument[0], argument[1], argument[2], state)
        self.exact = False
        if name == "POSSESSIVE_REPEAT":
            return self._after_repeat(argument[0], argument[1], argument[2], state)
        if name == "ATOMIC_GROUP":
            return self.after(argument, {state})
        return {state} if name in ("AT", "ASSERT", "ASSERT_NOT") else self._states

    def _after_repeat(self, least: int, most: int, tree: Any, state: State) -> frozenset[State]:
        now, seen = frozenset({state}), dict[frozenset[State], int]()
        done = 0
        while done < least and now not in seen:
            seen[now] = done
            now, done = self.after(tree, now), done + 1
        if done < least:  # the states come round
            for _ in range((least - done) % (done - seen[now])):
                now = self.after(tree, now)
        reached, fresh, left = set(now), now, most - least
        while fresh and left > 0:
            fresh = self.after(tree, fresh) - reached
            reached |= fresh
            left -= 1
        return frozenset(reached)


def _without_anchors(tree: Any) -> Any:
    """The tree without anchors at its ends, as of `^` and `$`: they hold wherever a text is matched as a whole."""
    while tree and str(tree[0][0]) == "AT" and str(tree[0][1]).startswith("AT_BEGINNING"):
        tree = tree[1:]
    while tree and str(tree[-1][0]) == "AT" and str(tree[-1][1]).startswith("AT_END"):
        tree = tree[:-1]
    return tree


def _characters(name: str, argument: Any) -> frozenset[str]:
    """Those of ALPHABET that a part of the tree matches which matches one character."""
    if name == "ANY":
        return frozenset(ALPHABET)
    if name in ("LITERAL", "NOT_LITERAL"):
        return frozenset(one for one in ALPHABET if (ord(one) == argument) == (name == "LITERAL"))
    found: set[str] = set()
    negated = False
    for operation, value in argument:
        kind = str(operation)
        if kind == "NEGATE":
            negated = True
        elif kind == "LITERAL":
            found.add(chr(value))
        elif kind == "RANGE":
            found |= {one for one in ALPHABET if value[0] <= ord(one) <= value[1]}
        else:
            category, inverse = str(value).replace("_NOT_", "_"), "_NOT_" in str(value)
            found |= {one for one in ALPHABET if _IN_CATEGORY[category](one) != inverse}
    return frozenset(one for one in ALPHABET if (one in found) != negated)

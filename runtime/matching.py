r"""The form of wanted numbers.

wanted = Wanted(expect=r"\\d{2}:\\d{2}")
wanted.admits("20:16", "2016")  # True
"""

from digitocr.runtime.arguments import whole
from digitocr.runtime.characters import DOUBT
from digitocr.runtime.errors import UsageError
from digitocr.runtime.patterns import Pattern


class Wanted:
    """A form that numbers have. A number with a digit that cannot be told has none."""

    def __init__(self, expect: str = "", digits: int = 0) -> None:
        """Checks that there are such numbers.

        Args:
            expect: A regular expression that matches a number as a whole, as it is written, with its signs, or its
                digits alone; empty for any number.
            digits: How many digits a number has; 0 for any number of them.

        Raises:
            UsageError: An argument makes no sense, or no number is of that form.
        """
        if not isinstance(expect, str):
            raise UsageError(f"expect must be a regular expression as text, not {expect!r}")
        self._digits = digits = whole("digits", digits)
        self._pattern = Pattern(expect) if expect else None
        if self._pattern and not self._pattern.can_match():
            raise UsageError(f"{expect} matches no number; a number has digits and . , - + : / only")
        if self._pattern and not self._pattern.can_match(digits):
            raise UsageError(f"{expect} matches no number of {digits} digits; leave one of the two out")

    def admits(self, text: str, digits: str) -> bool:
        """Whether a number is of that form.

        Args:
            text: As it is written, with its signs.
            digits: Its digits alone.
        """
        if not self:
            return True
        if DOUBT in text or (self._digits and len(digits) != self._digits):
            return False
        return self._pattern is None or any(map(self._pattern.fullmatch, (text, digits)))

    def __bool__(self) -> bool:
        return bool(self._digits or self._pattern)

    def why_none(self, count: int) -> str:
        """Why of `count` numbers that were read none is left, in one line."""
        forms = [f"has {self._digits} digit{'s' * (self._digits != 1)}"] if self._digits else []
        forms += [f"matches {self._pattern.text}"] if self._pattern else []
        read = f"{count} numbers were" if count > 1 else "1 number was"
        return f"{read} read, but none {' and '.join(forms)}"

"""Whether a number can follow the last one of a counter or a meter, which only rises, and by a limited amount."""


class Rising:
    """The last number of one counter.

    The first number is taken as it is. Signs do not count: the digits are compared as whole numbers, so 0481.3 has
    risen by 1 from 0481.2.
    """

    def __init__(self, most: int) -> None:
        """Starts without a last number.

        Args:
            most: By how much a number may exceed the last one, in units of the last digit; 0 for numbers that need not
                rise.
        """
        self._most = most
        self._last = ""

    def why_not(self, digits: str) -> str:
        """Why the number cannot follow the last one, in one line; empty if it can."""
        if not self._most or not self._last:
            return ""
        step = int(digits) - int(self._last)
        if len(digits) < len(self._last):  # a digit was not seen; a number that rises never gets shorter
            return f"{digits} has fewer digits than the last number, {self._last}"
        if step < 0:
            return f"{digits} is below the last number, {self._last}"
        if step > self._most:
            return f"{digits} is above the last number, {self._last}, by more than {self._most}"
        return ""

    def take(self, digits: str) -> bool:
        """Makes a number that can follow the last one the last. Returns False if it is that one again."""
        if self._most and self._last and int(digits) == int(self._last):
            return False
        self._last = digits
        return True

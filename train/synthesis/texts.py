"""Random texts of the kinds that numbers stand in: prices, dates, times, units, equations, tables, prose.

text(np.random.default_rng(7))      # "12/08/2026"
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from digitocr.train.synthesis.glyphs import LETTERS, SYMBOLS

# How often English has the letters a to z, in thousandths (R. Lewand, "Cryptological Mathematics", 2000), plus 3 each.
ENGLISH = 3 + np.array(
    [82, 15, 28, 43, 127, 22, 20, 61, 70, 2, 8, 40, 24, 67, 75, 19, 1, 60, 63, 91, 28, 10, 24, 2, 20, 1], np.float64
)
LOOKALIKES = "OoIlSsZzBgqDQGbiT"  # letters that look like a digit
UNITS = [
    "kg", "g", "mg", "t", "m", "cm", "mm", "km", "l", "ml", "cl", "L", "h", "min", "s", "ms", "Hz", "kHz", "V", "A",
    "W", "kW", "kWh", "mA", "°C", "°F", "°", "%", "‰", "€", "$", "£", "EUR", "USD", "CHF", "st", "pcs", "px", "pt",
    "dpi", "am", "pm", "th", "nd", "rd", "st", "m²", "m³", "km/h", "mmol/L", "mg/dl", "bpm", "mmHg", "bar", "psi",
    "hPa", "lbs", "oz", "in", "ft", "PS", "dB", "GB", "MB", "x",
]  # fmt: skip
DIGITLIKE_UNITS = [*"lg", "kg", *"sS%°€$bB", "lb", "oz", *"OIZ"]  # or begin or end like a digit
CURRENCIES = ["$", "$", "€", "€", "£", "£", "¥", "USD", "EUR", "Rs"]
ELEMENTS = [*"OOOOHHCCNNSPKFBI", "Na", "Ca", "Fe", "Mg", "Al", "Cl", "Si"]  # of formulas; O looks like 0
LABELS = [
    "Serial", "No.", "Nr.", "Total", "Sum", "Tel.", "Tel", "Phone", "ID", "Date", "Time", "Page", "Room", "Qty",
    "Price", "Tax", "VAT", "Invoice", "Order", "Code", "Zip", "Art.", "Lot", "EXP", "Use", "by", "Best", "before",
    "SN", "REF", "Model", "Year", "Score", "Temp", "Set", "Max", "Min", "Vol", "Class", "Grade", "Name", "Size",
    "SYS", "DIA", "PULSE", "Gate", "Seat", "Flight", "Bus", "Line", "Platform", "Floor", "Level", "Item", "Amount",
    "Balance", "Due", "Paid", "Cash", "Change", "Subtotal", "Discount",
]  # fmt: skip
MONTHS = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "JAN", "MAR", "AUG", "DEC",
    "January", "March", "August", "October",
]  # fmt: skip


def number(rng: Generator, least: int = 1, most: int = 8) -> str:
    """A number of `least` to `most` digits, zeros and ones a little more often than others."""
    digits = rng.choice(10, int(rng.integers(least, most + 1)), p=[0.17, 0.15] + [0.085] * 8)
    return "".join(map(str, digits))


def decimal(rng: Generator) -> str:
    """A number with a decimal point or comma, sometimes with a sign or groups of thousands."""
    mark = str(rng.choice([".", ","], p=[0.7, 0.3]))
    whole = number(rng, 1, 4)
    if rng.random() < 0.12:
        whole = number(rng, 1, 3) + ("," if mark == "." else ".") + number(rng, 3, 3)
    text = whole + mark + number(rng, 1, 3)
    return str(rng.choice(["-", "+"], p=[0.8, 0.2])) + text if rng.random() < 0.15 else text


def word(rng: Generator) -> str:
    """Letters in the frequencies of English; sometimes of those that look like digits."""
    kind = rng.random()
    if kind < 0.12:
        letters = rng.choice(list(LOOKALIKES), int(rng.integers(2, 7)))
        return "".join(letters)
    letters = rng.choice(list(LETTERS[:26]), int(rng.integers(2, 11)), p=ENGLISH / ENGLISH.sum())
    made = "".join(letters)
    return made.upper() if kind > 0.75 else made.capitalize() if kind > 0.55 else made


def prose(rng: Generator) -> str:
    """Words, sometimes with punctuation and a number among them."""
    parts = []
    numbers = rng.choice([0.0, 0.12, 0.3])
    for _ in range(int(rng.integers(1, 6))):
        part = word(rng) if rng.random() >= numbers else number(rng, 1, 4)
        if rng.random() < 0.2:
            part += str(rng.choice(list(".,;:!?)")))
        if rng.random() < 0.05:
            part = "(" + part
        parts.append(part)
    return " ".join(parts)


def date(rng: Generator) -> str:
    """A date in figures or with the name of the month."""
    day, month = str(rng.integers(1, 32)), str(rng.integers(1, 13))
    if rng.random() < 0.7:
        day, month = day.zfill(2), month.zfill(2)
    year = str(rng.integers(1900, 2100)) if rng.random() < 0.6 else str(rng.integers(0, 100)).zfill(2)
    if rng.random() < 0.15:
        name = str(rng.choice(MONTHS))
        return f"{day} {name} {year}" if rng.random() < 0.6 else f"{name} {day}, {year}"
    mark = str(rng.choice(["/", ".", "-", " / "], p=[0.45, 0.28, 0.24, 0.03]))
    parts = [day, month, year] if rng.random() < 0.8 else [year, month, day]
    return mark.join(parts[: 2 if rng.random() < 0.1 else 3])


def time(rng: Generator) -> str:
    """A time of day or a duration."""
    parts = [str(rng.integers(0, 24)), str(rng.integers(0, 60)).zfill(2)]
    if rng.random() < 0.25:
        parts.append(str(rng.integers(0, 60)).zfill(2))
    if rng.random() < 0.5:
        parts[0] = parts[0].zfill(2)
    return ":".join(parts) + (str(rng.choice(["am", "pm", " am", " PM", "h"])) if rng.random() < 0.2 else "")


def amount(rng: Generator) -> str:
    """A number with a currency or a unit."""
    figure = decimal(rng) if rng.random() < 0.5 else number(rng, 1, 5)
    if rng.random() < 0.3:
        return str(rng.choice(CURRENCIES)) + ("" if rng.random() < 0.6 else " ") + figure
    unit = str(rng.choice(DIGITLIKE_UNITS if rng.random() < 0.4 else UNITS))
    return figure + ("" if rng.random() < 0.4 else " ") + unit


def measure(rng: Generator) -> str:
    """A number, a decimal or a fraction with a unit of one letter, often of litres: 2 l, 0.5 l, 3/4 l, 12 V."""
    figures = [number(rng, 1, 4), decimal(rng), f"{number(rng, 1, 1)}/{number(rng, 1, 1)}"]
    figure = figures[int(rng.choice(3, p=[0.4, 0.4, 0.2]))]
    unit = "l" if rng.random() < 0.5 else str(rng.choice(list("LgmstVAWhJNKFCx")))
    return figure + ("" if rng.random() < 0.3 else " ") + unit


def item(rng: Generator) -> str:
    """A line of a numbered list: 3. Bread, 12) sugar."""
    mark = str(rng.choice([".", ")", ":", " -", ""], p=[0.4, 0.3, 0.1, 0.1, 0.1]))
    return f"{number(rng, 1, 2)}{mark} {word(rng)}"


def bracketed(rng: Generator) -> str:
    """A number in brackets, with a hash, a star, a degree sign or an exponent, or beside a bar."""
    figure = number(rng, 1, 4)
    form = str(
        rng.choice(
            [
                "({})",
                "[{}]",
                "({}",
                "{})",
                "#{}",
                "{}°",
                "{}%",
                "*{}",
                "{}*",
                "|{}|",
                "<{}>",
                "\u201c{}\u201d",
                "{}!",
                "{}?",
                *["|{}", "{}|", "'{}", "{}'", '"{}"', "{{{}}}", "~{}", "№{}", "№ {}", "{}=", "={}", "§{}", "§ {}"],
            ]
        )
    )
    return form.format(figure)


def equation(rng: Generator) -> str:
    """Arithmetic or algebra."""
    signs = list("+-\u00d7÷/=x*:<>")
    space = "" if rng.random() < 0.45 else " "
    letters = rng.random() < 0.3
    parts: list[str] = []
    opened = False
    for place in range(int(rng.integers(2, 6))):
        if place:
            sign = str(rng.choice(signs, p=[0.24, 0.2, 0.13, 0.09, 0.1, 0.12, 0.03, 0.04, 0.03, 0.01, 0.01]))
            parts.append(sign)
        term = number(rng, 1, 3)
        if letters and rng.random() < 0.6:
            term = (term if rng.random() < 0.7 else "") + str(rng.choice(list("xyzabnk")))
        if not opened and rng.random() < 0.12:
            term, opened = "(" + term, True
        elif opened and rng.random() < 0.6:
            term, opened = term + ")", False
        parts.append(term)
    return space.join(parts)


def algebra(rng: Generator) -> str:
    """An equation in letters: 3a + 2b = 8, x - y = 3, f(x) = 2x, 5(a + b)."""
    letters = rng.choice(list("xxxyyyzzaaabbbccnmkpqtrdfhuvw"), 3)
    space = "" if rng.random() < 0.4 else " "

    def term() -> str:
        kind = rng.random()
        own = str(rng.choice(letters))
        if kind < 0.5:
            return number(rng, 1, 3) + own
        if kind < 0.75:
            return own
        if kind < 0.9:
            return number(rng, 1, 3)
        return f"{number(rng, 1, 2)}({own}" + str(rng.choice(["+", "-"])) + f"{number(rng, 1, 2)})"

    parts = [term()]
    for _ in range(int(rng.integers(1, 4))):
        parts += [str(rng.choice(list("+-=+-=x/"))), term()]
    return str(rng.choice(["", "{ ", "√", "f(x) = "], p=[0.85, 0.07, 0.04, 0.04])) + space.join(parts)


def labelled(rng: Generator) -> str:
    """A label and a number."""
    label = str(rng.choice(LABELS))
    label = label.upper() if rng.random() < 0.3 else label
    mark = str(rng.choice(["", ":", ".", " =", " #"], p=[0.45, 0.4, 0.05, 0.05, 0.05]))
    kind = [number, decimal, date, time, amount][int(rng.choice(5, p=[0.5, 0.2, 0.1, 0.1, 0.1]))]
    return f"{label}{mark} {kind(rng)}"


def code(rng: Generator) -> str:
    """Letters and digits mixed, as serial numbers, plates and products have them."""
    letters = list("AABCDEFGHHKLMNPRSTUVWXYZBSZDacdefhkmnprtuvwxyg")
    parts = []
    for _ in range(int(rng.integers(2, 4))):
        if rng.random() < 0.5:
            parts.append("".join(rng.choice(letters, int(rng.integers(1, 4)))))
        else:
            parts.append(number(rng, 1, 5))
    mark = str(rng.choice(["", "-", " ", "/", "."], p=[0.4, 0.2, 0.25, 0.1, 0.05]))
    return mark.join(parts)


def formula(rng: Generator) -> str:
    """A chemical formula: H2O, CO2, C6H12O6. Its O stands beside digits as a 0 would."""
    parts = [str(one) for one in rng.choice(ELEMENTS, int(rng.integers(2, 5)))]
    counted = int(rng.integers(len(parts)))
    for place in range(len(parts)):
        if place == counted or rng.random() < 0.4:
            parts[place] += str(rng.integers(2, 10) if rng.random() < 0.9 else rng.integers(10, 25))
    return "".join(parts)


def between(rng: Generator) -> str:
    """Digits between letters, which often look like digits themselves: B2B, S80G."""
    first, last = (
        "".join(rng.choice(list("BBSSZZGGQDTACEHKMPRUXY"), int(rng.choice([1, 2], p=[0.8, 0.2])))) for _ in range(2)
    )
    return first + number(rng, 1, 2) + last


def groups(rng: Generator) -> str:
    """Groups of digits, as telephone, card and account numbers have them."""
    size = int(rng.integers(2, 5))
    mark = str(rng.choice([" ", "  ", "-", ".", "/"], p=[0.6, 0.14, 0.14, 0.07, 0.05]))
    made = mark.join(number(rng, size, size if rng.random() < 0.7 else 4) for _ in range(int(rng.integers(2, 5))))
    return "+" + made if rng.random() < 0.1 else made


def cells(rng: Generator) -> str:
    """The cells of a table's row or of a receipt, with wide gaps, sometimes with words."""
    parts = []
    for _ in range(int(rng.integers(2, 6))):
        kind = rng.random()
        parts.append(word(rng) if kind < 0.25 else decimal(rng) if kind < 0.45 else number(rng, 1, 4))
    return "     "[: int(rng.integers(2, 6))].join(parts)


def signs(rng: Generator) -> str:
    """Signs and single letters without a digit."""
    characters = list(SYMBOLS + "OolISsZzBgqDQGbi|\\/()")
    return " ".join("".join(rng.choice(characters, int(rng.integers(1, 4)))) for _ in range(int(rng.integers(1, 5))))


KINDS: dict[Callable[[Generator], str], float] = {  # and how frequent each is, relative to the others
    number: 0.17,
    decimal: 0.11,
    prose: 0.24,
    date: 0.09,
    time: 0.06,
    amount: 0.13,
    measure: 0.05,
    item: 0.02,
    bracketed: 0.06,
    equation: 0.07,
    labelled: 0.1,
    code: 0.06,
    formula: 0.025,
    between: 0.02,
    groups: 0.04,
    cells: 0.02,
    signs: 0.05,
}
_FUNCTIONS, _SHARES = list(KINDS), np.array(list(KINDS.values())) / sum(KINDS.values())


def text(rng: Generator) -> str:
    """One or several texts of random kinds, apart by wide spaces."""
    parts = [_FUNCTIONS[int(rng.choice(len(_FUNCTIONS), p=_SHARES))](rng)]
    while len("".join(parts)) < 24 and rng.random() < 0.4:
        parts.append(_FUNCTIONS[int(rng.choice(len(_FUNCTIONS), p=_SHARES))](rng))
    return "   "[: int(rng.integers(1, 4))].join(parts)

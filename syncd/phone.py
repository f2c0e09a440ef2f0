"""Phone numbers: the key by which two spellings are told to be one number, and hiding numbers in what people see."""

import re
from typing import Final

KEY_DIGITS: Final = 9
"""Digits from the end that are compared: what is left of them, a country code or a zero, is written in many ways."""

FEWEST_DIGITS: Final = 6
"""Fewer digits are an extension or a slip, and would match far too much."""

_NOT_A_DIGIT: Final = re.compile(r"[^0-9]+")
_NUMBER: Final = re.compile(r"\+?[0-9](?:[\s()/.-]*[0-9]){6,}")
_PLAIN_ID: Final = re.compile(r"[1-9][0-9]{6,8}")
_DATE: Final = re.compile(r"(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}(?![0-9])")


def phone_key(text: str) -> str | None:
    """Return the last nine digits of a number (all of them where there are fewer), or None below six digits."""
    digits = _NOT_A_DIGIT.sub("", text)
    return digits[-KEY_DIGITS:] if len(digits) >= FEWEST_DIGITS else None


def hide_numbers(text: str) -> str:
    """Return a text with a # for each digit of whatever may be a phone number in it.

    Dates are left, and seven to nine digits in one piece that do not begin with a zero: customer ids look like that.
    """
    return _NUMBER.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    if _PLAIN_ID.fullmatch(found[0]) or _DATE.match(found[0]):
        return found[0]
    return re.sub("[0-9]", "#", found[0])

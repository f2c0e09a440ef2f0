"""Mutants of SQL, whose text no tool for Python looks into.

Each comparison, AND, OR, NOT, IN and IS, literal, interval, sign, join and aggregate is changed alone; each condition
is left out; each WHEN row of a CASE is left out, and changes places with the next.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.mutation.edits import Edit

TOKEN = re.compile(
    r"(?P<comment>--[^\n]*)|(?P<text>'[^']*')|(?P<parameter>%\(\w+\)s)|(?P<word>\"?[A-Za-z_][\w.]*\"?)|(?P<number>\d+)"
    r"|(?P<sign><>|<=|>=|::|[^\s\w])"
)
SWAPS = {
    "=": "<>", "<>": "=", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "+": "-", "-": "+",
    "AND": "OR", "OR": "AND", "TRUE": "FALSE", "true": "false", "false": "true", "min": "max", "max": "min",
    "FULL": "LEFT", "LEFT": "INNER", "DISTINCT": "", "NOT": "", "abs": "", "ALL": "",
}  # fmt: skip
NEGATED = ("DISTINCT", "NULL")
JOINTS = ("AND", "OR")
ENDS = ("THEN", "WHEN", "ELSE", "END", "AS", "FROM", "WHERE", "GROUP", "OFFSET", "UNION", "LEFT", "FULL", "JOIN", ",")
OPENS = (*ENDS, "ON", "SELECT", "CASE", "FILTER")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    said: str
    start: int
    end: int
    depth: int
    """Brackets and CASEs around it."""


def is_statement(text: str) -> bool:
    return re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s", text) is not None


def edits(text: str) -> Iterator[Edit]:
    """Yield every small change of a statement."""
    tokens = list(_tokens(text))
    for i in range(len(tokens)):
        yield from _of_token(tokens, i)
        if tokens[i].said in ("AND", "OR"):
            yield from _conditions(tokens, i)
    yield from _rows(text, tokens)


def _tokens(text: str) -> Iterator[_Token]:
    depth = 0
    for found in TOKEN.finditer(text):
        kind, said = str(found.lastgroup), found[0]
        if kind == "comment":
            continue
        depth -= said in (")", "END")
        yield _Token(kind, said, found.start(), found.end(), depth)
        depth += said in ("(", "CASE")


def _of_token(tokens: list[_Token], i: int) -> Iterator[Edit]:
    token = tokens[i]
    before = tokens[i - 1].said if i else ""
    if token.kind == "number":
        yield Edit(token.start, token.end, str(int(token.said) + 1))
    elif token.kind == "text":
        number = re.match(r"'(\d+) ", token.said)
        new = f"'{int(number[1]) + 1} {token.said[number.end() :]}" if number else f"{token.said[:-1]}?'"
        yield Edit(token.start, token.end, new)
    elif token.said in SWAPS and not (token.said == "DISTINCT" and before in ("IS", "NOT")):
        yield Edit(token.start, token.end, SWAPS[token.said])
    if (token.said in NEGATED and before == "IS") or (token.said == "IN" and before != "NOT"):
        yield Edit(token.start, token.start, "NOT ")


def _conditions(tokens: list[_Token], i: int) -> Iterator[Edit]:
    """The condition after an AND or OR left out; that before it, where it is the first."""
    joint = tokens[i]
    joints = JOINTS if joint.said == "AND" else ("OR",)
    last = next((j for j in range(i + 1, len(tokens)) if _bounds(tokens, j, joint, ENDS + joints)), len(tokens)) - 1
    yield Edit(joint.start, tokens[last].end, "")
    before = next((j for j in range(i - 1, -1, -1) if _bounds(tokens, j, joint, OPENS + joints)), -1)
    if tokens[before].said != joint.said:
        yield Edit(tokens[before + 1].start, tokens[i + 1].start, "")


def _bounds(tokens: list[_Token], j: int, joint: _Token, words: tuple[str, ...]) -> bool:
    """Return whether what AND or OR joins cannot reach over this token."""
    token = tokens[j]
    if token.said == "FROM" and tokens[j - 1].said == "DISTINCT":
        return False
    return token.depth < joint.depth or (token.depth == joint.depth and token.said in words)


def _rows(text: str, tokens: list[_Token]) -> Iterator[Edit]:
    """Each row of a CASE left out, and changed with the next where both can hold at once."""
    for i, case in enumerate(tokens):
        if case.said != "CASE":
            continue
        end = _end_of(tokens, i)
        marks = [t for t in tokens[i:] if t.start < end and t.depth == case.depth + 1 and t.said in ("WHEN", "ELSE")]
        starts = [mark.start for mark in marks]
        ends = [*starts[1:], end]
        rows = [_bare(text[one:other]) for one, other in zip(starts, ends, strict=True)]
        for n in range(len(rows)):
            yield Edit(starts[n], ends[n], "")
            if n + 1 < len(rows) and marks[n + 1].said == "WHEN" and not _exclude(rows[n], rows[n + 1]):
                yield Edit(starts[n], ends[n + 1], f"{rows[n + 1]}\n{rows[n]}\n")


def _bare(row: str) -> str:
    """Return a row without the comments after it, which would hide what follows."""
    return re.sub(r"--[^\n]*", "", row).strip()


def _exclude(row: str, other: str) -> bool:
    """Return whether their order is all one: both cannot hold, as far as their texts tell, or say the same."""
    one, two = _demands(row), _demands(other)
    same = row.split("THEN")[-1].split() == other.split("THEN")[-1].split()
    return same or any(one[what].isdisjoint(two[what]) for what in one.keys() & two.keys())


def _demands(row: str) -> dict[str, set[str]]:
    """Return by what is looked at, ``stand`` in ``stand = 'open' AND NOT ours``, the values that are asked for."""
    demands = {}
    condition = " ".join(row.removeprefix("WHEN ").split()).split(" THEN")[0]
    for term in condition.split(" AND "):
        match re.fullmatch(r"(NOT )?([\w.]+|'[^']+')(?: = (\S+)| IN \((.*)\)| IS (NULL))?", term.strip()):
            case re.Match() as found if found[2].startswith("'"):  # CASE x WHEN 'value'
                demands[""] = {found[2]}
            case re.Match() as found:
                values = next((value for value in found.groups()[2:] if value), "false" if found[1] else "true")
                demands[found[2]] = {value.strip() for value in values.split(",")}
    return demands


def _end_of(tokens: list[_Token], case: int) -> int:
    return next(t.start for t in tokens[case:] if t.said == "END" and t.depth == tokens[case].depth)

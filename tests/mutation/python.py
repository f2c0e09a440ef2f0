"""Mutants of Python: each condition, operator, constant, member of an enumeration, argument and step, changed alone.

Annotations, docstrings, decorators, imports and ``__all__`` stay as they are. What the members of an enumeration are is
taken from their names in the file: ``Hold.REMOVALS`` becomes another ``Hold`` that it names.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from tests.mutation import patterns, sql
from tests.mutation.edits import Edit

COMPARISONS = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
ARITHMETIC = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.BitOr: ("|", "&"),
    ast.BitAnd: ("&", "|"),
}
STEPS = (ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)


def edits(text: str) -> Iterator[Edit]:
    """Yield every small change of a module, its SQL included."""
    tree = ast.parse(text)
    source = _Source(text)
    members = _members(tree)
    for node in _code(tree):
        yield from source.edits(node, members)


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that say what is done."""
    yield node
    if isinstance(node, ast.JoinedStr):
        return
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "bases"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.Import | ast.ImportFrom | ast.Assert):
                continue
            if not (_docstring(child) or _exports(child)):
                yield from _code(child)


def _docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _exports(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)


def _members(tree: ast.AST) -> dict[str, list[str]]:
    """Return by the name of each enumeration the members that the file names."""
    members = defaultdict(set)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr.isupper():
            members[node.value.id].add(node.attr)
    return {name: sorted(named) for name, named in members.items() if len(named) > 1}


class _Source:
    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def edits(self, node: ast.AST, members: dict[str, list[str]]) -> Iterator[Edit]:
        match node:
            case ast.Compare():
                sides = [node.left, *node.comparators]
                for i, op in enumerate(node.ops):
                    yield self._between(sides[i], sides[i + 1], *COMPARISONS[type(op)])
            case ast.BoolOp():
                yield from self._joined(node)
            case ast.UnaryOp(op=ast.Not()):
                yield Edit(self._start(node), self._start(node) + len("not"), "")
            case ast.BinOp() if type(node.op) in ARITHMETIC:
                yield self._between(node.left, node.right, *ARITHMETIC[type(node.op)])
            case ast.Constant() | ast.JoinedStr():
                yield from self._constant(node)
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if attr in members.get(name, ()):
                others = members[name]
                other = others[(others.index(attr) + 1) % len(others)]
                yield Edit(self._end(node) - len(attr), self._end(node), other)
            case ast.MatchOr():
                for i in range(len(node.patterns)):
                    yield self._without(node.patterns, i)
            case ast.Call():
                given = [*node.args, *node.keywords]
                for i in range(len(node.args), len(given)):
                    yield self._without(given, i)
            case ast.Return(value=ast.expr()):
                yield Edit(self._start(node.value), self._end(node.value), "None")
            case (
                ast.Expr(value=ast.Call() | ast.Await() | ast.Yield() | ast.YieldFrom())
                | ast.Assign(targets=[ast.Attribute() | ast.Subscript()])
            ):
                yield Edit(self._start(node), self._end(node), "pass")
            case _ if isinstance(node, STEPS):
                yield Edit(self._start(node), self._end(node), "pass")
        for test in _tests(node):
            if isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Await | ast.NamedExpr):
                yield Edit(self._start(test), self._end(test), f"not ({self._said(test)})")

    def _joined(self, node: ast.BoolOp) -> Iterator[Edit]:
        """Each ``and`` as ``or`` and the reverse, and the whole without each operand."""
        here, there = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield self._between(left, right, here, there)
        for i in range(len(node.values)):
            rest = [self._operand(value) for value in node.values[:i] + node.values[i + 1 :]]
            yield Edit(self._start(node), self._end(node), f" {here} ".join(rest))

    def _operand(self, node: ast.expr) -> str:
        loose = isinstance(node, ast.BoolOp | ast.NamedExpr | ast.IfExp | ast.Lambda)
        return f"({self._said(node)})" if loose else self._said(node)

    def _constant(self, node: ast.Constant | ast.JoinedStr) -> Iterator[Edit]:
        start, end = self._start(node), self._end(node)
        match node:
            case ast.Constant(value=bool()):
                yield Edit(start, end, str(not node.value))
            case ast.Constant(value=int() | float()):
                yield Edit(start, end, repr(node.value + 1))
            case ast.Constant(value=str(value)) if sql.is_statement(value):
                within = self.text.find(value, start, end)
                if within >= 0:
                    yield from (edit.shifted(within) for edit in sql.edits(value))
            case ast.JoinedStr() | ast.Constant(value=str()):
                yield Edit(start, end, '""' if self._said(node) != '""' else '"?"')
                if self.text[start] == "r":
                    yield from (edit.shifted(start) for edit in patterns.edits(self._said(node)))

    def _without(self, nodes: list[ast.expr | ast.keyword] | list[ast.pattern], i: int) -> Edit:
        """Leave one out of several that a comma or a ``|`` divides."""
        if i + 1 < len(nodes):
            return Edit(self._start(nodes[i]), self._start(nodes[i + 1]), "")
        return Edit(self._end(nodes[i - 1]) if i else self._start(nodes[i]), self._end(nodes[i]), "")

    def _between(self, left: ast.expr, right: ast.expr, old: str, new: str) -> Edit:
        start, end = self._end(left), self._start(right)
        pattern = r"\s+".join(re.escape(word) for word in old.split())
        found = re.search(pattern, self.text[start:end])
        assert found, (old, self.text[start:end])
        return Edit(start + found.start(), start + found.end(), new)

    def _said(self, node: ast.expr) -> str:
        return self.text[self._start(node) : self._end(node)]

    def _start(self, node: ast.AST) -> int:
        return self._offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]

    def _end(self, node: ast.AST) -> int:
        return self._offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def _offset(self, line: int, column: int) -> int:
        """The parser counts bytes."""
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())


def _tests(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.If() | ast.IfExp() | ast.While():
            return [node.test]
        case ast.comprehension():
            return node.ifs
        case ast.match_case(guard=ast.expr() as guard):
            return [guard]
    return []

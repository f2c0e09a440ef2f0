"""Mutants of regular expressions: each alternative left out, each optional group demanded and never allowed."""

import re
from collections.abc import Iterator

from tests.mutation.edits import Edit

GROUP = re.compile(r"\((?P<alternatives>[^()]*)\)(?P<optional>\??)")


def edits(pattern: str) -> Iterator[Edit]:
    for group in GROUP.finditer(pattern):
        if group["optional"]:
            yield Edit(group.start(), group.end(), "")
            yield Edit(group.start("optional"), group.end(), "")
        alternatives = group["alternatives"].split("|")
        for i in range(len(alternatives) if len(alternatives) > 1 else 0):
            rest = "|".join(alternatives[:i] + alternatives[i + 1 :])
            yield Edit(group.start("alternatives"), group.end("alternatives"), rest)

"""What goes into CSV is read by a spreadsheet, which must run none of it."""

import csv
import io

import pytest

from syncd.cli.screen import write_csv


def written(capsys: pytest.CaptureFixture[str], *cells: object) -> list[str]:
    """Write one row, and read it as a program does."""
    write_csv([cells])
    [row] = csv.reader(io.StringIO(capsys.readouterr().out, newline=""))
    return row


@pytest.mark.parametrize(
    "text",
    [
        "=cmd|' /C calc'!A0",
        "+1+cmd",
        "-1-1",
        "-",
        "@SUM(A1)",
        "\t=1+1",
        "-5\n",
        "--5",
        "+44 20 7946 0958",
        "-5,=1+1",
        '=HYPERLINK("http://x","y")',
    ],
)
def test_a_formula_stands_behind_an_apostrophe(capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert written(capsys, text, 7) == [f"'{text}", "7"]


def test_nor_does_a_carriage_return_hide_it(capsys: pytest.CaptureFixture[str]) -> None:
    write_csv([["\r=1+1", 7]])
    assert capsys.readouterr().out.startswith("'\r=1+1")


def test_numbers_and_all_other_texts_are_as_they_were(capsys: pytest.CaptureFixture[str]) -> None:
    cells = [7, -5, -0.25, "-5", "+5.00", "", None, "a=b", "it's", "7-8", "2026-11-24T08:00:00Z", 'say "so", he said']
    assert written(capsys, *cells) == ["" if cell is None else str(cell) for cell in cells]

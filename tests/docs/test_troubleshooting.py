"""docs/troubleshooting.md quotes texts that the code really prints."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/troubleshooting.md"
QUOTES = re.findall(r"^\| `([^`]+)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def printed() -> str:
    """All texts of the library, holes of f-strings as an ellipsis."""
    texts = []
    for path in sorted((ROOT / "pipeline").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [one.value if isinstance(one, ast.Constant) else "…" for one in node.values]
                texts.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return "\n".join(texts)


@pytest.mark.parametrize("quote", [one for one in QUOTES if one != "unable to acquire lock"])
def test_the_text_is_printed(printed: str, quote: str) -> None:
    pieces = [piece.strip() for piece in quote.split("…") if len(piece.strip()) > 3]
    assert pieces, quote
    for piece in pieces:
        assert piece in printed, piece


def test_the_page_has_a_table_for_every_part_of_the_way() -> None:
    assert len(QUOTES) > 30
    headings = re.findall(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[:5] == [
        "Setting up",
        "Corpora and downloads",
        "Preparing clips",
        "Training",
        "Models and generation",
    ]

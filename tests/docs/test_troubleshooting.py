"""docs/troubleshooting.md quotes texts that the code really prints, and all that tell a user to do something."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/troubleshooting.md"
FIRST_CELLS = re.findall(r"^\| (`.*?) \| ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
QUOTES = [cell.split("`")[1] for row in FIRST_CELLS for cell in row.split("<br>")]
OF_DVC = ("unable to acquire lock", "Checkout failed for following targets")
MESSAGES = ("PipelineError", "MediaError", "warn")


def text_of(node: ast.AST) -> str:
    """A text of the code, holes of f-strings as an ellipsis; empty for anything else."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def nodes() -> list[ast.AST]:
    """The library."""
    files = sorted((ROOT / "pipeline").rglob("*.py"))
    return [node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]


def pieces(quote: str) -> list[str]:
    """What of a quote is the same every time."""
    return [piece.strip() for piece in quote.split("…") if len(piece.strip()) > 1]


@pytest.fixture(scope="module")
def printed() -> list[str]:
    """All texts of the library."""
    return list(filter(None, map(text_of, nodes())))


@pytest.mark.parametrize("quote", [one for one in QUOTES if one not in OF_DVC])
def test_the_text_is_printed(printed: list[str], quote: str) -> None:
    assert pieces(quote), quote
    assert any(all(piece in text for piece in pieces(quote)) for text in printed), quote


def test_every_message_for_the_user_is_on_the_page() -> None:
    missing = []
    for node in nodes():
        if not (isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in MESSAGES):
            continue
        # A message that is put together elsewhere ("{path}: {reason}") has nothing of its own to search for.
        text = " ".join(map(text_of, node.args))
        if len(re.sub(r"\W", "", text)) > 25 and not any(all(one in text for one in pieces(quote)) for quote in QUOTES):
            missing.append(text)
    assert not missing, "\n".join(missing)


def test_the_page_has_a_table_for_every_part_of_the_way() -> None:
    headings = re.findall(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [
        "Setting up",
        "Corpora and downloads",
        "Preparing clips",
        "Training",
        "Models and generation",
        "The published weights",
        "Tracking",
        "After a run",
    ]

"""docs/troubleshooting.md quotes only messages of the code, and all of them that advise the user."""

import ast
import re

import pytest

from tests.docs.source import ROOT, library_nodes

PAGE = ROOT / "docs/troubleshooting.md"
FIRST_CELLS = re.findall(r"^\| (`.*?) \| ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
QUOTES = [cell.split("`")[1] for row in FIRST_CELLS for cell in row.split("<br>")]
OF_DVC = ("unable to acquire lock", "Checkout failed for following targets")
MESSAGES = ("PipelineError", "MediaError", "warn")


def text_of(node: ast.AST) -> str:
    """The text of a string or f-string, with an ellipsis for each placeholder; empty for other nodes."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def pieces(quote: str) -> list[str]:
    """The constant parts of a quote."""
    return [piece.strip() for piece in quote.split("…") if len(piece.strip()) > 1]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """All strings of the library."""
    return list(filter(None, map(text_of, library_nodes())))


@pytest.mark.parametrize("quote", [quote for quote in QUOTES if quote not in OF_DVC])
def test_the_code_contains_each_quote(texts: list[str], quote: str) -> None:
    assert pieces(quote), quote
    assert any(all(piece in text for piece in pieces(quote)) for text in texts), quote


def test_every_message_with_advice_is_quoted() -> None:
    missing = []
    for node in library_nodes():
        if not (isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in MESSAGES):
            continue
        # A message of placeholders alone ("{path}: {reason}") has no text to search for.
        text = " ".join(map(text_of, node.args))
        if len(re.sub(r"\W", "", text)) > 25 and not any(
            all(piece in text for piece in pieces(quote)) for quote in QUOTES
        ):
            missing.append(text)
    assert not missing, "\n".join(missing)


def test_the_sections_follow_the_pipeline() -> None:
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

"""README and docs are written in short sentences, without inverted clauses that readers must untangle."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "models/pretrained/README.md",
]
LONGEST_SENTENCE = 35
"""Words; code counts as one word, a number as none."""
INVERSIONS = {
    r"\b(?:of|in|from|by|to|with|on) (?:which|whom)\b": "make the relative clause a sentence of its own",
    r"\bwhat (?:is|are|has|was|were) [^.?]*? (?:is|are|has|was|were)\b": "name the thing instead of 'what is ... is'",
    r"(?:^|[.:;] )Nor (?:is|are|does|do|has|have|can)\b": "write 'X does not ... either'",
    r"\b(?:where|if) there is (?:none|one)\b": "repeat the noun",
    r"\b(?:strangers|people (?:never seen|whom))\b": "write 'unseen speakers'",
    r"\b(?:figures|mend|anew|hitherto|whereby|thereof|wherein|thereby)\b": "use the plain word",
}
"""Patterns that are not allowed, and what to write instead."""


def sentences_of(text: str) -> list[str]:
    """Sentences of paragraphs and list items; without code blocks, tables, headings, pictures and comments."""
    text = re.sub(r"^```.*?^```$|<!--.*?-->", "\n", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^(?: {4,}\S.*|\|.*|#.*|!\[.*)$", "\n", text, flags=re.MULTILINE)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)  # the words of a link
    text = re.sub(r"`[^`]*`", "CODE", text)
    text = re.sub(r"\*+", "", text)
    blocks = re.split(r"\n\s*\n|\n(?=\s*(?:- |\d+\. ))", text)
    flat = (" ".join(re.sub(r"^\s*(?:- |\d+\. )", "", block).split()) for block in blocks)
    return [sentence for block in flat for sentence in re.split(r"(?<=[.!?:])\s+", block) if sentence]


def words_of(sentence: str) -> int:
    return len(re.findall(r"[^\W\d_][\w'-]*", sentence))


def test_sentences_are_found_in_prose_alone() -> None:
    text = "# Heading\n\nOne. Two `a b c`:\n\n    code\n\n| a | b |\n|---|---|\n\n- An item\n  goes on.\n- Next.\n"
    assert sentences_of(text) == ["One.", "Two CODE:", "An item goes on.", "Next."]
    assert words_of("Two CODE of 128 px, 0.25 px:") == 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_sentences_are_short(page: Path) -> None:
    long = [
        f"{words_of(one)}: {one}" for one in sentences_of(page.read_text("utf-8")) if words_of(one) > LONGEST_SENTENCE
    ]
    assert not long, "split these sentences:\n" + "\n".join(long)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_clauses_are_not_inverted(page: Path) -> None:
    found = [
        f"{advice}: {sentence}"
        for sentence in sentences_of(page.read_text("utf-8"))
        for pattern, advice in INVERSIONS.items()
        if re.search(pattern, sentence, re.IGNORECASE)
    ]
    assert not found, "\n".join(found)

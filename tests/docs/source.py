"""The library's source as syntax trees, parsed once for all tests of the docs."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of one module."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def library_nodes() -> tuple[ast.AST, ...]:
    """All nodes of all modules of the library."""
    return tuple(node for path in sorted((ROOT / "pipeline").rglob("*.py")) for node in ast.walk(tree(path)))

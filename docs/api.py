"""Write the API reference from the docstrings of all public modules: `python docs/api.py [FOLDER]`. Default: docs/api.

A warning of pdoc, such as an unresolved name or a failed import, is an error.
"""

import sys
import warnings
from pathlib import Path

import pdoc
import pdoc.extract

ROOT = Path(__file__).parents[1]


def public_modules() -> list[str]:
    """Return all modules of the library, except those with a leading underscore in their name or folder."""
    parts = (path.relative_to(ROOT).with_suffix("").parts for path in (ROOT / "pipeline").rglob("*.py"))
    modules = (path[:-1] if path[-1] == "__init__" else path for path in parts)
    return sorted(".".join(path) for path in modules if not any(name.startswith("_") for name in path))


def build(out: Path) -> None:
    """Write one page per module, an index and a search."""
    specifications: list[str] = []
    covered: set[str] = set()
    for module in public_modules():  # pdoc leaves out modules that a package's __all__ does not name
        if module not in covered:
            specifications.append(module)
            covered.update(pdoc.extract.walk_specs([module]))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        pdoc.pdoc(*specifications, output_directory=out)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/api")

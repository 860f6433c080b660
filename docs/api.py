"""The API reference, from the docstrings of all public modules: `python docs/api.py [FOLDER]`, docs/api without one.

A warning of the tool (a name that cannot be resolved, a module that cannot be imported) ends it.
"""

import sys
import warnings
from pathlib import Path

import pdoc
import pdoc.extract

ROOT = Path(__file__).parents[1]


def public_modules() -> list[str]:
    """Every module of the library; what has a leading underscore, in its name or its folder's, is private."""
    parts = (path.relative_to(ROOT).with_suffix("").parts for path in (ROOT / "pipeline").rglob("*.py"))
    names = (one[:-1] if one[-1] == "__init__" else one for one in parts)
    return sorted(".".join(one) for one in names if not any(name.startswith("_") for name in one))


def build(out: Path) -> None:
    """Write one page per module, an index and a search."""
    specifications: list[str] = []
    covered: set[str] = set()
    for module in public_modules():  # of a package with __all__, pdoc takes only the modules that this names
        if module not in covered:
            specifications.append(module)
            covered.update(pdoc.extract.walk_specs([module]))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        pdoc.pdoc(*specifications, output_directory=out)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/api")

"""The words of the field, in code, help, messages and docs: one that the project no longer uses does not come back."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = "clip|stage|shard|frame|speaker|second|word|network|core|GPU|pass|process|window|step|tar|row|round|worker"
OLD = {
    rf"\b(one|once|rows?|clips|frames|windows?|values?|samples|panels|shards|columns?|steps) an? ({UNITS})\b": "per",
    r"\b[Ee]xample('s)? (picture|frame|image|landmarks|coefficients)\b|\bexample_(B|L|K|68x2)": "reference",
    r"\b[Mm]ade_[a-zB]|\bmade (frame|video|picture|face|clip)s?\b": "fake, or generated",
    r"\b[Ll]isteners?\b": "callback",
    r"\b[Ss]tretch(es)?\b": "chunk",
    r"\b[Pp]atien(ce|tly|t)\b": "time limit, retries or early stopping",
    r"\b_?[Ll]ook(s|ed|ing)?\b": "check, find or search",
    r"(?<!there )(?<!There )\b(is|are) no (?!longer|more|less|other|such)[a-z]": "is not a, or invalid",
    r"\b[Aa]new\b": "again",
    r"\b[Mm]end(s|ed|ing)?\b": "fix",
    r"\brights\b": "permissions",
    r"\b[Ff]igures\b": "metrics",
    r"\b[Rr]emark(s|ed)?\b": "warning",
    r"(?<!import-)(?<!ATVGNET_)\b(UPSTREAM|[Uu]pstream)\b": "published",
}
ALLOWED = {
    ("pipeline/config/file.py", "patience"),  # reads params of earlier versions
    ("tests/config/test_file.py", "patience"),
    ("pipeline/tracking/run.py", "figures"),  # the folder of matplotlib's figures in a run
    ("tests/tracking/test_stage.py", "figures"),
    ("tests/tracking/test_run.py", "figures"),
}


def texts() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    kinds = (".py", ".md", ".yaml", ".yml", ".sbatch", ".toml")
    skipped = (Path(__file__).relative_to(ROOT).as_posix(), "CHANGELOG.md")
    return [ROOT / name for name in listed.split("\0") if name.endswith(kinds) and name not in skipped]


@pytest.mark.parametrize("old", OLD)
def test_no_old_word(old: str) -> None:
    found = []
    for path in texts():
        if not path.exists():
            continue
        name = path.relative_to(ROOT).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = re.search(old, line)
            if match and (name, match[0]) not in ALLOWED:
                found.append(f"{name}:{number}: {match[0]!r}; say {OLD[old]}")
    assert not found, "\n".join(found)

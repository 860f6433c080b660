"""The embedded corpus is made for the corpora that have it, and for no other."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config.params import Params
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import SYNTHETIC
from pipeline.tracking import Run
from stages import sample
from stages.runner import Context
from tests.corpora.sections import default_sections


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project whose corpus was the embedded one until now."""
    monkeypatch.chdir(tmp_path)
    (SYNTHETIC / "s1").mkdir(parents=True)


def run(corpus: str, of: tuple[str, ...]) -> None:
    sections = default_sections()
    sections["sample"] |= {"speakers": 0}
    sections["union"] |= {"of": of}
    params = replace(Params(), corpus=corpus, corpora=sections)
    sample.main(Context(params, Run(None), Path.cwd(), jobs=1))


@pytest.mark.parametrize(("corpus", "of"), [("folder", ("sample",)), ("union", ("folder", "portraits"))])
def test_another_corpus_leaves_an_empty_folder(corpus: str, of: tuple[str, ...]) -> None:
    run(corpus, of)
    assert list(SYNTHETIC.iterdir()) == []


@pytest.mark.parametrize(("corpus", "of"), [("sample", ("folder",)), ("union", ("folder", "sample"))])
def test_a_corpus_that_has_it_makes_it(corpus: str, of: tuple[str, ...]) -> None:
    """The stage takes up the section of the embedded corpus, which no clip can be made of here."""
    with pytest.raises(PipelineError, match=r"corpora\.sample"):
        run(corpus, of)
    assert (SYNTHETIC / "s1").exists()

"""The embedded corpus: synthetic people who say GRID's sentences, so that the whole pipeline runs with no download."""

from pipeline.corpora.synthetic.build import build_synthetic

__all__ = ["build_synthetic"]

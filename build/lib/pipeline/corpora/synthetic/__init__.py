"""The embedded corpus: synthetic people who say GRID's sentences, so that the whole pipeline runs with no download."""

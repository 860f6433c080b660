"""Which version has the alias: real registrations in a real database, each evaluation as the pipeline writes it."""

from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from pipeline.tracking.best import Judgement, compete, digest

MODEL = "atvgnet-atnet"
FULL, SUBSET, OTHER = digest(["a", "b", "c"]), digest(["a"]), digest(["a", "b", "d"])


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One for all tests here, since making one takes seconds."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"
    MlflowClient(uri).search_experiments()
    return uri


class Registry:
    """A fresh model of the database and its versions, each logged by a run of its own."""

    def __init__(self, uri: str, folder: Path) -> None:
        self.client = MlflowClient(uri, registry_uri=uri)
        self.folder = folder
        self.model = f"{MODEL}-{folder.name}"
        self.client.create_registered_model(self.model)

    def train(self) -> str:
        """A new version; the id of its run."""
        run = self.client.create_run("0").info.run_id
        self.client.create_model_version(self.model, str(self.folder), run)
        return str(run)

    def evaluate(self, run: str, value: float, clips: str = FULL, partner: str = "good", corpus: str = "sample") -> Any:
        """Judge the version of `run`; the numbers that the aliases name then."""
        judgement = Judgement("at_vg.lmd", value, corpus, clips, clips != SUBSET, partner)
        compete(self.client, self.model, {run}, judgement)
        return self.best()

    def best(self, corpus: str = "") -> int:
        """The version that the alias names."""
        aliases = self.client.get_registered_model(self.model).aliases
        return int(aliases[f"best-{corpus}" if corpus else "best"])

    def tags(self, version: int) -> dict[str, str]:
        """Of a version."""
        return dict(self.client.get_model_version(self.model, str(version)).tags)


@pytest.fixture
def registry(database: str, tmp_path: Path) -> Registry:
    return Registry(database, tmp_path)


def test_the_lowest_is_best_and_not_a_number_is_not(registry: Registry) -> None:
    values = [2.0, float("nan"), 2.5, 1.5, 1.5]
    assert [registry.evaluate(registry.train(), value) for value in values] == [1, 1, 1, 4, 4]
    tags = registry.tags(4)
    assert (tags["best.metric"], tags["best.value"], tags["best.judged_on"]) == ("at_vg.lmd", "1.5", "sample")
    assert (tags["best.clips"], tags["best.partner"]) == (FULL, "good")


def test_the_first_not_a_number_gives_way(registry: Registry) -> None:
    assert [registry.evaluate(registry.train(), value) for value in (float("nan"), 9.0)] == [1, 2]


def test_a_poor_partner_takes_nothing_from_a_version(registry: Registry) -> None:
    """AT-net v1 with a poor VG-net, and then a training of a few steps with either."""
    first = registry.train()
    assert registry.evaluate(first, 0.6) == 1
    assert registry.evaluate(first, 2.5, partner="poor") == 1
    assert registry.evaluate(first, float("nan"), partner="broken") == 1
    assert registry.tags(1)["best.value"] == "0.6"
    short = registry.train()
    assert registry.evaluate(short, 0.9) == 1
    assert registry.evaluate(short, 2.4, partner="poor") == 1
    assert registry.evaluate(registry.train(), 0.5, partner="never seen before") == 1
    assert registry.evaluate(registry.train(), 0.55) == 4


def test_a_better_partner_is_what_later_versions_are_compared_with(registry: Registry) -> None:
    first, second = registry.train(), registry.train()
    assert registry.evaluate(first, 0.6) == 1
    assert registry.evaluate(first, 0.5, partner="better") == 1
    assert registry.tags(1)["best.value"] == "0.5"
    assert registry.evaluate(second, 0.55) == 1
    assert registry.evaluate(second, 0.45, partner="better") == 2


def test_some_of_the_clips_decide_nothing(registry: Registry) -> None:
    first, second = registry.train(), registry.train()
    assert registry.evaluate(first, 0.6) == 1
    assert registry.evaluate(second, 0.1, clips=SUBSET) == 1
    assert registry.evaluate(first, 0.2, clips=SUBSET) == 1
    assert registry.tags(1)["best.value"] == "0.6"
    assert registry.evaluate(second, 0.7) == 1
    assert registry.tags(2)["best.value"] == "0.7"
    assert registry.evaluate(second, 0.5) == 2


def test_the_whole_split_counts_more_than_what_came_first(registry: Registry) -> None:
    first, second = registry.train(), registry.train()
    assert registry.evaluate(first, 0.3, clips=SUBSET) == 1
    assert registry.evaluate(second, 0.2, clips=SUBSET) == 2
    assert registry.evaluate(first, 0.6) == 1
    assert registry.evaluate(second, 0.5) == 2


def test_another_test_split_starts_anew(registry: Registry) -> None:
    first, second = registry.train(), registry.train()
    assert registry.evaluate(first, 0.6) == 1
    assert registry.evaluate(second, 0.9, clips=OTHER) == 2
    assert registry.evaluate(first, 0.8, clips=OTHER) == 1
    assert registry.tags(1)["best.value"] == "0.8"


def test_each_corpus_has_its_own(registry: Registry) -> None:
    registry.evaluate(registry.train(), 0.6)
    assert registry.evaluate(registry.train(), 3.0, corpus="grid") == 2
    assert (registry.best("sample"), registry.best("grid")) == (1, 2)
    assert registry.evaluate(registry.train(), 0.5) == 3
    assert (registry.best("sample"), registry.best("grid")) == (3, 2)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_in_which_parallel_experiments_end_does_not_matter(
    registry: Registry, order: tuple[int, ...]
) -> None:
    runs, values = [registry.train() for _ in range(3)], [0.6, 0.4, 0.5]
    assert [registry.evaluate(runs[one], values[one]) for one in order][-1] == 2


def test_a_version_of_before_gives_way_to_the_first_whole_evaluation(registry: Registry) -> None:
    first = registry.train()
    registry.client.set_registered_model_alias(registry.model, "best-sample", "1")
    registry.client.set_registered_model_alias(registry.model, "best", "1")
    registry.client.set_model_version_tag(registry.model, "1", "best.value", "0.1")
    assert registry.evaluate(registry.train(), 0.5, clips=SUBSET) == 1
    assert registry.evaluate(registry.train(), 0.7) == 3
    assert registry.evaluate(first, 0.6) == 1


def test_a_run_without_a_version_has_nothing_to_judge(registry: Registry) -> None:
    registry.client.create_run("0")
    compete(registry.client, registry.model, {"none"}, Judgement("at_vg.lmd", 1.0, "sample", FULL, True))
    assert registry.client.get_registered_model(registry.model).aliases == {}

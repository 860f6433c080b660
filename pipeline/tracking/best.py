"""The best registered version of a model: the one with the alias `best`.

Each version has a value: the lowest that it reached on the test split. Values are compared only if they come from equal
evaluations: on the same clips, and with the same partner network (AT-net's landmarks are painted by a VG-net).
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

BEST = "best"  # alias of the version with the lowest value
METRIC, VALUE, JUDGED_ON = "best.metric", "best.value", "best.judged_on"
CLIPS, PARTNER, OWN = "best.clips", "best.partner", "best.evaluation"  # tags of the value, and of its evaluation
JUDGED = "judged"  # prefix of the tags that hold a version's value in each evaluation


@dataclass(frozen=True)
class Judgement:
    """The value of one model in one evaluation."""

    metric: str  # flat name of the metric; the lowest value is best
    value: float
    corpus: str
    clips: str  # identifies the evaluated clips: `digest` of their ids
    whole: bool  # whether these were all clips of the test split
    partner: str = ""  # identifies the other network that the value depends on: `digest` of it; empty if there is none

    @property
    def key(self) -> str:
        """The tag that holds the value; versions are comparable if they have the same tag."""
        return ".".join(filter(None, (JUDGED, self.metric, self.corpus, self.clips, self.partner)))


def digest(parts: Iterable[str]) -> str:
    """A short name for a list of texts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def compete(client: Any, model: str, makers: set[str], judgement: Judgement) -> None:
    """Record `judgement` on the latest version of `model` that one of the runs `makers` logged; update the aliases.

    `best-CORPUS` names the best version on a corpus, and `best` the one on the corpus that was evaluated last. The
    aliases move to the version with the lowest value in

    - this evaluation, if there is no best version yet, or if it covers the whole test split and the value of the best
      version comes from other clips (the test split has changed);
    - otherwise the evaluation that the best version's value comes from.

    So an evaluation of a part of the test split, or with another partner, is recorded but moves no alias.
    """
    queries = (f"name = '{model}' and run_id = '{run_id}'" for run_id in makers)
    versions = [version for query in queries for version in client.search_model_versions(query)]
    if not versions:
        return
    latest = max(versions, key=lambda version: int(version.version))
    for tag, content in _tags(latest.tags, judgement).items():
        client.set_model_version_tag(model, latest.version, tag, content)

    best = client.get_registered_model(model).aliases.get(f"{BEST}-{judgement.corpus}")
    best_tags = client.get_model_version(model, best).tags if best else {}
    key = judgement.key if not best or _replaces(judgement, best_tags) else best_tags.get(OWN)
    # All versions of that evaluation compete, not only this one and the best: then the order in which parallel
    # experiments end does not matter, nor whether a version is judged twice.
    comparable = client.search_model_versions(f"name = '{model}' and tags.`{key}` != ''", max_results=1000)

    def rank(version: Any) -> tuple[bool, float, int]:
        """The lowest value first, NaN last, the older of two equals first."""
        value = float(version.tags[str(key)])
        return math.isnan(value), value, int(version.version)

    if comparable:
        winner = min(comparable, key=rank)
        for alias in (BEST, f"{BEST}-{judgement.corpus}"):
            client.set_registered_model_alias(model, alias, winner.version)


def _tags(earlier: Mapping[str, str], judgement: Judgement) -> dict[str, str]:
    """New tags of a version that has the tags `earlier`: its value in this evaluation and, if it changes, its own."""
    value = repr(judgement.value)
    tags = {judgement.key: value}
    own = float(earlier[VALUE]) if earlier.get(CLIPS) == judgement.clips else -math.inf
    lower = judgement.value < own or math.isnan(own)
    if OWN not in earlier or _replaces(judgement, earlier) or lower:
        tags |= {OWN: judgement.key, METRIC: judgement.metric, VALUE: value, JUDGED_ON: judgement.corpus}
        tags |= {CLIPS: judgement.clips, PARTNER: judgement.partner}
    return tags


def _replaces(judgement: Judgement, tags: Mapping[str, str]) -> bool:
    """Whether `judgement` covers the whole test split, and the value in `tags` comes from other clips."""
    return judgement.whole and (tags.get(JUDGED_ON), tags.get(CLIPS)) != (judgement.corpus, judgement.clips)

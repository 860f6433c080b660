"""Which registered version is the best: each has its own value, and only values of the same evaluation are compared.

Two evaluations are alike that were made on the same clips and with the same partner: AT-net shows its worth only in
what VG-net paints, so a poor VG-net says nothing against it.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

BEST = "best"
"""Alias of the registered version with the lowest deciding metric."""

METRIC, VALUE, JUDGED_ON = "best.metric", "best.value", "best.judged_on"
CLIPS, PARTNER, OWN = "best.clips", "best.partner", "best.evaluation"
"""Tags of a version: its own value, which is the lowest it had on the test split, and the evaluation that is from."""

JUDGED = "judged"
"""How the tags begin that keep a version's value in each evaluation."""


@dataclass(frozen=True)
class Judgement:
    """One value of one model, and what it hangs on."""

    metric: str
    """Of which the lowest is best; its flat name."""
    value: float
    corpus: str
    clips: str
    """Which clips were evaluated: `digest` of their ids."""
    whole: bool
    """Whether they were all of the test split."""
    partner: str = ""
    """Which other network the value hangs on: `digest` of it; empty where there is none."""

    @property
    def key(self) -> str:
        """The tag of a version that holds its value: the same for versions that may be compared."""
        return ".".join(filter(None, (JUDGED, self.metric, self.corpus, self.clips, self.partner)))


def digest(parts: Iterable[str]) -> str:
    """A short name for a list of texts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def compete(client: Any, model: str, makers: set[str], judgement: Judgement) -> None:
    """Write `judgement` to the latest version of `model` that one of the runs `makers` logged, and move the aliases.

    `best-CORPUS` names the best version on a corpus, and `best` that of the corpus judged last. The holder gives an
    alias away to a version with a lower value in the evaluation that the holder's own value is from, and where the test
    split as a whole has come to be of other clips. An evaluation of some of its clips, or with another partner, is
    written down and decides nothing.
    """
    versions = [
        found
        for run_id in makers
        for found in client.search_model_versions(f"name = '{model}' and run_id = '{run_id}'")
    ]
    if not versions:
        return
    latest = max(versions, key=lambda found: int(found.version))
    for tag, content in _tags(latest.tags, judgement).items():
        client.set_model_version_tag(model, latest.version, tag, content)
    holder = client.get_registered_model(model).aliases.get(f"{BEST}-{judgement.corpus}")
    own = client.get_model_version(model, holder).tags if holder else {}
    key = judgement.key if not holder or _supersedes(judgement, own) else own.get(OWN)
    # The lowest of all that were judged alike, not just of this one and the holder: so it does not matter in
    # which order parallel experiments end, or whether a version is judged again.
    alike = client.search_model_versions(f"name = '{model}' and tags.`{key}` != ''", max_results=1000)
    if alike:
        winner = min(alike, key=lambda found: _rank(found, str(key)))
        for alias in (BEST, f"{BEST}-{judgement.corpus}"):
            client.set_registered_model_alias(model, alias, winner.version)


def _tags(earlier: Mapping[str, str], judgement: Judgement) -> dict[str, str]:
    """What a version with the tags `earlier` is tagged with: the value, and its own one where that is another now."""
    value = repr(judgement.value)
    tags = {judgement.key: value}
    own = float(earlier[VALUE]) if earlier.get(CLIPS) == judgement.clips else -math.inf
    lower = judgement.value < own or math.isnan(own)
    if OWN not in earlier or _supersedes(judgement, earlier) or lower:
        tags |= {OWN: judgement.key, METRIC: judgement.metric, VALUE: value, JUDGED_ON: judgement.corpus}
        tags |= {CLIPS: judgement.clips, PARTNER: judgement.partner}
    return tags


def _supersedes(judgement: Judgement, own: Mapping[str, str]) -> bool:
    """Whether values as that of the version tagged `own` are no longer what counts: the test split is another one."""
    return judgement.whole and (own.get(JUDGED_ON), own.get(CLIPS)) != (judgement.corpus, judgement.clips)


def _rank(version: Any, key: str) -> tuple[bool, float, int]:
    """Order of versions: the lowest value first, NaN last, the older of two equals first."""
    value = float(version.tags[key])
    return math.isnan(value), value, int(version.version)

"""AT-net's landmark errors on unseen voices, by speech features and training voices.

    python benchmarks/voices.py make data/raw/voices --grid /path/to/grid
    atvgnet use grid --root data/raw/voices && dvc repro mfcc
    python benchmarks/voices.py measure --sets s1 many --features mfcc log_mel:clip --variants 0 4 --seeds 0 1

`make` adds synthetic speakers to GRID's own (linked) speakers, in GRID's layout. Speakers from s101 on have many voices
for training. Speakers from s201 on have other voices, in English; with the same voices, speakers from s301 on speak
German and from s401 on French. `measure` trains on s1 alone, or on s1 and the voices. It prints the mean error of the
mouth's points (px of the face, each frame less its mean position, as LMD) on unseen sentences of s1, GRID's other
speakers, unseen voices and both languages, next to the error of a face that does not move.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.bundles.networks import load_model
from pipeline.config.params import Mfcc, SpeechKind
from pipeline.config.training import AtNetParams
from pipeline.corpora.split import rank
from pipeline.landmarks.pca import LandmarkModel, fit_model
from pipeline.models.atnet import AtNet
from pipeline.runtime import paths
from pipeline.shards.clip_store import ClipStore
from pipeline.speech.espeak import Voice
from pipeline.speech.features import SpeechFeatures
from pipeline.speech.normalisation import InitialStatistics, Statistics
from pipeline.speech.variants import variant
from pipeline.synthetic.clip import ClipPlan, make_clip
from pipeline.synthetic.sentences import Sentence, draw_sentences
from pipeline.synthetic.speakers import draw_appearances
from pipeline.training.atnet import AtNetTask
from pipeline.training.data import StoreSource
from pipeline.training.loop import train

KNOWN = (
    "m1", "f1", "m2", "f2", "m3", "f3", "m4", "f4", "m5", "m6", "Alex", "Alicia", "Andrea", "Andy", "Annie", "Denis",
    "Gene", "Henrique", "Hugo", "Jacky", "Lee", "Marco", "Mario", "Michael",
)  # fmt: skip
UNSEEN = ("m7", "f5", "linda", "john", "steph", "max")
"""Variants of espeak-ng; each is a voice."""
ACCENTS = ("en-us", "en-gb-x-rp", "en-us", "en-gb-scotland", "en-029", "en-us-nyc", "en-gb-x-gbclan", "en-gb-x-gbcwmd")
SENTENCES, TEST_SENTENCES = 8, 3
GERMAN = (
    "der kleine junge läuft über die grüne wiese", "morgen früh fahren wir nach münchen zum fest",
    "bitte bringen sie mir noch zwei bücher", "ich möchte heute abend schöne musik hören",
    "das pferd springt über den breiten fluss", "meine mutter kauft fünf äpfel auf dem markt",
    "die sonne scheint warm durch das fenster", "wir haben gestern einen guten film gesehen",
    "er öffnet die tür und grüßt freundlich", "im winter liegt viel schnee auf den bergen",
    "die vögel singen laut in den alten bäumen", "kannst du mir bitte den schlüssel geben",
    "unser nachbar baut ein neues haus am see", "sie trinkt jeden morgen eine tasse kaffee",
    "der zug nach köln fährt um zwölf uhr", "das mädchen spielt mit einem bunten ball",
    "viele leute wohnen gern in der stadt", "pass bitte auf die offene treppe auf",
)  # fmt: skip
FRENCH = (
    "le petit garçon mange une pomme rouge", "demain matin nous partons pour bordeaux",
    "je voudrais deux croissants et du beurre", "la lune brille sur la haute montagne",
    "mon frère joue souvent dans le jardin", "il pleut beaucoup pendant le mois de juin",
    "elle chante une belle chanson pour sa fille", "nous prenons toujours le train de huit heures",
    "les enfants courent vite vers la rivière", "ton oncle travaille dans un grand bureau",
    "cette rue mène tout droit vers le pont", "un bon vin rouge vient de cette région",
    "le soleil se lève derrière les nuages", "ma voisine achète du pain tous les jours",
    "vous pouvez fermer la porte de la cuisine", "le chat noir dort sous une vieille chaise",
    "son père répare une voiture bleue", "quelques feuilles tombent sur le chemin",
)  # fmt: skip
Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Line(Sentence):
    """A numbered sentence of another language."""

    number: int = 0

    @property
    def name(self) -> str:
        """The file's name."""
        return f"line{self.number:02}"


def plans() -> Iterator[ClipPlan]:
    """All synthetic clips."""
    random = np.random.default_rng(11)
    faces = iter(draw_appearances(len(KNOWN) + 3 * len(UNSEEN), 7))
    english = iter(draw_sentences(SENTENCES * len(KNOWN) + TEST_SENTENCES * len(UNSEEN), random))
    others = {"de": iter(GERMAN), "fr": iter(FRENCH)}
    speakers = [(101 + i, ACCENTS[i % len(ACCENTS)], name) for i, name in enumerate(KNOWN)]
    for first, language in ((201, "en-us"), (301, "de"), (401, "fr")):
        speakers += [(first + i, language, name) for i, name in enumerate(UNSEEN)]
    for speaker, language, name in speakers:
        rate, pitch, spread = (int(random.integers(*ends)) for ends in ((140, 185), (35, 65), (40, 70)))
        voice = Voice(f"{language}+{name}", rate, pitch, spread)
        appearance = replace(next(faces), speaker=f"s{speaker}", voice=voice)
        for number in range(SENTENCES if speaker < 200 else TEST_SENTENCES):
            lines = others.get(language)
            sentence = Line(tuple(next(lines).split()), number) if lines else next(english)
            yield ClipPlan(appearance, sentence, (99, speaker, number))


def make(folder: Path, grid: Path) -> None:
    """Write the corpus with GRID's speakers and synthetic speakers."""
    folder.mkdir(parents=True)
    (folder / "alignments").mkdir()
    for speaker in grid.glob("s[0-9]*"):
        (folder / speaker.name).symlink_to(speaker.absolute())
        (folder / "alignments" / speaker.name).symlink_to((grid / "alignments" / speaker.name).absolute())
    for plan in plans():
        make_clip(plan, folder)


class FeatureStore(ClipStore):
    """Some of the project's clips, with speech features by ``params`` instead of those in data/mfcc."""

    def __init__(self, clips: list[str], params: Mfcc, initial: InitialStatistics | None = None) -> None:
        super().__init__(paths.DATA)
        self.chosen, self.params = clips, params
        self.features = SpeechFeatures.of(params.window, params.kind, params.normalise, initial)
        self.mfcc = cache(self._mfcc)  # type: ignore[method-assign]
        self.variant = cache(self._variant)  # type: ignore[method-assign]

    def ids(self, split: str) -> list[str]:
        return self.chosen

    def variants(self, clip: str) -> int:
        return self.params.variants

    def digest(self, clips: object, *, speech: bool) -> str:
        return repr((clips, self.params))

    def _mfcc(self, clip: str) -> NDArray[np.float32]:
        return self.features.finish(self.features.compute(self.samples(clip)))

    def _variant(self, clip: str, number: int) -> tuple[NDArray[np.float32], float]:
        changed = variant(self.samples(clip), self.features, self.params, clip, number)
        return self.features.finish(changed.rows_RC), changed.rate


def parts() -> dict[str, list[str]]:
    """The project's clips by their use. s1 has 40 sentences for testing and 30 for validation."""
    store = ClipStore(paths.DATA)
    every = sorted((clip for split in ("train", "val", "test") for clip in store.ids(split)), key=lambda c: rank(0, c))
    number = {clip: int(store.speaker(clip)[1:]) for clip in every}
    s1 = [clip for clip in every if number[clip] == 1]
    last = 100 + len(KNOWN) - 1
    return {
        "s1": s1[70:],
        "s1, validation": s1[40:70],
        "voices": [clip for clip in every if 100 < number[clip] < last],
        "voices, validation": [clip for clip in every if last <= number[clip] < 200],
        "s1, new sentences": s1[:40],
        "GRID, others": [clip for clip in every if 1 < number[clip] < 100],
        "new voices": [clip for clip in every if 200 < number[clip] < 300],
        "German": [clip for clip in every if 300 < number[clip] < 400],
        "French": [clip for clip in every if 400 < number[clip] < 500],
    }


TESTS = ("s1, new sentences", "GRID, others", "new voices", "German", "French")
SETS = {"s1": ("s1",), "voices": ("voices",), "many": ("s1", "voices")}


def error(fake_T68x2: NDArray[np.floating], real_T68x2: NDArray[np.floating]) -> float:
    """Mean distance of the mouth's points in px, over all frames except the reference."""
    fake, real = (points[1:, 48:] - points[1:, 48:].mean(axis=1, keepdims=True) for points in (fake_T68x2, real_T68x2))
    return float(np.linalg.norm(fake - real, axis=2).mean())


def measured(network: AtNet, model: LandmarkModel, store: FeatureStore) -> tuple[float, float]:
    """Mean errors of the network and of a face that does not move, over the store's clips."""
    errors = []
    for clip in store.chosen:
        points = store.points(clip)
        reference_L = model.normalize(points[:1])[0]
        reference_K = model.project(reference_L)
        with torch.inference_mode():
            coefficients = network(
                torch.from_numpy(reference_K)[None], torch.from_numpy(store.windows(clip))[None, :, None]
            )
        moved_T68x2 = model.place(model.move(reference_L, reference_K, coefficients[0].numpy()), points[0])
        errors.append((error(moved_T68x2, points), error(np.broadcast_to(points[:1], points.shape), points)))
    moved, still = np.mean(errors, axis=0)
    return float(moved), float(still)


def counted(clips: list[str], kind: SpeechKind) -> InitialStatistics:
    """The initial statistics of adaptive normalisation for these clips."""
    store = FeatureStore(clips, Mfcc(kind=kind))
    statistics = Statistics(store.features.coefficients)
    for clip in clips:
        statistics.add(store.mfcc(clip))
    return statistics.initial()


def measure(options: argparse.Namespace) -> None:
    """Train each combination and print a row for it."""
    clips = parts()
    print("| trained on | hears | variants | seed |", *(f"{name} |" for name in TESTS))
    for name, hears, variants, seed in product(options.sets, options.features, options.variants, options.seeds):
        kind, _, normalise = hears.partition(":")
        plain = Mfcc(kind=kind, normalise=normalise or "none")
        trained = [clip for part in SETS[name] for clip in clips[part]]
        checked = [clip for part in SETS[name] for clip in clips[f"{part}, validation"]]
        initial = counted(trained, kind) if plain.normalise == "adaptive" else None
        training = FeatureStore(trained, replace(plain, variants=variants), initial)
        validation = FeatureStore(checked, plain, initial)
        model = fit_model((training.points(clip) for clip in trained), 6)
        sources = [StoreSource(store, model, "train", speech=True) for store in (training, validation)]
        params = AtNetParams(width=options.width, steps=options.steps)
        task = AtNetTask(sources[0], sources[1], params, seed)
        with tempfile.TemporaryDirectory() as folder:
            train(task, Path(folder) / "out", Path(folder) / "resume")
            network, _ = load_model(Path(folder) / "out", "model")
        assert isinstance(network, AtNet)
        cells = [measured(network, model, FeatureStore(clips[test], plain, initial)) for test in TESTS]
        print(
            f"| {name} | {hears} | {variants} | {seed} |", *(f"{moved:.3f} ({still:.3f}) |" for moved, still in cells)
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(required=True, dest="action")
    making = actions.add_parser("make")
    making.add_argument("folder", type=Path)
    making.add_argument("--grid", type=Path, required=True)
    measuring = actions.add_parser("measure")
    measuring.add_argument("--sets", nargs="+", default=["s1", "many"], choices=SETS)
    measuring.add_argument(
        "--features", nargs="+", default=["mfcc"], help="mfcc, log_mel, mfcc:clip, log_mel:adaptive, ..."
    )
    measuring.add_argument("--variants", type=int, nargs="+", default=[0])
    measuring.add_argument("--seeds", type=int, nargs="+", default=[0])
    measuring.add_argument("--steps", type=int, default=600)
    measuring.add_argument("--width", type=int, default=16)
    options = parser.parse_args()
    if options.action == "make":
        make(options.folder, options.grid)
    else:
        measure(options)


if __name__ == "__main__":
    main()

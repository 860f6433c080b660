"""Whether lips move with speech in languages other than English, on which the models were trained.

AT-net moves one face for a synthetic sentence of each language and, with `--recordings`, for real speech. Printed are
the movement of the mouth (`measure_movement`, pixels of a 128x128 face: speech has 0.25 and more, a still picture 0 to
0.13), the correlation of its opening with the level of the speech, and its mean opening in eye distances, both for
phonemes that close the lips (p, b, m) and for open vowels (as in "father").

    python benchmarks/languages.py
    python benchmarks/languages.py --recordings FOLDER   # sound files by language: FOLDER/de/*.ogg, ...
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from pipeline.faces.lips import measure_movement, speech_level
from pipeline.inference.generator import Generator
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.shape import mouth_opening
from pipeline.media import read_audio
from pipeline.runtime.clock import RATE, frames_of
from pipeline.speech.espeak import RATE as ESPEAK_RATE
from pipeline.speech.espeak import Voice, synthesise
from pipeline.speech.phonemes import Phoneme, phonemes_of_frames

SENTENCES = {
    "en-us": "my brother bought a big blue map from the farm shop before the market opened",
    "de": "meine mutter backt am abend immer apfelkuchen und papa malt bunte bilder",
    "fr": "ma maman prépare un bon repas pour mon ami qui habite à bordeaux",
    "es": "mi mamá compra pan blanco y bebe agua con mi amigo pablo en la playa",
    "cmn": "妈 妈 买 了 八 本 新 书 爸 爸 跑 步 回 家 吃 饭",
    "ru": "моя мама купила большую белую рыбу и поставила вазу на пол",
    "ar": "ماما تقرأ كتابا كبيرا في باب البيت مع بابا",
    "hi": "मेरी माँ बाज़ार में आम और पपीता खरीद रही है",
}
PLACES = 5  # recordings of a language, joined with pauses


def spoken(language: str) -> tuple[NDArray[np.int16], NDArray[np.int8]]:
    """16 kHz samples (N,) of the language's sentence, and the phonemes of its frames."""
    samples, phonemes, now = [], [], 0.0
    for word in SENTENCES[language].split():
        speech = synthesise([word], Voice(language, 165, 50, 50))
        phonemes += [replace(sound, start=now + sound.start, end=now + sound.end) for sound in speech.phonemes]
        samples.append(speech.samples_N)
        now += len(speech.samples_N) / ESPEAK_RATE
    samples_N = (soxr.resample(np.concatenate(samples), ESPEAK_RATE, RATE) * 32767).astype(np.int16)
    return samples_N, phonemes_of_frames(phonemes, frames_of(len(samples_N)))


def openings(generator: Generator, samples_N: NDArray[np.int16]) -> tuple[NDArray[np.float64], float]:
    """The opening (T,) and the movement of the mouth that AT-net predicts."""
    points = np.concatenate([chunk.points_T68x2 for chunk in generator.speak([samples_N])])
    return mouth_opening(points), measure_movement(points, np.ones(len(points), bool))


def with_level(opening_T: NDArray[np.float64], samples_N: NDArray[np.int16]) -> float:
    """The correlation of the opening with the level of the speech, at the best lag of up to 3 frames."""
    level_T = speech_level(samples_N)
    frames = min(len(level_T), len(opening_T)) - 3
    lagged = (np.corrcoef(level_T[:frames], opening_T[lag : lag + frames])[0, 1] for lag in range(4))
    return float(max(lagged))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-p", "--picture", type=Path, default=Path("docs/pictures/face.jpg"))
    parser.add_argument("--recordings", type=Path)
    options = parser.parse_args()
    generator = Generator(TalkingHead.from_pretrained(), options.picture, Settings(crop=True, blink=False))
    print("language      movement  with level  closed  open")
    for language in SENTENCES:
        samples_N, phonemes_T = spoken(language)
        opening_T, movement = openings(generator, samples_N)
        shut, wide = (opening_T[phonemes_T == kind].mean() for kind in (Phoneme.BILABIAL, Phoneme.OPEN_VOWEL))
        level = with_level(opening_T, samples_N)
        print(f"{language:<13} {movement:8.2f}  {level:10.2f}  {shut:6.3f}  {wide:5.3f}")
    for folder in sorted(options.recordings.iterdir()) if options.recordings else []:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        chosen = [files[at] for at in np.linspace(0, len(files) - 1, PLACES).astype(int)]
        pause = np.zeros(RATE // 4, np.int16)
        samples_N = np.concatenate([part for path in chosen for part in (read_audio(path), pause)])
        opening_T, movement = openings(generator, samples_N)
        print(f"{folder.name + ', real':<13} {movement:8.2f}  {with_level(opening_T, samples_N):10.2f}")


if __name__ == "__main__":
    main()

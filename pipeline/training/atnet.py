"""Training of AT-net: the squared error of the coefficients, optionally with more weight on the mouth."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.bundles.network_files import read_model
from pipeline.config.params import Params
from pipeline.config.training import AtNetParams
from pipeline.config.windows import require_long_clips
from pipeline.landmarks.points import COUNT
from pipeline.landmarks.shape import lip_gap
from pipeline.models.atnet import AtNet
from pipeline.models.losses import coefficient_loss, spread_loss
from pipeline.models.speech_embedding import SpeechEmbedding
from pipeline.runtime import paths
from pipeline.runtime.devices import autocast
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath
from pipeline.shards.initial import read_initial
from pipeline.speech.features import PER_FRAME, SpeechFeatures, windows
from pipeline.speech.mel import EMBEDDING_BANDS
from pipeline.training.callbacks import Callback
from pipeline.training.data import StoreSource, Stream, Window, drawn_variant, validation_windows
from pipeline.training.loop import train
from pipeline.training.pictures import draw_curves
from pipeline.training.sources import open_sources
from pipeline.training.start_from_bundle import Start, open_start
from pipeline.training.task import Task, Validation

VALIDATION_CLIPS = 64  # largest number of clips of the validation split
VALIDATION_FRAMES = 250  # largest number of frames of each: 10 s
EMBEDDING = paths.PRETRAINED / "speech_embedding"

SILENT_WINDOWS = 0.08
"""Share of the windows that hear silence, with `encoder: embedding`. Clips have hardly any that lasts, and without
these windows the lips part in silence."""


class AtBatch(NamedTuple):
    """Speech, and the coefficients to predict from it."""

    reference_BK: Tensor
    windows_BT1RC: Tensor
    coefficients_BTK: Tensor


class AtNetTask(Task[AtNetParams]):
    """AT-net, its optimiser and its loss, for the training loop."""

    name = "atnet"
    criterion = "loss"
    architecture = AtNet  # the network's class; another network is a subclass

    def build(self, start: Start | None) -> None:
        """See `Task`."""
        source, params = self.source_train, self.params
        self.checked = validation_windows(self.source_val.lengths, 1, VALIDATION_CLIPS)
        components, columns = source.coefficients(0).shape[1], source.windows(0).shape[2]
        plain = components, params.width, params.recurrent, columns
        # A network of another class need not have a choice of encoders.
        paper = params.encoder == "conv2d"
        self.network = self.architecture(*plain) if paper else self.architecture(*plain, params.encoder)
        if start:
            start.fill(self.network)
        elif isinstance(self.network, AtNet):
            fill_embedding(self.network)
        self.forward = self.trainable(self.network, "network", params.lr)
        self.weights_KK: Tensor | None = None
        if params.mouth_focus > 0:
            weights = torch.from_numpy(source.model.mouth_weights(params.mouth_focus))
            self.weights_KK = weights.float().to(self.device)
        self.gap_K: Tensor | None = None
        if params.spread_weight > 0:
            gaps = torch.from_numpy(lip_gap(source.model.basis.T.reshape(-1, COUNT, 2)))
            self.gap_K = gaps.float().to(self.device)

    def batch(self, step: int) -> AtBatch:
        """See `Task`."""
        source, rows = self.source_train, []
        for position, window in self.windows(step):
            variant = drawn_variant(source.variants, self.seed, position)
            random = np.random.default_rng([self.seed, Stream.SILENCE, position])
            if self.params.encoder == "embedding" and random.random() < SILENT_WINDOWS:
                rows.append(self._silent(source, window, random))
            else:
                rows.append(self._read(source, window, self.params.frames, variant))
        return AtBatch(*(torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)))

    def step(self, batch: AtBatch) -> dict[str, Tensor]:
        """See `Task`."""
        reference_BK, windows_BT1RC, coefficients_BTK = (tensor.to(self.device, non_blocking=True) for tensor in batch)
        with autocast(self.device, self.params.precision):
            predicted_BTK = self.forward(reference_BK, windows_BT1RC)
        losses = {"loss": coefficient_loss(predicted_BTK.float(), coefficients_BTK, self.weights_KK)}
        if self.gap_K is not None:
            losses["spread"] = spread_loss(predicted_BTK.float(), coefficients_BTK, self.gap_K)
            losses["loss"] = losses["loss"] + self.params.spread_weight * losses["spread"]
        self.descend("network", losses["loss"])
        return losses

    @torch.inference_mode()
    def validate(self, network: nn.Module) -> Validation:
        """Predict whole clips, as in generation: `loss`, and `error`, the squared error as a share of the movement."""
        squared, moved, curves = [], [], []
        for clip, _, reference in self.checked:
            frames = min(self.source_val.lengths[clip], VALIDATION_FRAMES)
            reference_K, windows_T1RC, true_TK = self._read(self.source_val, Window(clip, 0, reference), frames)
            with autocast(self.device, self.params.precision):
                inputs = (torch.from_numpy(x)[None].to(self.device) for x in (reference_K, windows_T1RC))
                predicted_1TK = network(*inputs)
            predicted_TK = predicted_1TK[0].float().cpu().numpy()
            squared.append(np.mean((predicted_TK - true_TK) ** 2))
            moved.append(np.mean((true_TK.mean(axis=0) - true_TK) ** 2))
            curves.append((true_TK, predicted_TK))
        metrics = {"loss": float(np.mean(squared)), "error": float(np.sum(squared) / max(np.sum(moved), 1e-12))}
        return Validation(metrics, {"coefficients": draw_curves(curves[:3])})

    def _silent(self, source: StoreSource, window: Window, random: np.random.Generator) -> tuple[np.ndarray, ...]:
        """A window of silence, in which the lips stay as they are most closed in the clip, from any reference."""
        coefficients_TK, frames = source.coefficients(window.clip), self.params.frames
        closed = int(lip_gap(source.landmarks(window.clip).reshape(-1, COUNT, 2)).argmin())
        windows_TRC = windows(silent_rows(frames, random), frames)
        return coefficients_TK[window.reference], windows_TRC[:, None], coefficients_TK[[closed] * frames]

    @staticmethod
    def _read(source: StoreSource, window: Window, frames: int, variant: int = 0) -> tuple[np.ndarray, ...]:
        coefficients_TK = source.coefficients(window.clip)
        reference_K = coefficients_TK[window.reference]
        if variant:
            windows_TRC, moved_TK = source.variant(window.clip, variant, window.start, frames)
            return reference_K, windows_TRC[:, None], moved_TK
        span = slice(window.start, window.start + frames)
        return reference_K, source.windows(window.clip)[span, None], coefficients_TK[span]


def silent_rows(frames: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Rows of `embedding_mel` (4 ``frames``, 33) without speech: a quarter digital silence, otherwise steady noise.

    Noise at 1 kHz has -76 to -40 dB of full scale in a band, and a colour from white to brown.
    """
    floor = 2 + np.log10(1e-8 * 2**30)
    bands_RC = np.full((PER_FRAME * frames, EMBEDDING_BANDS), floor)
    if random.random() >= 0.25:
        colour_C = -random.uniform(0, 2) * np.log10(np.geomspace(0.1, 4, EMBEDDING_BANDS))  # of about 100 to 4,000 Hz
        change_C = np.linspace(0.45, 0.12, EMBEDDING_BANDS)  # wider bands are steadier
        noise_RC = random.uniform(3.4, 7.0) + colour_C + change_C * random.standard_normal(bands_RC.shape)
        bands_RC = np.log10(10**bands_RC + 10**noise_RC)
    return np.concatenate([bands_RC.mean(axis=1, keepdims=True), bands_RC], axis=1).astype(np.float32)


def fill_embedding(network: AtNet) -> None:
    """Give an AT-net with `encoder: embedding` the weights of the speech embedding; others stay as they are.

    Raises PipelineError if the weights, which ship with the project, are missing.
    """
    for module in network.modules():
        if isinstance(module, SpeechEmbedding):
            folder = paths.project_root() / EMBEDDING
            if not all((folder / name).exists() for name in ("model.json", "model.safetensors")):
                advice = f"They ship with the project. Restore them with `git checkout {EMBEDDING}`."
                raise PipelineError("of the speech embedding are missing", subject="The weights", advice=advice)
            _, weights = read_model(folder, "model")
            module.load_state_dict({name: tensor.float() for name, tensor in weights.items()})


def speech_features(params: Params) -> SpeechFeatures:
    """The speech features that the stage mfcc computed; PipelineError if their initial statistics are missing."""
    mfcc = params.mfcc
    initial = read_initial(paths.MFCC) if mfcc.normalise == "adaptive" else None
    return SpeechFeatures.of(mfcc.window, mfcc.kind, mfcc.normalise, initial)


def train_from_store(params: Params, callbacks: Sequence[Callback], bundle: StrPath | None = None) -> None:
    """Train on the project's clips into models/atnet, or resume; from the weights of a `bundle` if there is one."""
    train_split, val_split = open_sources("atnet", params)
    require_long_clips(params, {"train": train_split.lengths, "val": val_split.lengths})
    compatibility = {"landmarks": train_split.model.digest, "speech": speech_features(params).record()}
    start = open_start("atnet", bundle, compatibility)
    task = AtNetTask(train_split, val_split, params.atnet, params.seed, compatibility, start)
    train(task, paths.ATNET, paths.resume_folder("train_atnet"), callbacks)

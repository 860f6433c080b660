"""Training of AT-net: the squared error of the coefficients, optionally with more weight on the mouth."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from pipeline.config.params import Params
from pipeline.config.training import AtNetParams
from pipeline.config.windows import require_long_clips
from pipeline.landmarks.pca import LandmarkModel
from pipeline.models.atnet import AtNet
from pipeline.models.losses import coefficient_loss
from pipeline.runtime import paths
from pipeline.runtime.devices import autocast, best_device, compiled, to_device
from pipeline.runtime.paths import StrPath
from pipeline.shards.initial import read_initial
from pipeline.speech.features import SpeechFeatures
from pipeline.training import distribution
from pipeline.training.callbacks import Callback
from pipeline.training.data import (
    ClipSource,
    Window,
    drawn_variants,
    long_enough,
    training_windows,
    validation_windows,
)
from pipeline.training.distribution import parallel
from pipeline.training.loop import train
from pipeline.training.pictures import draw_curves
from pipeline.training.sources import open_sources
from pipeline.training.start import Start, open_start
from pipeline.training.task import Validation

VALIDATION_CLIPS = 64
"""Largest number of clips of the validation split."""
VALIDATION_FRAMES = 250
"""Largest number of frames of each: 10 s."""


class AtBatch(NamedTuple):
    """Speech, and the coefficients to predict from it."""

    reference_BK: Tensor
    windows_BT1RC: Tensor
    coefficients_BTK: Tensor


class AtNetTask:
    """AT-net, its optimiser and its loss, for the training loop (see `Task`)."""

    name = "atnet"
    criterion = "loss"
    architecture = AtNet
    """The network's class; another network is a subclass."""

    def __init__(
        self,
        source_train: ClipSource,
        source_val: ClipSource,
        params: AtNetParams,
        seed: int,
        compatibility: Mapping[str, Any] = MappingProxyType({}),
        start: Start | None = None,
        landmarks: LandmarkModel | None = None,
    ) -> None:
        """Build the network.

        Args:
            source_train: Training split.
            source_val: Validation split.
            params: Section `atnet` of params.yaml.
            seed: Seed of the initial weights and of all draws.
            compatibility: See `Task`.
            start: Initial weights; None: random.
            landmarks: The landmark model of the coefficients; needed if `mouth_focus` is above 0.
        """
        self.compatibility, self.data = compatibility, source_train.digest + source_val.digest
        self.init = start.digests if start else {}
        self.source_train, self.source_val, self.params, self.seed = source_train, source_val, params, seed
        self.clips = len(long_enough(source_train.lengths, params.frames))
        self.checked = validation_windows(source_val.lengths, 1, VALIDATION_CLIPS)
        self.device = best_device()
        torch.manual_seed(seed)
        components, columns = source_train.coefficients(0).shape[1], source_train.windows(0).shape[2]
        network = self.architecture(components, params.width, params.recurrent, columns)
        if start:
            start.fill(network)
        self.network: nn.Module = to_device(network, self.device)
        forward = parallel(self.network)
        self.forward = compiled(forward) if params.compile else forward
        self.weights_KK: Tensor | None = None
        if params.mouth_focus > 0:
            assert landmarks is not None
            weights = torch.from_numpy(landmarks.mouth_weights(params.mouth_focus))
            self.weights_KK = weights.float().to(self.device)
        self.helpers: dict[str, nn.Module] = {}
        self.optimisers: dict[str, Optimizer] = {
            "network": Adam(self.network.parameters(), params.lr, betas=(0.5, 0.999), fused=True)
        }

    def batch(self, step: int) -> AtBatch:
        """See `Task`."""
        params = self.params
        source = self.source_train
        drawn = training_windows(source.lengths, params.frames, params.batch, self.seed, step, source.weights)
        positions = range(step * params.batch, (step + 1) * params.batch)
        variants = drawn_variants(source.variants, self.seed, positions)
        share = distribution.own_share(list(zip(drawn, variants, strict=True)))
        rows = [self._read(source, window, params.frames, variant) for window, variant in share]
        return AtBatch(*(torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)))

    def step(self, batch: AtBatch) -> dict[str, Tensor]:
        """See `Task`."""
        reference_BK, windows_BT1RC, coefficients_BTK = (tensor.to(self.device, non_blocking=True) for tensor in batch)
        with autocast(self.device, self.params.precision):
            predicted_BTK = self.forward(reference_BK, windows_BT1RC)
        loss = coefficient_loss(predicted_BTK.float(), coefficients_BTK, self.weights_KK)
        self.optimisers["network"].zero_grad()
        loss.backward()
        if self.params.grad_clip > 0:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.params.grad_clip)
        self.optimisers["network"].step()
        return {"loss": loss}

    @torch.inference_mode()
    def validate(self, network: nn.Module) -> Validation:
        """Predict whole clips, as in generation: `loss`, and `error`, the squared error as a share of the movement."""
        squared, moved, curves = [], [], []
        for clip, _, reference in self.checked:
            frames = min(self.source_val.lengths[clip], VALIDATION_FRAMES)
            reference_K, windows_T1RC, true_TK = self._read(self.source_val, Window(clip, 0, reference), frames)
            with autocast(self.device, self.params.precision):
                predicted_1TK = network(
                    *(torch.from_numpy(x)[None].to(self.device) for x in (reference_K, windows_T1RC))
                )
            predicted_TK = predicted_1TK[0].float().cpu().numpy()
            squared.append(np.mean((predicted_TK - true_TK) ** 2))
            moved.append(np.mean((true_TK.mean(axis=0) - true_TK) ** 2))
            curves.append((true_TK, predicted_TK))
        metrics = {"loss": float(np.mean(squared)), "error": float(np.sum(squared) / max(np.sum(moved), 1e-12))}
        return Validation(metrics, {"coefficients": draw_curves(curves[:3])})

    def warning(self, losses: dict[str, float]) -> str | None:
        """See `Task`."""
        return None

    @staticmethod
    def _read(
        source: ClipSource, window: Window, frames: int, variant: int = 0
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        coefficients_TK = source.coefficients(window.clip)
        reference_K = coefficients_TK[window.reference]
        if variant:
            windows_TRC, moved_TK = source.variant(window.clip, variant, window.start, frames)
            return reference_K, windows_TRC[:, None], moved_TK
        span = slice(window.start, window.start + frames)
        return reference_K, source.windows(window.clip)[span, None], coefficients_TK[span]


def speech_features(params: Params) -> SpeechFeatures:
    """The speech features that the stage mfcc computed; PipelineError if their initial statistics are missing."""
    mfcc = params.mfcc
    initial = read_initial(paths.MFCC) if mfcc.normalise == "adaptive" else None
    return SpeechFeatures.of(mfcc.window, mfcc.kind, mfcc.normalise, initial)


def train_from_store(params: Params, callbacks: Sequence[Callback], bundle: StrPath | None = None) -> None:
    """Train on the project's clips into models/atnet, from the weights of a `bundle` if there is one.

    Continues a training that was killed. Raises PipelineError as `train` and `open_start` do.
    """
    train_split, val_split = open_sources("atnet", params)
    require_long_clips(params, {"train": train_split.lengths, "val": val_split.lengths})
    compatibility = {"landmarks": train_split.model.digest, "speech": speech_features(params).record()}
    start = open_start("atnet", bundle, compatibility)
    task = AtNetTask(train_split, val_split, params.atnet, params.seed, compatibility, start, train_split.model)
    train(task, paths.ATNET, paths.resume_folder("train_atnet"), callbacks)

"""Training of VG-net: a pixel loss, and a discriminator that also reads landmarks (paper, sections 3.3 and 3.4)."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.config.params import Params
from pipeline.config.training import VgNetParams
from pipeline.config.windows import require_long_clips
from pipeline.faces.crop import CROP, crop_geometry
from pipeline.landmarks.pca import FACTOR
from pipeline.landmarks.points import COUNT, STABLE
from pipeline.landmarks.shape import mouth_opening
from pipeline.landmarks.similarity import fit_similarity
from pipeline.models.discriminator import Discriminator, MouthDiscriminator
from pipeline.models.losses import decision_loss, pixel_loss, regression_loss, regression_weights
from pipeline.models.mouth_detail import mouth_part
from pipeline.models.vgnet import VgNet
from pipeline.runtime import paths
from pipeline.runtime.devices import autocast, to_floats, to_pictures, training_threads
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath
from pipeline.training import distribution
from pipeline.training.augment import NO_CHANGE, PictureChange, augment, draw
from pipeline.training.callbacks import Callback
from pipeline.training.data import StoreSource, Stream, Window, validation_windows, with_wide_reference
from pipeline.training.loop import train
from pipeline.training.pictures import draw_strips
from pipeline.training.random_weights import init_discriminator, init_generator
from pipeline.training.sources import open_sources
from pipeline.training.start_from_bundle import Start, open_start
from pipeline.training.task import Task, Validation

VALIDATION_WINDOWS = 32  # largest number of windows of the validation split
START_CLIPS, START_WINDOWS = 256, 24  # largest numbers of clips (landmarks) and windows for the initial weights


class VgBatch(NamedTuple):
    """Faces and their landmarks; frame 0 is the reference."""

    pictures_BTHWC: Tensor
    landmarks_BTL: Tensor


class VgNetTask(Task[VgNetParams]):
    """VG-net and its discriminator, their optimisers and losses, for the training loop."""

    name = "vgnet"
    criterion = "pixel"

    def build(self, start: Start | None) -> None:
        """See `Task`. Raises PipelineError if several processes train together and `recurrence` is batch."""
        params, source = self.params, self.source_train
        self.checked = validation_windows(self.source_val.lengths, params.frames, VALIDATION_WINDOWS)
        if params.recurrence == "batch" and distribution.world() > 1:
            raise PipelineError(
                "vgnet.recurrence is batch, which runs over the videos of a batch: several processes, which share "
                "them, would train another network. Start one process, or set vgnet.recurrence to time."
            )
        plain = params.width, params.recurrence, params.attention, params.dropout, source.size
        self.network = VgNet(*plain, params.mouth_detail)
        if not (start and start.fill(self.network)):
            windows = validation_windows(source.lengths, params.frames, START_CLIPS)
            landmarks = [source.landmarks(clip) for clip in sorted({window.clip for window in windows})]
            with training_threads(params.width):
                init_generator(self.network, torch.from_numpy(np.concatenate(landmarks)))
        if self.network.mouth_detail is not None:
            shares = (np.array(CROP.points) + 0.5) / CROP.size
            fitted = fit_similarity(FACTOR * source.model.template[STABLE], shares)  # faces lie upright in the crop
            self.network.mouth_detail.place(fitted[0, 0], fitted[0, 2], fitted[1, 2])
        unused = params.recurrence == "none"  # which does not use the state's weights
        self.forward = self.trainable(self.network, "network", params.lr, unused=unused)
        self.regression_weights = regression_weights(params.mouth_weight).to(self.device)
        if params.adversarial_weight > 0 or params.regression_weight > 0:
            self.discriminator = Discriminator(params.width, source.size)
            if not (start and start.fill(self.discriminator, "discriminator")):
                sample = self._read(source, validation_windows(source.lengths, params.frames, START_WINDOWS))
                pictures_NTCHW = to_floats(sample.pictures_BTHWC[:, 1:], torch.device("cpu"))
                with training_threads(params.width):
                    init_discriminator(self.discriminator, pictures_NTCHW, sample.landmarks_BTL[:, 0])
            self.helpers["discriminator"] = self.discriminator
            self.judge = self.trainable(self.discriminator, "discriminator", params.discriminator_lr)
        if params.mouth_adversarial_weight > 0:
            self.mouth_discriminator = MouthDiscriminator(params.width)
            if start:
                start.fill(self.mouth_discriminator, "mouth_discriminator")
            self.helpers["mouth_discriminator"] = self.mouth_discriminator
            lr = params.discriminator_lr
            self.mouth_judge = self.trainable(self.mouth_discriminator, "mouth_discriminator", lr)

    def windows(self, step: int) -> list[tuple[int, Window]]:
        """See `Task`. A share of them, `wide_references`, has the widest mouth of its clip as the reference."""
        drawn = super().windows(step)
        return [(position, self._widened(position, window)) for position, window in drawn]

    def _widened(self, position: int, window: Window) -> Window:
        random = np.random.default_rng([self.seed, Stream.REFERENCE, position])
        if random.random() >= self.params.wide_references:
            return window
        points_T68x2 = self.source_train.landmarks(window.clip).reshape(-1, COUNT, 2)
        return with_wide_reference(window, self.params.frames, mouth_opening(points_T68x2))

    def batch(self, step: int) -> VgBatch:
        """See `Task`."""
        positions, windows = zip(*self.windows(step), strict=True)
        changes = [draw(self.params.augment, self.seed, position) for position in positions]
        return self._read(self.source_train, windows, changes)

    def _read(
        self, source: StoreSource, windows: Sequence[Window], changes: Sequence[PictureChange] | None = None
    ) -> VgBatch:
        pictures, landmarks = [], []
        for window, change in zip(windows, changes or [NO_CHANGE] * len(windows), strict=True):
            frames = [window.reference, *range(window.start, window.start + self.params.frames)]
            pictures.append(augment(source.pictures(window.clip, frames), change))
            landmarks.append(source.landmarks(window.clip, change.mirrored)[frames])
        return VgBatch(torch.from_numpy(np.stack(pictures)), torch.from_numpy(np.stack(landmarks)))

    def step(self, batch: VgBatch) -> dict[str, Tensor]:
        """See `Task`. One forward of the generator serves the discriminator's step (detached) and the generator's."""
        params = self.params
        pictures_BTCHW = to_floats(batch.pictures_BTHWC, self.device)
        landmarks_BTL = batch.landmarks_BTL.to(self.device, non_blocking=True)
        reference_BCHW, real_BTCHW = pictures_BTCHW[:, 0], pictures_BTCHW[:, 1:]
        reference_BL, landmarks_BTL = landmarks_BTL[:, 0], landmarks_BTL[:, 1:]

        with autocast(self.device, params.precision):
            generated = self.forward(reference_BCHW, reference_BL, landmarks_BTL)
        fake_BTCHW = generated.frames_BTCHW.float()
        attention = generated.attention_BT1HW.float() if params.dynamic_loss and params.attention else None
        pixel = pixel_loss(fake_BTCHW, real_BTCHW, attention, params.mouth_focus)
        losses = {"generator": params.pixel_weight * pixel, "pixel": pixel}
        if "mouth_discriminator" in self.helpers:
            rows, columns = mouth_part(*fake_BTCHW.shape[-2:])
            real_NCHW, fake_NCHW = (x[..., rows, columns].flatten(0, 1) for x in (real_BTCHW, fake_BTCHW))
            losses |= self._mouth_discriminator_step(real_NCHW, fake_NCHW.detach())
            self.mouth_discriminator.requires_grad_(False)
            mouth = decision_loss(self.mouth_discriminator(fake_NCHW), real=True)
            self.mouth_discriminator.requires_grad_(True)
            losses["generator"] = losses["generator"] + params.mouth_adversarial_weight * mouth
        if "discriminator" in self.helpers:
            losses |= self._discriminator_step(real_BTCHW, fake_BTCHW.detach(), reference_BL, landmarks_BTL)
            self.discriminator.requires_grad_(False)  # its weights need no gradient in the generator's step
            logits_B, read_BTL = self._judge(self.discriminator, fake_BTCHW, reference_BL)
            adversarial = decision_loss(logits_B, real=True)
            regression = regression_loss(read_BTL, landmarks_BTL, self.regression_weights)
            self.discriminator.requires_grad_(True)
            losses["generator"] = losses["generator"] + params.adversarial_weight * adversarial
            losses["generator"] = losses["generator"] + params.regression_weight * regression
            losses |= {"adversarial": adversarial, "regression": regression}
        self.descend("network", losses["generator"])
        return losses

    def _discriminator_step(
        self, real_BTCHW: Tensor, fake_BTCHW: Tensor, reference_BL: Tensor, landmarks_BTL: Tensor
    ) -> dict[str, Tensor]:
        real_logits_B, real_read_BTL = self._judge(self.judge, real_BTCHW, reference_BL)
        fake_logits_B, fake_read_BTL = self._judge(self.judge, fake_BTCHW, reference_BL)
        decision = decision_loss(real_logits_B, real=True) + decision_loss(fake_logits_B, real=False)
        weights_L = self.regression_weights
        regression = regression_loss(real_read_BTL, landmarks_BTL, weights_L)
        regression = regression + regression_loss(fake_read_BTL, landmarks_BTL, weights_L)
        loss = self.params.adversarial_weight * decision + self.params.regression_weight * regression
        self.descend("discriminator", loss)
        real, fake = torch.sigmoid(real_logits_B).mean(), torch.sigmoid(fake_logits_B).mean()
        return {"discriminator": loss, "decision": decision, "reading": regression, "real": real, "fake": fake}

    def _mouth_discriminator_step(self, real_NCHW: Tensor, fake_NCHW: Tensor) -> dict[str, Tensor]:
        real_logits, fake_logits = self.mouth_judge(real_NCHW), self.mouth_judge(fake_NCHW)
        loss = decision_loss(real_logits, real=True) + decision_loss(fake_logits, real=False)
        self.descend("mouth_discriminator", loss)
        return {"mouth_real": torch.sigmoid(real_logits).mean(), "mouth_fake": torch.sigmoid(fake_logits).mean()}

    def _judge(self, judge: nn.Module, frames_BTCHW: Tensor, reference_BL: Tensor) -> tuple[Tensor, Tensor]:
        # Each call has its own context, because autocast caches cast weights, and they change between calls.
        with autocast(self.device, self.params.precision):
            logits_B, landmarks_BTL = judge(frames_BTCHW, reference_BL)
        return logits_B.float(), landmarks_BTL.float()

    @torch.inference_mode()
    def validate(self, network: nn.Module) -> Validation:
        """`pixel`, the mean absolute difference of pictures in [-1, 1], and `psnr` in dB; strips of pictures."""
        distances, squares, strips = [], [], []
        for place in range(0, len(self.checked), self.params.batch):
            batch = self._read(self.source_val, self.checked[place : place + self.params.batch])
            pictures_BTCHW = to_floats(batch.pictures_BTHWC, self.device)
            landmarks_BTL = batch.landmarks_BTL.to(self.device)
            with autocast(self.device, self.params.precision):
                generated = network(pictures_BTCHW[:, 0], landmarks_BTL[:, 0], landmarks_BTL[:, 1:])
            difference_BTCHW = generated.frames_BTCHW.float() - pictures_BTCHW[:, 1:]
            distances.append(difference_BTCHW.abs().mean(dim=(1, 2, 3, 4)).cpu())
            squares.append(difference_BTCHW.square().mean(dim=(2, 3, 4)).flatten().cpu())
            strips.extend(self._strips(batch, to_pictures(generated.frames_BTCHW), generated.attention_BT1HW))
        psnr = 10 * torch.log10(4 / torch.cat(squares).clamp(min=1e-10))
        metrics = {"pixel": torch.cat(distances).mean().item(), "psnr": psnr.mean().item()}
        return Validation(metrics, {"faces": draw_strips(strips[:4])})

    @staticmethod
    def _strips(batch: VgBatch, fake_BTHWC: NDArray[np.uint8], attention_BT1HW: Tensor) -> list[list[np.ndarray]]:
        """Reference, real, fake and attention of each window, at the frame whose landmarks moved most."""
        moved_BT = (batch.landmarks_BTL[:, 1:] - batch.landmarks_BTL[:, :1]).square().sum(dim=2)
        strips = []
        for number, frame in enumerate(moved_BT.argmax(dim=1).tolist()):
            pictures_THWC = batch.pictures_BTHWC[number].numpy()
            attention_HWC = to_pictures(attention_BT1HW[number, frame].float().expand(3, -1, -1) * 2 - 1)
            strips.append([pictures_THWC[0], pictures_THWC[1 + frame], fake_BTHWC[number, frame], attention_HWC])
        return strips

    def warning(self, losses: dict[str, float]) -> str | None:
        """Warn of a discriminator from which the generator cannot learn."""
        if "real" not in losses or self.params.adversarial_weight == 0:
            return None
        probabilities = f"it takes real videos for real at {losses['real']:.2f}, fake ones at {losses['fake']:.2f}"
        if losses["real"] > 0.98 and losses["fake"] < 0.02:
            return f"the discriminator wins outright ({probabilities}). Lower vgnet.adversarial_weight or vgnet.lr."
        if losses["fake"] > losses["real"] + 0.1:
            return f"the discriminator loses outright ({probabilities}). Raise vgnet.adversarial_weight or vgnet.batch."
        return None


def train_from_store(params: Params, callbacks: Sequence[Callback], bundle: StrPath | None = None) -> None:
    """Train on the project's clips into models/vgnet, or resume; from the weights of a `bundle` if there is one."""
    train_split, val_split = open_sources("vgnet", params)
    require_long_clips(params, {"train": train_split.lengths, "val": val_split.lengths})
    compatibility = {"landmarks": train_split.model.digest, "crop": asdict(crop_geometry(train_split.size))}
    start = open_start("vgnet", bundle, compatibility)
    task = VgNetTask(train_split, val_split, params.vgnet, params.seed, compatibility, start)
    train(task, paths.VGNET, paths.resume_folder("train_vgnet"), callbacks)

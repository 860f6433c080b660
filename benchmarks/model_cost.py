"""What each network costs: parameters, multiplications per frame, and time per frame on one thread.

    python benchmarks/model_cost.py

A multiplication is a multiply-add of a matrix product or convolution (MAC). Times are medians of `--rounds` chunks of
15 frames in float32, with the networks prepared as for generation.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from pipeline.bundles.bundle import load_bundle
from pipeline.bundles.location import pretrained_folder
from pipeline.models.atnet import AtNet
from pipeline.models.folding import for_inference
from pipeline.models.vgnet import VgNet

FRAMES = 15


def network_call(network: AtNet | VgNet) -> Callable[[], object]:
    """Runs the network on random inputs for `FRAMES` frames."""
    inputs: list[Tensor] = [
        torch.randn([FRAMES if axis == -1 else axis for axis in (1, *shape[1:])]) for shape in network.inputs.values()
    ]
    prepared = for_inference(network, torch.device("cpu"), "float32")
    return lambda: prepared(*inputs)


@torch.inference_mode()
def main() -> None:
    """Print a row per network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)
    shipped = load_bundle(pretrained_folder())
    networks: dict[str, AtNet | VgNet] = {
        "AT-net, shipped": shipped.atnet,
        "AT-net, the paper's layers at `width: 16`": AtNet(width=16, columns=26),
        "AT-net, the paper's": AtNet(),
        "VG-net, shipped": shipped.vgnet,
        "VG-net, the paper's layers at `width: 16`": VgNet(width=16),
        "VG-net, the paper's": VgNet(),
    }
    print("| network | parameters, thousands | MACs per frame, millions | ms per frame |")
    print("|---|---|---|---|")
    for name, network in networks.items():
        call, times = network_call(network), []
        with FlopCounterMode(display=False) as counter:
            call()
        for _ in range(options.rounds):
            start = time.perf_counter()
            call()
            times.append((time.perf_counter() - start) / FRAMES)
        parameters = sum(parameter.numel() for parameter in network.parameters())
        macs = counter.get_total_flops() / 2 / FRAMES
        print(f"| {name} | {parameters / 1e3:,.0f} | {macs / 1e6:,.1f} | {1e3 * median(times):.2f} |", flush=True)


if __name__ == "__main__":
    main()

"""Trains a small character transformer with DistributedDataParallel.

An ordinary torchrun script. What makes it safe to preempt is in three places, each marked PREEMPTION:
it starts from what was restored, it saves often enough, and it looks for the stop-file once a step.

    torchrun --nproc_per_node 2 examples/ddp/train.py --steps 60
    trainyard submit examples/ddp/train.py --nodes 2 --procs-per-node 2 -- --steps 60

The batch of a step depends only on the seed, the step and the rank, and arithmetic is single-threaded,
so a run that was interrupted has, bit for bit, the loss curve of one that was not.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from common import CharTransformer, load_text, sample_batch  # noqa: E402


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--save-every", type=int, default=10, help="steps between checkpoints")
    parser.add_argument("--batch", type=int, default=8, help="sequences a process and step")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--step-seconds", type=float, default=0.0, help="least time of a step")
    return parser.parse_args()


def newest(folder: str) -> Path | None:
    found = sorted(Path(folder).glob("step-*.pt")) if folder else []
    return found[-1] if found else None


def save(folder: Path, step: int, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Writes beside and renames, so that a half-written file never has the final name."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{step:08d}.pt"
    beside = path.with_suffix(".tmp")
    torch.save(
        {"step": step, "model": model.state_dict(), "optimizer": optimizer.state_dict()}, beside
    )
    os.replace(beside, path)


def stop_requested(path: str) -> bool:
    """True on every rank as soon as one of them sees the stop-file: all leave after the same step."""
    seen = torch.tensor([1 if path and os.path.exists(path) else 0])
    dist.all_reduce(seen, op=dist.ReduceOp.MAX)
    return bool(seen.item())


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    use_cuda = torch.cuda.is_available()
    dist.init_process_group("nccl" if use_cuda else "gloo")
    rank = dist.get_rank()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if use_cuda else torch.device("cpu")

    text = load_text()
    model = CharTransformer(text.vocabulary).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    first_step = 1

    checkpoint = newest(os.environ.get("TRAINYARD_RESUME_DIR", ""))  # PREEMPTION: go on from there
    if checkpoint is not None:
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        first_step = saved["step"] + 1

    parallel = DistributedDataParallel(model)
    folder = Path(os.environ.get("TRAINYARD_CHECKPOINT_DIR", "checkpoints"))
    stop_file = os.environ.get("TRAINYARD_STOP_FILE", "")

    for step in range(first_step, arguments.steps + 1):
        started = time.monotonic()
        inputs, targets = sample_batch(text, arguments.seed, step, rank, arguments.batch)
        loss = parallel(inputs.to(device), targets.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

        mean = loss.detach().clone()
        dist.all_reduce(mean)
        mean /= dist.get_world_size()
        if rank == 0:
            print(json.dumps({"step": step, "loss": mean.item()}), flush=True)

        stopping = stop_requested(stop_file)  # PREEMPTION: save and leave
        if rank == 0 and (stopping or step % arguments.save_every == 0 or step == arguments.steps):
            save(folder, step, model, optimizer)  # PREEMPTION: often enough
        if stopping:
            if rank == 0:
                print(f"asked to stop: saved step {step}", file=sys.stderr, flush=True)
            break
        time.sleep(max(0.0, arguments.step_seconds - (time.monotonic() - started)))

    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()

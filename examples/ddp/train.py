"""Trains a small character transformer with DistributedDataParallel.

An ordinary torchrun script. What makes it safe to preempt is in three places, each marked PREEMPTION:
it starts from what was restored, it saves often enough, and it looks for the stop-file once a step.

    torchrun --nproc_per_node 2 examples/ddp/train.py --steps 60
    trainyard submit examples/ddp/train.py --nodes 2 --procs-per-node 2 -- --steps 60

The batch of a step depends only on the seed, the step and the rank, and arithmetic is single-threaded.
With --bitwise, a run that was interrupted has, to the last bit, the loss curve of one that was not.
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
from common import (  # noqa: E402
    CharTransformer,
    leave,
    load_text,
    mean_over_ranks,
    sample_batch,
    stop_requested,
)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--save-every", type=int, default=10, help="steps between checkpoints")
    parser.add_argument("--batch", type=int, default=8, help="sequences a process and step")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--bitwise", action="store_true", help="add gradients in the order of ranks")
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


def mean_in_rank_order(_: None, bucket: dist.GradBucket) -> torch.futures.Future[torch.Tensor]:
    """A reduction whose result does not depend on how DDP lays out its buckets.

    It lays them out anew after the first step, also after the first one of a resumed run. From three
    ranks on, another layout adds in another order, which shows in the last bit. Costs bandwidth.
    """
    parts = [torch.empty_like(bucket.buffer()) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, bucket.buffer())
    done: torch.futures.Future[torch.Tensor] = torch.futures.Future()
    done.set_result(torch.stack(parts).mean(0))
    return done


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
    if arguments.bitwise:
        parallel.register_comm_hook(None, mean_in_rank_order)
    folder = Path(os.environ.get("TRAINYARD_CHECKPOINT_DIR", "checkpoints"))
    stop_file = os.environ.get("TRAINYARD_STOP_FILE", "")

    for step in range(first_step, arguments.steps + 1):
        started = time.monotonic()
        inputs, targets = sample_batch(text, arguments.seed, step, rank, arguments.batch)
        loss = parallel(inputs.to(device), targets.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

        mean = mean_over_ranks(loss.detach())
        if rank == 0:
            line = {"step": step, "loss": mean}
            if step == first_step:
                line["steps_total"] = arguments.steps  # FORECAST: `explain` tells when it ends
            print(json.dumps(line), flush=True)

        stopping = stop_requested(stop_file)  # PREEMPTION: save and leave
        if rank == 0 and (stopping or step % arguments.save_every == 0 or step == arguments.steps):
            save(folder, step, model, optimizer)  # PREEMPTION: often enough
        if stopping:
            if rank == 0:
                print(f"asked to stop: saved step {step}", file=sys.stderr, flush=True)
            break
        time.sleep(max(0.0, arguments.step_seconds - (time.monotonic() - started)))

    leave()


if __name__ == "__main__":
    main()

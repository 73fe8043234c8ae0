"""Trains a small character transformer fully sharded (FSDP2), with distributed checkpoints (DCP).

    torchrun --nproc_per_node 2 examples/fsdp/train.py --steps 40
    trainyard submit examples/fsdp/train.py --nodes 2 --procs-per-node 1 -- --steps 40

Each rank saves only its own shards; Trainyard gathers the shards of all nodes into one checkpoint,
so that the job can resume on other nodes, and also on another number of them.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

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
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--save-every", type=int, default=10, help="steps between checkpoints")
    parser.add_argument("--batch", type=int, default=8, help="sequences a process and step")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--step-seconds", type=float, default=0.0, help="least time of a step")
    return parser.parse_args()


def newest(folder: str) -> Path | None:
    whole = Path(folder).glob("step-*/.metadata") if folder else []
    found = sorted(path.parent for path in whole)
    return found[-1] if found else None


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    use_cuda = torch.cuda.is_available()
    if use_cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("cuda:nccl,cpu:gloo" if use_cuda else "gloo")
    rank = dist.get_rank()
    device = "cuda" if use_cuda else "cpu"
    mesh = init_device_mesh(device, (dist.get_world_size(),))

    text = load_text()
    model = CharTransformer(text.vocabulary).to(device)
    for block in model.blocks:
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    first_step = 1

    checkpoint = newest(os.environ.get("TRAINYARD_RESUME_DIR", ""))  # PREEMPTION: go on from there
    if checkpoint is not None:
        state = {"step": 0}
        state["model"], state["optimizer"] = get_state_dict(model, optimizer)
        dcp.load(state, checkpoint_id=checkpoint)
        set_state_dict(
            model,
            optimizer,
            model_state_dict=state["model"],
            optim_state_dict=state["optimizer"],
        )
        first_step = state["step"] + 1

    folder = Path(os.environ.get("TRAINYARD_CHECKPOINT_DIR", "checkpoints"))
    stop_file = os.environ.get("TRAINYARD_STOP_FILE", "")

    for step in range(first_step, arguments.steps + 1):
        started = time.monotonic()
        inputs, targets = sample_batch(text, arguments.seed, step, rank, arguments.batch)
        loss = model(inputs.to(device), targets.to(device))
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
        if stopping or step % arguments.save_every == 0 or step == arguments.steps:
            model_state, optimizer_state = get_state_dict(model, optimizer)
            state = {"step": step, "model": model_state, "optimizer": optimizer_state}
            dcp.save(state, checkpoint_id=folder / f"step-{step:08d}")  # PREEMPTION: often enough
        if stopping:
            break
        time.sleep(max(0.0, arguments.step_seconds - (time.monotonic() - started)))

    leave()


if __name__ == "__main__":
    main()

"""The training loop: cut in two it ends as in one piece, whatever interrupts it."""

import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn

from fermiloop.platform.errors import FermiloopError, InputError
from fermiloop.platform.predictors.trainer import cosine_rate, follow, run_epochs, set_rate, shuffled

EPOCHS = 8


class Stopped(Exception):  # noqa: N818 - not an error of ours
    pass


def make(seed=0):
    torch.manual_seed(seed)
    network, average = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)), None
    average = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    average.load_state_dict(network.state_dict())
    return {"network": network, "average": average, "optimiser": torch.optim.AdamW(network.parameters(), 1e-2)}


def step_of(parts, random):
    x = torch.linspace(-1, 1, 60).reshape(20, 3)
    y = x.sum(dim=1, keepdim=True)

    def step(epoch):
        set_rate(parts["optimiser"], cosine_rate(epoch, EPOCHS, 1e-2))
        for rows in shuffled(len(x), 5, random):
            noise = 0.01 * torch.randn(len(rows), 3, generator=random)
            loss = ((parts["network"](x[rows] + noise) - y[rows]) ** 2).mean()
            parts["optimiser"].zero_grad()
            loss.backward()
            parts["optimiser"].step()
            follow(parts["average"], parts["network"], 0.9)
        return loss.item()

    return step


def train(parts, resume=None, progress=lambda what, share: None, every_s=30.0, seed=5):
    random = torch.Generator().manual_seed(seed)
    return run_epochs(parts, EPOCHS, step_of(parts, random), random, progress, "a test", resume, every_s)


def weights(parts):
    return {f"{n}/{k}": v for n in ("network", "average") for k, v in parts[n].state_dict().items()}


def stop_after(epochs):
    seen = []

    def progress(what, share):
        seen.append(share)
        if len(seen) == epochs:
            raise Stopped

    return progress


def same(a, b):
    a, b = weights(a), weights(b)
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize("epochs", [1, 4, EPOCHS])
def test_cancelled_and_gone_on_with_it_ends_as_in_one_piece(epochs, tmp_path):
    whole, first, second = make(), make(), make(seed=9)
    history = train(whole)
    with pytest.raises(Stopped):
        train(first, tmp_path, stop_after(epochs))
    assert train(second, tmp_path) == history
    assert same(whole, second)


def test_an_interrupt_within_an_epoch_goes_back_to_the_last_kept_one(tmp_path):
    whole, first, second = make(), make(), make(seed=9)
    history = train(whole)
    random = torch.Generator().manual_seed(5)
    step = step_of(first, random)

    def interrupted(epoch):
        loss = step(epoch)
        if epoch == 5:
            raise KeyboardInterrupt
        return loss

    with pytest.raises(KeyboardInterrupt):
        run_epochs(first, EPOCHS, interrupted, random, lambda w, s: None, "a test", tmp_path, every_s=0)
    assert train(second, tmp_path) == history
    assert same(whole, second)


def test_a_finished_training_is_not_done_again(tmp_path):
    history = train(make(), tmp_path)
    again = make(seed=3)
    random = torch.Generator()

    def never(epoch):
        raise AssertionError(epoch)

    assert run_epochs(again, EPOCHS, never, random, lambda w, s: None, "a test", tmp_path) == history


def test_without_a_folder_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Stopped):
        train(make(), None, stop_after(2))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_a_broken_state_is_refused_and_named(content, tmp_path):
    (tmp_path / "a-test.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"a-test\.safetensors.*remove it"):
        train(make(), tmp_path)


def test_the_state_of_another_training_is_refused(tmp_path):
    train(make(), tmp_path)
    random = torch.Generator()
    with pytest.raises(InputError, match="8 epochs, not 9"):
        run_epochs(make(), 9, lambda epoch: 0.0, random, lambda w, s: None, "a test", tmp_path)
    other = {"network": nn.Linear(2, 2)}
    with pytest.raises(InputError, match="no state of this"):
        run_epochs(other, EPOCHS, lambda epoch: 0.0, random, lambda w, s: None, "a test", tmp_path)


def test_a_loss_that_is_not_finite_ends_the_training_and_is_not_kept(tmp_path):
    with pytest.raises(FermiloopError, match="epoch 3"):
        run_epochs(
            make(), EPOCHS, lambda epoch: float("nan") if epoch == 2 else 1.0, torch.Generator(),
            lambda w, s: None, "a test", tmp_path, every_s=0,
        )  # fmt: skip
    seen = []
    run_epochs(
        make(),
        EPOCHS,
        lambda epoch: seen.append(epoch) or 1.0,
        torch.Generator(),
        lambda w, s: None,
        "a test",
        tmp_path,
    )
    assert seen == [2, 3, 4, 5, 6, 7]


@pytest.mark.faults
def test_killed_in_the_middle_it_goes_on(tmp_path):
    code = f"""
import sys, os, signal
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_trainer as t
from pathlib import Path
def progress(what, share):
    if share > 0.6: os.kill(os.getpid(), signal.SIGKILL)
t.train(t.make(), Path({str(tmp_path)!r}), progress, every_s=0)
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", code], env=env, check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    whole, second = make(), make(seed=9)
    assert train(second, tmp_path) == train(whole)
    assert same(whole, second)


def test_rates_rise_and_fall():
    rates = [cosine_rate(e, 50, 1.0) for e in range(51)]
    assert max(rates) == pytest.approx(1.0)
    assert rates[0] < 0.1
    assert rates[-1] == pytest.approx(0.01)
    top = rates.index(max(rates))
    assert all(a < b for a, b in pairwise(rates[: top + 1]))
    assert all(a > b for a, b in pairwise(rates[top:]))


def test_batches_hold_every_row_once():
    rows = shuffled(23, 5, torch.Generator().manual_seed(0))
    assert [len(r) for r in rows] == [5, 5, 5, 5, 3]
    assert sorted(torch.cat(rows).tolist()) == list(range(23))

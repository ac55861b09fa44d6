"""What draws from torch's own random numbers follows from a seed, and leaves them as they were."""

import torch

from fermiloop.platform.predictors.device import seeded


def drawn(by):
    with seeded(by):
        return torch.rand(4)


def test_a_seed_gives_the_same_numbers_and_touches_no_others():
    before = torch.random.get_rng_state()
    assert torch.equal(drawn(3), drawn(3))
    assert not torch.equal(drawn(3), drawn(4))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_generator_gives_a_new_seed_each_time():
    one, other = (torch.Generator().manual_seed(5) for _ in range(2))
    first, second = drawn(one), drawn(one)
    assert not torch.equal(first, second)
    assert torch.equal(drawn(other), first)
    assert torch.equal(drawn(other), second)

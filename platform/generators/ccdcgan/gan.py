"""The adversarial network: a generator between a discriminator and frozen models of properties.

Each step the discriminator learns to tell graphs of the training set from made ones, then the generator learns to
deceive it and to follow the pulls of the constraint models, through which gradients flow and whose weights never
change (Long et al., npj Comput. Mater. 7, 66, 2021: "back propagator"). Without pulls it is the plain DCGAN. Losses
are the paper's binary cross-entropy or the hinge (Miyato et al., ICLR 2018); made graphs are those of a moving average
of the generator, and of the generator itself where it is trained to the letter of the paper, without noise on graphs.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import torch
from torch import Tensor, nn

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.device import best_device, normal, seeded
from fermiloop.platform.predictors.trainer import follow, run_epochs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fermiloop.platform.generators.ccdcgan.constraint import Pull
    from fermiloop.platform.generators.ccdcgan.options import CcdcganOptions
    from fermiloop.platform.generators.ccdcgan.published import ExponentialPull
    from fermiloop.platform.generators.ccdcgan.spaces import Space

    Pulls = Sequence[Pull | ExponentialPull]

RATE: Final = 2e-4
BETAS: Final = {"bce": (0.5, 0.999), "hinge": (0.0, 0.9)}
PUBLISHED_BETAS: Final = (0.9, 0.999)
BLUR: Final = 0.1
"""Standard deviation of noise on what the discriminator sees of continuous numbers."""
EPOCH: Final = 50
"""Steps between two reports of progress."""
AVERAGE: Final = 0.995


@dataclass(frozen=True)
class GanReport:
    """What a training was like.

    Parameters
    ----------
    history
        Loss of the generator by 50 steps.
    adversarial, pulling
        Mean norms of the gradients of the generator by the discriminator, and by the pulls with their weights.
    """

    history: tuple[float, ...]
    adversarial: float
    pulling: float


class CrystalGan:
    """Makes rows of a space.

    Parameters
    ----------
    space
        Whose rows, and whose networks.
    options
        Sizes and steps.
    seed
        Of the initial weights.
    """

    def __init__(self, space: Space, options: CcdcganOptions, seed: int = 0) -> None:
        self.options, self.smooth, self.device = options, space.smooth(), torch.device("cpu")
        self.published = space.published
        if self.published:
            self.smooth = torch.zeros_like(self.smooth)
        with seeded(seed):
            self.generator, self.discriminator = space.generator(), space.discriminator()
        self.average = deepcopy(self.generator).eval()

    def train(
        self,
        rows: Tensor,
        pulls: Pulls,
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
    ) -> GanReport:
        """Train in place.

        Parameters
        ----------
        rows
            (n, width) of real crystals.
        pulls
            Of frozen models.
        seed, progress, resume
            As in `run_epochs`.

        Raises
        ------
        InputError
            If there are fewer than two crystals.
        """
        if len(rows) < 2:
            raise InputError(f"ccdcgan needs two crystals that fit its limits, not {len(rows)}.")
        random = torch.Generator().manual_seed(seed)
        betas, most = (PUBLISHED_BETAS, 0.0) if self.published else (BETAS[self.options.loss], AVERAGE)
        self._move(best_device(), pulls)
        rows = rows.to(self.device)
        g_optimiser = torch.optim.Adam(self.generator.parameters(), RATE, betas)
        d_optimiser = torch.optim.Adam(self.discriminator.parameters(), RATE, betas)
        norms: list[tuple[float, float]] = []

        def step(epoch: int) -> float:
            losses = []
            with seeded(random):
                for place in range(min(EPOCH, self.options.gan_steps - epoch * EPOCH)):
                    self.discriminator_step(rows, d_optimiser, random)
                    loss, pull = self.generator_losses(pulls, random)
                    if place == 0:
                        norms.append((self._gradient(loss), self._gradient(pull) if pulls else 0.0))
                    g_optimiser.zero_grad()
                    (loss + pull).backward()  # type: ignore[no-untyped-call]
                    g_optimiser.step()
                    follow(self.average, self.generator, min(most, (1 + epoch * EPOCH) / (10 + epoch * EPOCH)))
                    losses.append(float((loss + pull).detach()))
            return sum(losses) / len(losses)

        parts: dict[str, nn.Module | torch.optim.Optimizer] = {
            "generator": self.generator, "discriminator": self.discriminator, "average": self.average,
            "g_optimiser": g_optimiser, "d_optimiser": d_optimiser,
        }  # fmt: skip
        history = run_epochs(parts, -(-self.options.gan_steps // EPOCH), step, random, progress, "ccdcgan", resume)
        self._move(torch.device("cpu"), pulls)
        self.average.eval()
        mean = torch.tensor(norms or [(0.0, 0.0)]).mean(dim=0).tolist()
        return GanReport(history, mean[0], mean[1])

    def discriminator_step(self, rows: Tensor, optimiser: torch.optim.Optimizer, random: torch.Generator) -> float:
        """One step of the discriminator alone; its loss."""
        self.discriminator.train().requires_grad_(True)
        n = min(self.options.batch_size, max(len(rows), 2))
        real = rows[torch.randint(len(rows), (n,), generator=random)]
        with torch.no_grad():
            made = self.generator.train()(self.noise(n, random))
        seen = [self.discriminator(self._blurred(part, random)) for part in (real, made)]
        if self.options.loss == "hinge":
            loss = torch.relu(1 - seen[0]).mean() + torch.relu(1 + seen[1]).mean()
        else:
            loss = nn.functional.softplus(-seen[0]).mean() + nn.functional.softplus(seen[1]).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        return float(loss.detach())

    def generator_losses(self, pulls: Pulls, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """What the generator loses to the discriminator, and by the pulls; neither touches the others' weights."""
        self.discriminator.eval().requires_grad_(False)
        made = self.generator.train()(self.noise(self.options.batch_size, random))
        seen = self.discriminator(self._blurred(made, random))
        loss = -seen.mean() if self.options.loss == "hinge" else nn.functional.softplus(-seen).mean()
        pull = sum((p.weight * p(made).mean() for p in pulls), torch.zeros((), device=made.device))
        return loss, pull

    def noise(self, n: int, random: torch.Generator) -> Tensor:
        """(n, latent) standard normal numbers."""
        return normal((n, self.options.latent), random, self.device)

    def rows(self, noise: Tensor, mask: Tensor | None = None) -> Tensor:
        """(n, width) rows made of (n, latent) noise by the averaged generator; gradients reach the noise."""
        return cast("Tensor", self.average(noise, mask))

    @torch.enable_grad()
    def descended(self, noise: Tensor, pulls: Pulls, mask: Tensor | None, steps: int) -> Tensor:
        """Noise moved so that rows follow the pulls, not far from where normal numbers lie (Adam, rate 0.05)."""
        self.average.requires_grad_(False)
        moved = noise.clone().requires_grad_(True)
        optimiser = torch.optim.Adam([moved], 0.05)
        for _ in range(steps if pulls else 0):
            rows = self.rows(moved, mask)
            loss = sum((p.weight * p(rows) for p in pulls), torch.zeros(len(noise))) + 0.5 * moved.square().mean(dim=1)
            optimiser.zero_grad()
            loss.sum().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        return moved.detach()

    def _move(self, device: torch.device, pulls: Pulls) -> None:
        """Put all networks that take part in a training on one device."""
        self.device = device
        for network in (self.generator, self.discriminator, self.average, *(pull.model for pull in pulls)):
            network.to(device)

    def _blurred(self, rows: Tensor, random: torch.Generator) -> Tensor:
        return rows + BLUR * self.smooth.to(rows.device) * normal(rows.shape, random, rows.device)

    def _gradient(self, loss: Tensor) -> float:
        found = torch.autograd.grad(loss, list(self.generator.parameters()), retain_graph=True, allow_unused=True)
        return float(torch.stack([part.norm() for part in found if part is not None]).norm())

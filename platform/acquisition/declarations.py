"""What the acquisitions are and when to use each; read without their code."""

from __future__ import annotations

from typing import Final

from fermiloop.platform.plugins.acquisitions import AcquisitionDeclaration

CODE: Final = "fermiloop.platform.acquisition.acquisitions"

PROBABILITY: Final = AcquisitionDeclaration(
    "probability",
    "probability of a hit",
    load=f"{CODE}:Probability",
    when="The default wherever the target says what a hit is: a curve, a window or a bound. Not for objectives alone.",
    needs_hits=True,
)
EXPECTED_IMPROVEMENT: Final = AcquisitionDeclaration(
    "expected_improvement",
    "expected improvement of the score",
    load=f"{CODE}:ExpectedImprovement",
    when=(
        "For one objective that is minimised or maximised. With hits to count it comes down to the probability of one "
        "plus a reward for near misses, and was measured to be about as good."
    ),
)
UPPER_CONFIDENCE_BOUND: Final = AcquisitionDeclaration(
    "upper_confidence_bound",
    "expected score plus a multiple of its standard deviation",
    load=f"{CODE}:UpperConfidenceBound",
    when=(
        "To explore where the surrogate is uncertain, by the option exploration; with 0 it is greedy. With hits to "
        "count it was measured to find up to a fifth fewer than probability."
    ),
)
THOMPSON: Final = AcquisitionDeclaration(
    "thompson",
    "one draw of the score for each candidate",
    load=f"{CODE}:Thompson",
    when=(
        "For variety in large batches. Not where few of very many candidates are hits: every candidate is drawn by "
        "itself, so of many poor ones some draw high, and hits come in proportion to their probability."
    ),
)
HYPERVOLUME: Final = AcquisitionDeclaration(
    "hypervolume",
    "expected growth of the Pareto front's hypervolume",
    load=f"{CODE}:Hypervolume",
    when=(
        "The default for two or three objectives, which it trades off. Needs as many objectives. Once the front is "
        "found it prefers nothing: for many crystals near a front, expected_improvement finds some more."
    ),
    fewest_objectives=2,
)
GREEDY: Final = AcquisitionDeclaration(
    "greedy",
    "expected score",
    load=f"{CODE}:Greedy",
    when="To compare with: it takes no account of what is uncertain.",
    baseline=True,
)
RANDOM: Final = AcquisitionDeclaration(
    "random",
    "random choice",
    load=f"{CODE}:Random",
    when="To compare with: what the funnel alone achieves.",
    baseline=True,
    needs_prediction=False,
)

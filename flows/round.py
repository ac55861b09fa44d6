"""One turn of the loop: snapshot and retrain, sample, screen, select, evaluate, close.

The jobs carry the campaign's name and the round's number; everything else they fetch from the store and leave
there, so that each can be run again after a kill and comes to the same end.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from jobflow import Flow, Maker

from fermiloop.flows.rounds.close import CloseMaker
from fermiloop.flows.rounds.retrain import RetrainMaker
from fermiloop.flows.rounds.sample import SampleMaker
from fermiloop.flows.rounds.screen import ScreenMaker
from fermiloop.flows.rounds.select import SelectMaker


@dataclass
class RoundMaker(Maker):
    """A whole round as one flow, and one workflow of its own in FireWorks."""

    name: str = "round"
    retrain_maker: RetrainMaker = field(default_factory=RetrainMaker)
    sample_maker: SampleMaker = field(default_factory=SampleMaker)
    screen_maker: ScreenMaker = field(default_factory=ScreenMaker)
    select_maker: SelectMaker = field(default_factory=SelectMaker)
    close_maker: CloseMaker = field(default_factory=CloseMaker)

    def make(self, campaign: str, number: int) -> Flow:
        """Flow of round `number` of a campaign."""
        retrain = self.retrain_maker.make(campaign, number)  # a frozen training set, fresh checkpoints
        sample = self.sample_maker.make(campaign, number, retrain.output)  # candidates of every generator
        screen = self.screen_maker.make(campaign, number, sample.output)  # the funnel's verdicts
        select = self.select_maker.make(campaign, number, screen.output)  # the batch, and its DFT as a detour
        close = self.close_maker.make(campaign, number, select.output)  # tallies, and what follows
        return Flow([retrain, sample, screen, select, close], name=f"{campaign} {self.name} {number}")


@dataclass
class GenerationMaker(Maker):
    """The first half of a round: of an asynchronous campaign, which selects beside it (`flows.driving`)."""

    name: str = "generation"
    retrain_maker: RetrainMaker = field(default_factory=RetrainMaker)
    sample_maker: SampleMaker = field(default_factory=SampleMaker)
    screen_maker: ScreenMaker = field(default_factory=ScreenMaker)

    def make(self, campaign: str, number: int) -> Flow:
        """Flow of generation `number` of a campaign."""
        retrain = self.retrain_maker.make(campaign, number)
        sample = self.sample_maker.make(campaign, number, retrain.output)
        screen = self.screen_maker.make(campaign, number, sample.output)
        return Flow([retrain, sample, screen], name=f"{campaign} {self.name} {number}")


def flow_of(mode: str, campaign: str, number: int) -> Flow:
    """Flow of a round in one of the two modes of `CampaignSpec.mode`."""
    maker = GenerationMaker() if mode == "asynchronous" else RoundMaker()
    return maker.make(campaign, number)

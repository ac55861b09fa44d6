"""Options of FTCP."""

import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.ftcp.options import OWN, PRESETS, FtcpOptions, training_of


def test_each_preset_fills_in_what_is_left_open():
    assert set(OWN) == set(PRESETS)
    assert training_of("paper", FtcpOptions()).latent == 256
    assert training_of("structured", FtcpOptions(latent=40)).latent == 40
    assert training_of("structured", FtcpOptions(beta=0.0)).beta == 0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"strategy": "magic"}, "magic"),
        ({"epochs": 0}, "epochs"),
        ({"max_sites": -3}, "max_sites"),
        ({"scale": -1.0}, "scale"),
        ({"geometry": -0.1}, "geometry"),
        ({"latent": 4}, "latent"),
        ({"test_share": 1.0}, "test_share"),
    ],
)
def test_nonsense_is_refused(given, told):
    with pytest.raises(InputError, match=told):
        FtcpOptions(**given)


def test_an_unknown_preset_is_refused():
    with pytest.raises(InputError, match="choose one of paper, convolutional, structured"):
        training_of("large", FtcpOptions())

"""The demo's story, from the opening that the page shows to the last digest: every step happens as told."""

from pathlib import Path

import pytest

from labcoat.demo import stage, tour


def test_tour_plays_to_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with stage.raised(tmp_path, has_past=True) as raised:
        tour.play(raised)

    told = capsys.readouterr().out
    assert "every step above really happened" in told
    assert "Ana files a hypothesis" in told
    assert "Learned from 2 of 2 closed: 2 by experiment" in told

"""Drawing charts to pixels."""

import struct

import pytest
from notice_factory import series

from monitor.core.chart import series_svg
from monitor.notifiers import _png
from monitor.notifiers._png import PictureError, png


def test_the_picture_has_the_asked_size():
    picture = png(series_svg(series(), 600, 200), zoom=2.0)
    assert struct.unpack(">II", picture[16:24]) == (1200, 400)


def test_labels_leave_marks():
    svg = series_svg(series())
    assert png(svg) != png(svg.replace("amount", "duration"))


def test_broken_svg_is_a_picture_error():
    with pytest.raises(PictureError, match="could not be drawn"):
        png("<svg")


def test_a_machine_without_fonts_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(_png, "_draw", lambda svg, zoom: b"blank")
    _png._has_font.cache_clear()
    try:
        with pytest.raises(PictureError, match="fonts-dejavu"):
            png(series_svg(series()))
    finally:
        _png._has_font.cache_clear()

"""From SVG text to pixels, for channels that show pictures but no SVG."""

from functools import cache

from monitor.core.chart import FONTS

_PROBE = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20" font-family="{}">{}</svg>'


class PictureError(Exception):
    """A picture could not be drawn; the message goes without it."""


def png(svg: str, *, zoom: float = 2.0) -> bytes:
    """Draw SVG text to PNG, ``zoom`` pixels a unit so that it is sharp on dense screens.

    Raises
    ------
    PictureError
        Where the text cannot be drawn, for want of a font above all.
    """
    if not _has_font():
        raise PictureError("no font is installed for its labels; install one, such as fonts-dejavu-core")
    return _draw(svg, zoom)


def _draw(svg: str, zoom: float) -> bytes:
    try:
        import resvg_py

        return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=zoom))
    except (ImportError, ValueError, RuntimeError, TypeError) as error:
        raise PictureError(f"it could not be drawn ({type(error).__name__})") from error


@cache
def _has_font() -> bool:
    """Whether letters leave any mark: slim containers carry no font, and a chart without labels misleads."""
    fonts = FONTS.replace('"', "'")
    blank = _draw(_PROBE.format(fonts, ""), 1.0)
    return blank != _draw(_PROBE.format(fonts, '<text x="4" y="15" font-size="12">Leeway</text>'), 1.0)

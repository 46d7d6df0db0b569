"""Numbers as people write them: the native units in which a check words what it found."""


def number_text(value: float) -> str:
    """Return a number with three digits and thousands separated: 1180 as ``1,180``, 0.01234 as ``0.0123``."""
    if value == 0 or 1e-4 <= abs(value) < 1e9:
        digits = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
        return "0" if digits == "-0" else digits
    return f"{value:.3g}"


def share_text(share: float) -> str:
    """Return a share in per cent, with decimals where it is small: 0.184 as ``18%``, 0.0042 as ``0.42%``."""
    percent = 100 * share
    if percent == 0 or 10 <= abs(percent) <= 99.5 or abs(percent) >= 99.9995:
        return f"{percent:.0f}%"
    if abs(percent) > 99.5:
        return f"{percent:.4g}%"
    return f"{percent:.2g}%"

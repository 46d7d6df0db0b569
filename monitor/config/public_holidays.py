"""Public holidays by the code of a country.

They come from the ``holidays`` package, which is loaded only where a configuration gives a code.
"""

import re
import warnings
from datetime import date
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, Discriminator, Tag

from monitor.options import Day

FIRST_YEAR, LAST_YEAR = 1970, 2100  # a log is hardly older; what is beyond is not known yet

_WRITE = "write an ISO 3166 code such as US, or with a subdivision such as DE-BY"


@cache
def public_holidays(code: str) -> frozenset[date]:
    """Return the public holidays of a country or of one of its subdivisions, substitute days included.

    Parameters
    ----------
    code : such as ``US`` or ``DE-BY``, as :data:`Country` accepts it.
    """
    import holidays

    country, _, subdivision = code.partition("-")
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    with warnings.catch_warnings():  # that some feasts are known for some of these years only
        warnings.simplefilter("ignore")
        return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=years))


def _known(code: str) -> str:
    import holidays

    countries = holidays.list_supported_countries()
    country, subdivision = [*re.split(r"[-/_\s]+", code.strip(), maxsplit=1), ""][:2]
    if country.upper() not in countries:
        raise ValueError(f"{code!r} is no country whose holidays are known; {_WRITE}, or list the days")
    parts = {part.casefold(): part for part in countries[country.upper()]}
    if subdivision and subdivision.casefold() not in parts:
        known = f"; known are {', '.join(sorted(parts.values()))}" if parts else ", which has none"
        raise ValueError(f"{subdivision!r} is no subdivision of {country.upper()}{known}")
    meant = country.upper() + (f"-{parts[subdivision.casefold()]}" if subdivision else "")
    if code != meant:
        raise ValueError(f"{code!r} is not how the code is written; write {meant}")
    return code


def _form(value: object) -> str | None:
    return "code" if isinstance(value, str) else "days" if isinstance(value, list | tuple) else None


Country = Annotated[str, AfterValidator(_known)]
"""The code of a country, or of one of its subdivisions."""

Holidays = Annotated[
    Annotated[Country, Tag("code")] | Annotated[tuple[Day, ...], Tag("days")],
    Discriminator(
        _form,
        custom_error_type="holidays",
        custom_error_message="must be a country's code such as US or DE-BY, or a list of days such as [2026-12-24]",
    ),
]
"""The code of a country or one of its subdivisions, or a list of days."""

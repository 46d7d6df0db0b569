"""The signature of MLflow's webhooks: Standard Webhooks' scheme, with other headers and the secret's text as key."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from pydantic import SecretStr

from monitor.registries import SignatureError

_TOLERANCE = 300.0  # seconds between the sender's clock and ours


def verify(secret: SecretStr, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Compare a message with its signature.

    Parameters
    ----------
    secret : the webhook's, as it was given to MLflow; unlike Standard Webhooks' it is no base64 but taken as it is.
    headers : of the request, by names in any case.
    body : as it came, to the byte.
    now : by which the message may be at most five minutes old, or early.

    Raises
    ------
    SignatureError
        When it is not signed by the secret, or not just now.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        key, stamp = lower["x-mlflow-delivery-id"], lower["x-mlflow-timestamp"]
        signatures = lower["x-mlflow-signature"].split()
    except KeyError as error:
        raise SignatureError(
            "it carries no signature of MLflow's; give the webhook in MLflow the secret that webhook_secret names"
        ) from error
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12):
        raise SignatureError("its time is no number of seconds")
    if abs(now.timestamp() - int(stamp)) > _TOLERANCE:
        raise SignatureError("it was signed more than five minutes ago, or the clocks differ by as much")
    signed = f"{key}.{stamp}.".encode("utf-8", "surrogateescape") + body
    digest = hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    # All are compared, so that the time says nothing of which one fits.
    fitting = [hmac.compare_digest(expected, each.encode("utf-8", "surrogateescape")) for each in signatures]
    if not any(fitting):
        raise SignatureError("its signature is not the secret's")

"""Slack's own client, held to what the configuration names: no redirect is followed, nothing is sent twice."""

from typing import Any

from monitor.outbound import staying


def web_client(**options: Any) -> Any:
    """Return a WebClient of slack_sdk with these options; see there."""
    from slack_sdk import WebClient

    class _Staying(WebClient):
        # The SDK's own way follows redirects, and takes the token along to wherever they lead.
        def _perform_urllib_http_request_internal(self, url: str, req: Any) -> dict[str, Any]:
            if not url.lower().startswith(("http://", "https://")):
                raise ValueError("Slack's address is none of HTTP")
            with staying().open(req, timeout=self.timeout) as answer:
                charset = answer.headers.get_content_charset() or "utf-8"
                return {"status": answer.status, "headers": answer.headers, "body": answer.read().decode(charset)}

    # The default retry handler sends twice when a connection drops after Slack stored the message.
    return _Staying(retry_handlers=[], **options)

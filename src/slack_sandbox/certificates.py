"""The certificates that this machine trusts, read once: that takes longer than most tests do."""

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """Return what HTTPS is checked against; a client that is given none reads all certificates for itself."""
    return httpx.create_ssl_context(trust_env=False)

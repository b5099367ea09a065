"""Bearer tokens and sessions."""

from rest_framework import authentication


class TokenAuthentication(authentication.BaseAuthentication):
    """Bearer vwg_…"""


class SessionAuthentication(authentication.SessionAuthentication):
    """The portal's session, with CSRF."""

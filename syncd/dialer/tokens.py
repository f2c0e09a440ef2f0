"""Which of a tenant's two tokens goes with which call.

The vendor's documents disagree about adding and deleting. With ``auto`` the guide's token goes first, the other once
after a refusal, and what worked is remembered for the life of the process.
"""

from base64 import b64encode
from enum import StrEnum
from typing import Final

import structlog

from syncd.config import Secret, TenantSettings
from syncd.phone import hide_numbers

_log = structlog.get_logger(__name__)


class Token(StrEnum):
    """The two passwords of a tenant."""

    ACTION = "action"
    DATA = "data"


class Call(StrEnum):
    """The four calls of the API, as a person would name them."""

    STATUS = "status"
    LIST = "list"
    ADD = "add"
    DELETE = "delete"


_GUIDE: Final = {Call.STATUS: Token.DATA, Call.LIST: Token.DATA, Call.ADD: Token.ACTION, Call.DELETE: Token.DATA}
"""What the vendor's guide says."""

_OTHER: Final = {Token.ACTION: Token.DATA, Token.DATA: Token.ACTION}


class Tokens:
    """The tokens of one tenant, and what is known of them. Lives as long as the process."""

    def __init__(self, settings: TenantSettings) -> None:
        self._tenant, self._username = settings.name, settings.username
        self._secrets: dict[Token, Secret] = {Token.ACTION: settings.action_token, Token.DATA: settings.data_token}
        self._choice = {Call.ADD: settings.add_token, Call.DELETE: settings.delete_token}
        self._worked: dict[Call, Token] = {}

    def candidates(self, call: Call) -> tuple[Token, ...]:
        """Return the tokens to try for a call, in order: one, or two where nothing is known yet."""
        if call in self._worked:
            return (self._worked[call],)
        choice = self._choice.get(call, _GUIDE[call])
        if choice != "auto":
            return (Token(choice),)
        return (_GUIDE[call], _OTHER[_GUIDE[call]])

    def authorization(self, token: Token) -> str:
        """Return the value of the ``Authorization`` header."""
        pair = f"{self._username}:{self._secrets[token].reveal()}"
        return "Basic " + b64encode(pair.encode()).decode()

    def worked(self, call: Call, token: Token) -> None:
        """Remember the token that a call was let in with."""
        if call in self._worked or self._choice.get(call) != "auto":
            return
        self._worked[call] = token
        _log.info("dialer.token_found", tenant=self._tenant, call=call.value, token=token.value)

    def renewed(self, token: Token, refused: str) -> bool:
        """Say whether there is a newer value than the refused ``Authorization``, reading the secret anew if needed."""
        return self.authorization(token) != refused or self._secrets[token].reread()

    def mask(self, text: str) -> str:
        """Return a text of the vendor without the tokens, which an error page may echo, and without phone numbers."""
        for token in Token:
            for secret in (self.authorization(token).removeprefix("Basic "), self._secrets[token].reveal()):
                text = text.replace(secret, "***")
        return hide_numbers(text)

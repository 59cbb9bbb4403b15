"""The registrar of the lab: authenticates phones and keeps their bindings."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from harness.lab.reply import Reply
from harness.net.address import Address
from harness.sip.digest import Challenger
from harness.sip.message import SipMessage, addr_spec, split_list

DEFAULT_EXPIRES_S = 3600
WRONG_UNTIL_FORBIDDEN = 3
"""The number of refusals after which a phone with a wrong password gets 403, because it would retry for ever."""
_EXPIRES = re.compile(r";\s*expires\s*=\s*\"?(\d+)", re.IGNORECASE)
_USER = re.compile(r"sips?:([^@;>]*)@", re.IGNORECASE)


@dataclass(frozen=True)
class Account:
    """The account that may register."""

    user: str
    password: str = ""
    """Empty if no password is required."""
    realm: str = "sipverdict"
    longest_s: int = DEFAULT_EXPIRES_S
    """The longest granted registration, in seconds.  A short one makes re-registrations visible."""


@dataclass(frozen=True)
class Registration:
    """One Contact of the phone."""

    contact: str
    source: Address
    """The source of its REGISTER, which behind a NAT differs from the Contact."""
    until: float
    """Seconds since the epoch."""


class Registrar:
    """Answers REGISTER (RFC 3261 section 10.3).  It uses no clock and no socket."""

    def __init__(self, account: Account | None = None) -> None:
        """``account`` None: any phone may register."""
        self.account = account
        self.refused: Counter[str] = Counter()
        """The number of refused REGISTERs, by reason."""
        self._bindings: dict[str, Registration] = {}
        self._wrong: Counter[str] = Counter()
        self._challenger = None
        if account and account.password:
            self._challenger = Challenger(account.user, account.password, account.realm)

    def current(self, now: float) -> tuple[Registration, ...]:
        """The bindings at ``now``, the newest first."""
        return tuple(sorted((b for b in self._bindings.values() if b.until > now), key=lambda b: -b.until))

    def answer(self, request: SipMessage, source: Address, now: float) -> Reply:
        """Take one REGISTER that came from ``source`` at ``now`` (epoch)."""
        if reply := self._who(request, source):
            return reply
        return self._bind(request, source, now)

    def forget(self) -> None:
        """Remove all bindings."""
        self._bindings.clear()

    def notes(self) -> tuple[str, ...]:
        """Remarks for the tester on the phone's registrations, one sentence each."""
        notes = [f"{count} REGISTER refused: {why}" for why, count in self.refused.items()]
        sources = sorted({str(binding.source) for binding in self._bindings.values()})
        if len(sources) > 1:
            notes.append(f"it registered from {' and '.join(sources)}: calls to it go to the newest")
        return tuple(notes)

    def _who(self, request: SipMessage, source: Address) -> Reply | None:
        """The refusal of a phone that may not register; None for one that may."""
        if self.account is None:
            return None
        user = _user_of(request.to_uri)
        if user != self.account.user:
            self.refused[f"the user is {user[:40]!r}, expected {self.account.user!r} (lab.registration.user)"] += 1
            return Reply(404, "Not Found")
        if self._challenger is None:
            return None
        authorization = request.header("Authorization")
        if authorization is None:
            return self._asks()
        if self._challenger.accepts(authorization, "REGISTER"):
            if self._challenger.knows_nonce(authorization):
                return None
            return self._asks(stale=True)
        self.refused[f"a wrong password, or another realm than {self.account.realm!r}"] += 1
        self._wrong[str(source)] += 1
        if self._wrong[str(source)] >= WRONG_UNTIL_FORBIDDEN:
            return Reply(403, "Forbidden")
        return self._asks()

    def _asks(self, *, stale: bool = False) -> Reply:
        assert self._challenger
        return Reply(401, "Unauthorized", (f"WWW-Authenticate: {self._challenger.challenge(stale=stale)}",))

    def _bind(self, request: SipMessage, source: Address, now: float) -> Reply:
        values = [value for line in request.headers("Contact") for value in split_list(line)]
        default = _number(request.header("Expires"), DEFAULT_EXPIRES_S)
        if values == ["*"]:
            if default != 0:
                self.refused["Contact: * without Expires: 0"] += 1
                return Reply(400, "Bad Contact")
            self._bindings.clear()
        else:
            longest = self.account.longest_s if self.account else DEFAULT_EXPIRES_S
            for value in values:
                found = _EXPIRES.search(value)
                seconds = min(int(found[1][:10]) if found else default, longest)
                uri = addr_spec(value)
                self._bindings.pop(uri, None)
                if seconds:
                    self._bindings[uri] = Registration(uri, source, now + seconds)
        registered = (f"Contact: <{b.contact}>;expires={max(1, round(b.until - now))}" for b in self.current(now))
        return Reply(200, "OK", tuple(registered))


def _user_of(uri: str) -> str:
    found = _USER.match(uri)
    return found[1] if found else ""


def _number(text: str | None, default: int) -> int:
    digits = (text or "").strip()
    return int(digits[:10]) if digits.isdecimal() else default

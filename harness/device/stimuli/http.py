"""``kind = "http"``: a request to the device's web server, the click-to-dial of desk phones."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

import httpx
from pydantic import AfterValidator, BeforeValidator, Field

from harness.device.stimuli.base import Act, Stimulus, StimulusContext, shown
from harness.device.stimuli.http_client import certificate_check, certificate_refused, client
from harness.device.stimuli.patterns import found_by, id_regex, regex
from harness.device.stimuli.templates import ESCAPES, Templated, TemplatedSection
from harness.device.tables.placeholders import START
from harness.device.tables.profile_tables import ProfileTables
from harness.device.tables.values import Line, Seconds, Section
from harness.errors import DeviceError

_TYPES: Final = {
    "form": "application/x-www-form-urlencoded",
    "json": "application/json",
    "xml": "text/xml",
    "text": "text/plain; charset=utf-8",
}
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def _url(text: str) -> str:
    if not re.match(r"https?://[^\s/]+", text, re.IGNORECASE):
        raise ValueError(f"expected a URL that begins with http:// or https://; got {text!r}")
    return text


def _request(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


class Request(Section):
    """The request of one act.  A URL alone is a GET."""

    url: Annotated[Line, AfterValidator(_url)]
    """The values of ``{uri}``, ``{user}`` and ``{id}`` are percent-encoded, including every reserved character."""
    method: Literal["GET", "POST"] = "GET"
    body: str | None = None
    """The body of a POST.  Values in it are escaped for ``body_type``."""
    body_type: Literal["form", "json", "xml", "text"] = "form"
    headers: dict[str, Line] = Field(default_factory=dict)
    """Further header fields.  A ``Content-Type`` here replaces that of ``body_type``."""

    def texts(self) -> tuple[str, ...]:
        """Every text that may hold placeholders."""
        return (self.url, self.body or "", *self.headers.values())


Ask = Annotated[Request, BeforeValidator(_request, json_schema_input_type=str | Request)]


class HttpStimulus(TemplatedSection):
    """A GET or POST per act.  Redirects are not followed: they could place a call twice."""

    kind: Literal["http"]
    auth: Literal["none", "basic", "digest"] = "none"
    username: Line | None = None
    password: str | None = None
    """Preferably ``{secret:NAME}``.  It appears in no message and no report."""
    verify: bool | str = True
    """Whether the certificate of an https URL is checked; or the PEM file of the authority that signed it."""
    call: Ask | None = None
    hangup: Ask | None = None
    reinvite: Ask | None = None
    answer: Ask | None = None
    reject: Ask | None = None
    expect: Annotated[tuple[Annotated[int, Field(ge=100, le=599)], ...], Field(strict=False)] = ()
    """The statuses that mean success.  Absent: 200 to 299."""
    refused: Annotated[Line, AfterValidator(regex)] | None = None
    """A regular expression for a body that means refusal, regardless of the status."""
    id_pattern: Annotated[str, AfterValidator(id_regex)] | None = None
    """Finds ``{id}`` for ``hangup`` and ``reinvite`` in the answer to ``call``."""
    timeout_s: Seconds = 5.0

    start_names: ClassVar[frozenset[str]] = START
    has_control: ClassVar[bool] = True

    def request(self, act: str) -> Request | None:
        """The request of ``act``; None if the profile has none."""
        found = getattr(self, act, None)
        return found if isinstance(found, Request) else None

    def texts(self, act: str) -> tuple[str, ...]:
        """URL, body and header values."""
        request = self.request(act)
        return request.texts() if request else ()

    def names(self, act: str) -> frozenset[str]:
        """``{id}`` as well, if it can be found."""
        has_id = self.id_pattern and act in ("hangup", "reinvite")
        return super().names(act) | (frozenset({"id"}) if has_id else frozenset())

    def contradictions(self, profile: ProfileTables) -> Iterator[tuple[str, str]]:
        """Those of every kind; a missing password; requests that cannot be sent."""
        yield from super().contradictions(profile)
        for key in ("username", "password"):
            if (getattr(self, key) is None) != (self.auth == "none"):
                wrong = (
                    f'missing with auth = "{self.auth}"' if self.auth != "none" else 'needs auth = "basic" or "digest"'
                )
                yield f"stimulus.{key}", wrong
        for act in self.acts:
            request = self.request(act)
            assert request
            if request.body is not None and request.method == "GET":
                yield f"stimulus.{act}.body", 'a GET has no body: expected method = "POST" with it'
            for name in request.headers:
                if not _HEADER_NAME.fullmatch(name):
                    yield f"stimulus.{act}.headers", f"{name!r} is not the name of a header"

    def make(self, context: StimulusContext) -> Stimulus:
        """A client.  It has sent nothing yet."""
        return Http(self, context)


class Http(Templated):
    """Sends requests, one at a time: the web servers of phones are small."""

    name = "HTTP"

    def __init__(self, section: HttpStimulus, context: StimulusContext) -> None:
        super().__init__(section, context)
        self._section = section
        self._lock = asyncio.Lock()
        self._client = client(
            section.auth,
            context.fill(section.username or ""),
            context.fill(section.password or ""),
            verify=certificate_check(section.verify, Path(context.values.get("here", ".")), context.device),
            timeout_s=section.timeout_s,
        )
        self._ids: dict[str, str] = {}
        self._said = ""

    def remark(self) -> str:
        """Its last answer."""
        return self._said

    async def probe(self, deadline: float) -> None:
        """Return when the web server of the call's URL takes a connection."""
        request = next(filter(None, map(self._section.request, self._section.acts)))
        url = httpx.URL(self._fill(request.url, "sip:probe@localhost", ESCAPES["url"], id="0"))
        port = url.port or (443 if url.scheme == "https" else 80)
        async with asyncio.timeout(deadline):
            while True:
                try:
                    _, writer = await asyncio.open_connection(url.host, port)
                except OSError:
                    await asyncio.sleep(0.02)
                    continue
                writer.close()
                return

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def _say(self, act: Act, template: tuple[str, ...], uri: str) -> None:
        request = self._section.request(act)
        assert request
        more = self._id(act, uri) if any("{id}" in text for text in template) else {}
        async with self._lock:
            response = await self._send(act, request, uri, more)
        body = response.content.decode("utf-8", "replace")
        self._judge(act, request, response, body)
        if act == "call" and self._section.id_pattern and (found := found_by(self._section.id_pattern, body)):
            self._ids[uri] = found

    async def _send(self, act: Act, request: Request, uri: str, more: dict[str, str]) -> httpx.Response:
        headers = {name: self._fill(value, uri, ESCAPES["none"], **more) for name, value in request.headers.items()}
        content = None
        if request.method == "POST":
            content = self._fill(
                request.body or "", uri, ESCAPES.get(request.body_type, ESCAPES["none"]), **more
            ).encode()
            if "content-type" not in {name.lower() for name in headers}:
                headers["Content-Type"] = _TYPES[request.body_type]
        url = self._fill(request.url, uri, ESCAPES["url"], **more)
        cannot = f"{self.device} could not be asked to {act} by HTTP ({request.method} {request.url})"
        hint = f"try it with curl or a browser; see stimulus.{act} of its profile"
        try:
            async with asyncio.timeout(self._section.timeout_s):
                return await self._client.request(request.method, url, content=content, headers=headers)
        except (TimeoutError, httpx.TimeoutException):
            raise DeviceError(
                f"{cannot}: no answer in {self._section.timeout_s:g} s",
                f"{hint}; raise stimulus.timeout_s if it is slow",
            ) from None
        # KeyError, NotImplementedError: an unknown digest algorithm or qop.
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, KeyError, NotImplementedError) as error:
            why = shown(str(error)) or type(error).__name__
            if certificate_refused(error):
                hint = (
                    "give stimulus.verify the file of the authority that signed its certificate, or say verify = false"
                )
            raise DeviceError(f"{cannot}: {why}", hint) from error

    def _judge(self, act: Act, request: Request, response: httpx.Response, body: str) -> None:
        """DeviceError if the answer is a refusal."""
        section, status = self._section, response.status_code
        said = f": {shown(body)}" if body.strip() else ""
        self._said = f"it answered the HTTP request {status}{said}"
        if section.auth == "digest" and not any(one.status_code == 401 for one in response.history):
            self._said += ", and never asked for the password"
        answered = f"{self.device} answered {status} to {request.method} {request.url}"
        if status in section.expect or (not section.expect and 200 <= status < 300):
            if section.refused and re.search(section.refused, body):
                raise DeviceError(f"{self.device} refused to {act}{said}", f"see stimulus.{act} of its profile")
            return
        if 300 <= status < 400 and "location" in response.headers:
            raise DeviceError(
                f"{answered}, which leads to {shown(response.headers['location'])}: redirects are not followed",
                f"put the URL that does it into stimulus.{act} (https for http, a login page left out)",
            )
        if status in (401, 403):
            asks = shown(response.headers.get("www-authenticate", ""), 80)
            asked = f" and asks for {asks}" if asks else ""
            if section.auth == "none":
                raise DeviceError(
                    f"{answered}{asked}", 'set stimulus.auth = "digest" or "basic", username and password'
                )
            raise DeviceError(
                f"{answered}{asked}: it rejects the user name and password of the profile",
                f'check stimulus.username, stimulus.password and stimulus.auth (now "{section.auth}"), '
                "and whether the phone allows remote control from this address",
            )
        raise DeviceError(f"{answered}{said}", f"see stimulus.{act} and stimulus.expect of its profile")

    def _id(self, act: str, uri: str) -> dict[str, str]:
        if uri not in self._ids:
            raise DeviceError(
                f"{self.device} could not be asked to {act}: its answer named no call to {uri} ({self._said})",
                "see stimulus.id_pattern of its profile",
            )
        return {"id": self._ids[uri]}

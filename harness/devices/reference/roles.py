"""What the device can be: the core that ``--role`` stands for."""

from __future__ import annotations

from functools import partial

from .answering import AnsweringDevice
from .device import Core
from .proxy import Proxy
from .redirect import RedirectServer
from .user_agent import UserAgent

ROLES: dict[str, Core] = {
    "ua": UserAgent,
    "proxy": Proxy,
    "recursing-proxy": partial(Proxy, recursing=True),
    "redirect": RedirectServer,
    "uas": AnsweringDevice,
}

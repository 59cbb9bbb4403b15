"""The device under test: its profile, its process, and how it is made to call.

>>> profile = load_profile("reference")
>>> async with Device(profile, address=Address("127.0.50.1")) as device:
...     await device.call("sip:7001@127.0.50.2:5060")
"""

from harness.device.device import Device
from harness.device.profile.loading import builtin_profiles, load_profile, load_profiles
from harness.device.profile.models import Profile
from harness.device.stimuli import Stimulus
from harness.device.tables.pics import PICS
from harness.net.probe import Prober
from harness.net.probes import options_ping

__all__ = [
    "PICS",
    "Device",
    "Prober",
    "Profile",
    "Stimulus",
    "builtin_profiles",
    "load_profile",
    "load_profiles",
    "options_ping",
]

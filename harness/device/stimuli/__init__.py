"""What makes a device act: one module per kind, each with its table of the profile and the class that performs it.

========================  =====================================================================
:mod:`.base`              :class:`Stimulus`, the Protocol, and what one is made with
:mod:`.section`           :class:`StimulusSection`, the table that every kind has in the profile
:mod:`.templates`         filling in and escaping what a profile wants said
:mod:`.registry`          the kinds by name: those here, and those that other packages bring
``stdin tcp command``     a line to a process, messages to a control port, a program
``http ami esl refer``    a web page, Asterisk, FreeSWITCH, a REFER
``manual sipp``           a person; a SIPp caller through the device, which the driver starts
========================  =====================================================================

Whatever is inserted (a URI, a secret) is data: it never goes through a shell, and never begins a second line.
"""

from harness.device.stimuli.base import ACTS, Act, Stimulus, StimulusBase, StimulusContext
from harness.device.stimuli.section import StimulusSection
from harness.device.stimuli.templates import TemplatedSection

__all__ = ["ACTS", "Act", "Stimulus", "StimulusBase", "StimulusContext", "StimulusSection", "TemplatedSection"]

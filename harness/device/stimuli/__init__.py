"""The ways to make a device act: one module per kind, with its table of the profile and its implementation.

========================  =====================================================================
:mod:`.base`              :class:`Stimulus`, the Protocol, and its context
:mod:`.section`           :class:`StimulusSection`, the table that every kind has in the profile
:mod:`.templates`         filling in and escaping the templates of a profile
:mod:`.registry`          the kinds by name: those here, and those that other packages bring
``stdin tcp command``     a line to a process, messages to a control port, a program
``http ami esl refer``    a web page, Asterisk, FreeSWITCH, a REFER
``manual sipp``           a person; a SIPp caller through the device, which the driver starts
========================  =====================================================================

An inserted value (a URI, a secret) is data: it never passes through a shell and never begins a second line.
"""

from harness.device.stimuli.base import ACTS, Act, Stimulus, StimulusBase, StimulusContext
from harness.device.stimuli.section import StimulusSection
from harness.device.stimuli.templates import TemplatedSection

__all__ = ["ACTS", "Act", "Stimulus", "StimulusBase", "StimulusContext", "StimulusSection", "TemplatedSection"]

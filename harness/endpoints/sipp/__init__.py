"""SIPp as the tester: what it is told to do, and the processes that do it.

======================================================  ========================================================
:func:`binary.find_sipp`                                the program and its version
:func:`answer_scenario.render_answer`                   from a plan's endpoint to SIPp XML
:func:`call_scenario.render_call`                       from a plan's call to SIPp XML
:class:`host.SippHost`                                  opens seats: each a tap, and the SIPp behind it
:class:`actor.Actor`                                    the SIPp of one seat, started when it has something to do
:class:`process.SippProcess`                            one running SIPp
:class:`readiness.Readiness`                            knowing that a socket is bound, for many at once
======================================================  ========================================================
"""

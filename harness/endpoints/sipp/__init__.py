"""SIPp as the tester: scenarios, processes and what they saw.

==================================================  =========================================================
:func:`binary.find_sipp`                            the program and its version
:func:`scenario.render_answer`, ``render_call``     from a plan's endpoint or call to SIPp XML
:class:`process.SippProcess`                        one running SIPp; :class:`process.PortTaken`
:class:`readiness.Readiness`                        knowing that a socket is bound, for many at once
:class:`tail.Tail`                                  messages as they are logged, from many SIPps
:class:`trace.TraceReader`, :func:`trace.unreadable`  the message log and the error log
==================================================  =========================================================

In use::

    binary = find_sipp()
    readiness = Readiness()
    async with Tail(folder, on_message) as tail:
        callee = SippProcess("callee", render_answer(endpoint, places, own), own, folder, sipp=binary.path)
        tail.follow("callee", callee.message_log)
        await callee.start(readiness)
        ...
        callee.hang_up(call_id)  # the tester's BYE, where an answer says then="wait"
        await callee.stop()
        tail.drain("callee")
"""

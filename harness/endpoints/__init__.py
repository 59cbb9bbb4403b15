"""The tester's side of the wire: a protocol for endpoint hosts, and SIPp, the only host so far."""

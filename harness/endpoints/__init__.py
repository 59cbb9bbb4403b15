"""The tester's side of the wire: an endpoint host behind one protocol, and SIPp as the one there is."""

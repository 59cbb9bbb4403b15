"""SIP itself: messages, URIs, digests, reason phrases.  Each is read in one place."""

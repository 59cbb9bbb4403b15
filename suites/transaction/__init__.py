"""The INVITE client transaction under a 3xx-6xx: ACKs, copies, the Completed state."""

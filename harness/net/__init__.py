"""Addresses and sockets of this machine: pools that lease them, who has one bound, an OPTIONS ping."""

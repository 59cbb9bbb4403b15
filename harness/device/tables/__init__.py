"""The tables of a profile as typed, frozen data: all of them but ``[stimulus]``, whose kinds are built on these."""

"""The smoke: checks that a device can make or take a call, before any test."""

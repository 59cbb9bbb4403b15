"""Devices that answer a call themselves: phones that forward or decline, and everything with a server side."""

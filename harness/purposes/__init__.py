"""Test purposes: how one is declared, found, checked and brought to a verdict."""

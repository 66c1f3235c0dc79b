"""Worlds for each role, made once a run; every test opens its own connections to them."""

"""Arithmetic that is quick and not for reading. See README.md here for each one's plain twin."""

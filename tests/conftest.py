"""For all tests."""

from hypothesis import settings

# A slow or busy machine is no mistake: no test asserts a time.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

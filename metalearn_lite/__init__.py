"""metalearn_lite: the small package behind the course. Start with ``notebooks/00_start_here``."""

__version__ = "0.1.0"

"""metalearn_lite: the small package behind the course. Start with ``notebooks/00_start_here``."""

from metalearn_lite import torchvision_import as torchvision_import

__version__ = "0.1.0"

"""What pyproject.toml cannot say: what ships of data/ is packed as metalearn_lite/shipped/."""

from setuptools import find_namespace_packages, setup

SHIPPED = {
    "metalearn_lite.shipped": "data",
    "metalearn_lite.shipped.checkpoints": "data/checkpoints",
}

setup(
    packages=[*find_namespace_packages(include=["metalearn_lite*"]), *SHIPPED],
    package_dir=SHIPPED,
)

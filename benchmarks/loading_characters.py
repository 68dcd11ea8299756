"""How long a small set of Omniglot takes: decoded from its archive, and then from the cache."""

import tempfile
import time
from pathlib import Path
from unittest.mock import patch

from metalearn_lite.tasks.characters import Omniglot

TARGETS = {"decoded": 3.0, "from the cache": 0.3}


def main() -> None:
    print("\nSeconds of the processor for Omniglot's small1")
    with (
        tempfile.TemporaryDirectory() as empty,
        patch.dict("os.environ", XDG_CACHE_HOME=empty),
        patch("metalearn_lite.paths.data_folder", lambda: Path(empty) / "data"),
    ):
        for how, target in TARGETS.items():
            started = time.process_time()
            try:
                Omniglot("small1")
            except OSError as error:
                print(f"  not measured: {error}")
                return
            seconds = time.process_time() - started
            verdict = "reached" if seconds <= target else "MISSED"
            print(f"  {how:16}{seconds:.2f} s   ≤ {target} s {verdict}")


if __name__ == "__main__":
    main()

"""What importing metalearn_lite costs beyond `import torch`. Each round is a process of its own."""

import statistics
import subprocess
import sys

ROUNDS = 7
TARGET_SECONDS = 0.3
CODE = """
import time, torch
started = time.perf_counter()
import metalearn_lite.checkpoints, metalearn_lite.evaluation, metalearn_lite.teaching
import metalearn_lite.tasks.characters, metalearn_lite.tasks.sinusoids, metalearn_lite.training
print(time.perf_counter() - started)
"""


def main() -> None:
    runs = [
        float(subprocess.run([sys.executable, "-c", CODE], capture_output=True, check=True).stdout)
        for _ in range(ROUNDS)
    ]
    seconds = statistics.median(runs)
    verdict = "reached" if seconds <= TARGET_SECONDS else "MISSED"
    print("\nImport of metalearn_lite beyond torch")
    print(f"  median {seconds:.3f} s, worst {max(runs):.3f} s   ≤ {TARGET_SECONDS} s {verdict}")


if __name__ == "__main__":
    main()

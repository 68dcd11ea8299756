"""What a server of the hub begins with: its owner's own copy of the course, then the server.

`make hub` lays it beside the package. It runs under the owner's account.
"""

import os
import sys
from pathlib import Path

COURSE = Path(__file__).resolve().parent

if "/settings/learner" in os.environ.get("JUPYTER_CONFIG_PATH", ""):
    try:
        from metalearn_lite.teaching import workbook

        workbook.main([], COURSE / "notebooks", Path.home() / "workbook")
    except Exception as error:  # a learner without a copy still has a server
        print(f"no copy of the course was made: {error}", file=sys.stderr)

os.execv(sys.executable, [sys.executable, "-m", "jupyterhub.singleuser", *sys.argv[1:]])

"""`make hub`: prepares the class and runs JupyterHub until Ctrl+C."""

import argparse
import os
import sys
from pathlib import Path

from instructor.hub.classroom import CLASS, FOLDER, HERE, Unready, ensure_root, prepare, read_class
from instructor.plan import TOML, BadPlan, read_plan


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m instructor.hub", description=__doc__)
    parser.add_argument("--class", dest="who", type=Path, default=CLASS, help="who is in it")
    parser.add_argument("--plan", type=Path, default=TOML, help="what is set")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: %(default)s")
    parser.add_argument("--port", type=int, default=8000, help="and the two after it")
    parser.add_argument("--prepare", action="store_true", help="prepare only")
    options = parser.parse_args()
    os.umask(0o022)
    try:
        ensure_root()
        plan, folder = read_plan(options.plan), options.folder.absolute()
        settings = prepare(read_class(options.who), plan, folder, options.port)
    except (BadPlan, Unready) as error:
        sys.exit(f"The hub is not started: {error}")
    if not list((folder / "data").rglob("images_*.zip")):
        print("There are no Omniglot images to share: learners' notebooks draw their own alphabets")
        print("instead. To share them, run it with METALEARN_LITE_DATA=a folder that has them.")
    print(f"Ready in {folder}; passwords in {settings.with_name('passwords.json')}")
    if options.prepare:
        return
    print(f"The hub: http://127.0.0.1:{options.port}/ (this machine alone)", flush=True)
    os.environ["METALEARN_LITE_HUB"] = str(settings)
    config = str(HERE / "jupyterhub_config.py")
    os.chdir(settings.parent)
    os.execv(sys.executable, [sys.executable, "-m", "jupyterhub", "-f", config])


if __name__ == "__main__":
    main()

"""How JupyterHub runs on one machine, for that machine alone. `make hub` calls it."""

import json
import os
from pathlib import Path

c = get_config()  # noqa: F821  traitlets defines it

hub = json.loads(Path(os.environ["METALEARN_LITE_HUB"]).read_text(encoding="utf-8"))
folder, port = Path(hub["folder"]), hub["port"]
state, course = folder / "state", folder / "course"
beside_python = Path(hub["python"]).parent

# Nothing listens but on 127.0.0.1: the proxy to browsers, the hub, the proxy to the hub.
c.JupyterHub.bind_url = f"http://127.0.0.1:{port}/"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{port + 1}/"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{port + 2}/"
c.ConfigurableHTTPProxy.command = [hub["proxy"]]
c.ConfigurableHTTPProxy.pid_file = str(state / "proxy.pid")
c.Spawner.ip = "127.0.0.1"
c.JupyterHub.db_url = f"sqlite:///{state / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(state / "cookie_secret")

# One password for all learners: each could sign in as another. For a class that is graded take
# the accounts' own passwords: HUB_AUTHENTICATOR=pam.
c.JupyterHub.authenticator_class = os.environ.get("HUB_AUTHENTICATOR") or "shared-password"
c.Authenticator.allowed_users = {hub["instructor"], *hub["learners"]}
c.Authenticator.admin_users = {hub["instructor"]}
c.SharedPasswordAuthenticator.user_password = hub["passwords"]["learners"]
c.SharedPasswordAuthenticator.admin_password = hub["passwords"]["instructor"]


def settings(spawner):
    role = "instructor" if spawner.user.name == hub["instructor"] else "learner"
    return str(folder / "settings" / role)


def open_first(spawner):
    if spawner.user.name != hub["instructor"]:
        spawner.default_url = "/lab/tree/workbook/00_start_here.ipynb"


# Each server is a process of its owner's account: nbgrader asks who that is.
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.Spawner.cmd = [hub["python"], str(course / "start.py")]
c.Spawner.default_url = "/lab"
c.Spawner.pre_spawn_hook = open_first
c.Spawner.environment = {
    "JUPYTER_CONFIG_PATH": settings,
    "METALEARN_LITE_DATA": str(folder / "data"),
    "PATH": os.pathsep.join([str(beside_python), os.environ["PATH"]]),
    "PYTHONPATH": str(course),
}
# The first start copies the course, and a busy machine takes its time.
c.Spawner.start_timeout = c.Spawner.http_timeout = 300

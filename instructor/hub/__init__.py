"""JupyterHub on one machine: `make hub`. `classroom` prepares, `jupyterhub_config.py` runs it."""

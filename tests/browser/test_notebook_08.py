"""Notebook 08 in JupyterLab in Chromium: it runs, its exercises answer, its quiz replies."""

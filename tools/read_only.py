"""For `make lab` where no `workbook/` can be made: nothing is saved into `notebooks/`."""

from jupyter_server.auth import Authorizer


class ReadOnlyNotebooks(Authorizer):
    """Given to JupyterLab as `--ServerApp.authorizer_class`. Other folders are saved into."""

    def is_authorized(self, handler, user, action, resource) -> bool:
        writes = resource == "contents" and action == "write"
        return not (writes and "/api/contents/notebooks" in handler.request.path)

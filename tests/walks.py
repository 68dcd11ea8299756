"""A way through a widget's model, as hypothesis makes them up: what a reader might do."""


def do(model, name: str, *values) -> None:
    """Calls the method ``name`` with ``values``, or sets the attribute of that name."""
    if hasattr(type(model), name):
        getattr(model, name)(*values)
    else:
        setattr(model, name, *values)

"""placeholder until the renderer lands"""


class Figure: ...

"""What Sphinx reads. `python -m tools.site.build` lays the pages into build/site-source before."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools.site import links

project = "metalearn-lite"
author = "the metalearn-lite authors"
copyright = "the metalearn-lite authors: code MIT, text CC BY 4.0"
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "tools.site.extension",
]

nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["attrs_inline", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
myst_dmath_double_inline = True

html_theme = "sphinx_book_theme"
html_title = "metalearn-lite"
html_baseurl = links.SITE
html_copy_source = False
html_show_sourcelink = False
html_domain_indices = False
html_use_index = False
templates_path = ["templates"]
html_static_path = ["static"]
STATIC = sorted(Path(__file__).with_name("static").iterdir())
html_css_files = ["katex/katex.min.css", *(path.name for path in STATIC if path.suffix == ".css")]
html_js_files = [
    ("site.js", {"defer": "defer"}),
    *(
        (path.name, {"type": "module"})
        for path in STATIC
        if path.name in ("figures.js", "drawing.js")
    ),
]
html_sidebars = {"**": ["brand.html", "search-box.html", "sbt-sidebar-nav.html"]}
html_context = {"default_mode": "auto"}
html_theme_options = {
    "home_page_in_toc": False,
    "navigation_with_keys": False,
    "pygments_dark_style": "a11y-dark",
    "pygments_light_style": "a11y-high-contrast-light",
    "max_navbar_depth": 1,
    "navbar_persistent": [],
    "shorten_urls": False,  # it adds icons of a font that is not here
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
}

suppress_warnings = ["ref.python"]  # two modules may have a class of one name
add_module_names = False
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
default_role = "code"  # as Markdown has it

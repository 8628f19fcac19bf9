"""A page that no notebook made: reports told side by side, or what learners did, in the style of a report and without
any script.
"""

from __future__ import annotations

import html
from importlib.resources import files

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def document(title: str, content: str) -> str:
    """One HTML file that needs nothing else. Arguments: title, text; content, HTML in which text is escaped already."""
    named = html.escape(title)
    styles = ("report.css", "page.css", "document.css")
    style = "".join(files(__package__).joinpath(name).read_text("utf-8") for name in styles)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="referrer" content="no-referrer">\n<title>{named}</title>\n<style>{style}</style>\n</head>\n'
        f'<body>\n<main class="mk-report">\n<h1>{named}</h1>\n{content}\n</main>\n</body>\n</html>\n'
    )

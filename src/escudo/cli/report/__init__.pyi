"""What the commands use of reports, by name; each is loaded when it is asked for."""

from .html import render_html as render_html
from .markdown import render_markdown as render_markdown

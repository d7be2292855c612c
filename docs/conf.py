"""Sphinx's settings; the pages come from tools/docs.py, the package's metadata from settings.ini."""
import sys
from pathlib import Path

from docutils.nodes import Element, SkipNode
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT/'tools'))
from project import settings  # noqa: E402

ini = settings(ROOT)
project, author, release = ini['lib_name'], ini['author'], ini['version']
copyright = author

extensions = ['myst_nb']
exclude_patterns = ['_build']
nb_execution_mode = 'off'  # the notebooks are tested elsewhere; the site shows their stored outputs
nb_output_stderr = 'remove'
nb_merge_streams = True
nb_code_prompt_show, nb_code_prompt_hide = 'Source', 'Source'
nb_number_source_lines = False
myst_enable_extensions = ['amsmath', 'attrs_block', 'attrs_inline', 'colon_fence', 'deflist', 'dollarmath']
myst_dmath_double_inline = True
myst_heading_anchors = 3
suppress_warnings = ['myst.header']  # a notebook may go from ## to ####

html_theme = 'sphinx_book_theme'
html_title = f'{project} {release}'
html_static_path = ['_static']
html_context = dict(default_mode='auto')  # or else the theme complains on a first visit
html_css_files = ['site.css']
html_js_files = ['site.js']
html_search_scorer = str(ROOT/'docs'/'scorer.js')
html_favicon = '_static/favicon.svg'
html_math_renderer = 'mathml'
html_copy_source = html_show_sourcelink = html_show_copyright = False
html_last_updated_fmt = None
html_theme_options = dict(repository_url=ini['git_url'], use_repository_button=True, use_issues_button=True, use_download_button=False,
                          use_fullscreen_button=False, show_toc_level=2, show_navbar_depth=1, navbar_persistent=[],
                          extra_footer=f'Version {release} · <a href="{ini["git_url"]}/tree/gh-pages">other versions</a>')
pygments_style = 'friendly'


def mathml(block: bool):
    "A Sphinx visitor that writes a formula as MathML, which browsers show by themselves: no script, no fonts, no network"
    def visit(translator, node):
        try: written = tex2mathml(node.astext(), as_block=block)
        except MathError as e:
            logging.getLogger(__name__).warning('formula not understood: %s: %s', node.astext(), e, location=node)
            written = f'<code>{translator.encode(node.astext())}</code>'
        translator.body.append(f'<div class="math">{written}</div>' if block else written)
        raise SkipNode
    return visit


def skip_in_search(app, document):
    "Leave cells out of the index of the search whose tag says so"
    for node in document.findall(lambda node: isinstance(node, Element) and 'tag_no-search' in node.get('classes', [])):
        node['classes'].append('no-search')


def setup(app):
    "Register the writer of formulas, and what the search leaves out"
    app.connect('doctree-read', skip_in_search)
    app.add_html_math_renderer('mathml', inline_renderers=(mathml(False), None), block_renderers=(mathml(True), None))

"""Build the documentation site in _docs/ from the executed notebooks, with packages from PyPI alone and without a network.

    python tools/docs.py              build the site; a warning or a link that leads nowhere is an error

Each notebook becomes a page: its title and subtitle, its prose, examples and stored outputs as they are, and where it
exports a name, that name's reference, with the source folded away. Hidden cells and directives are left out. Markdown
files among the notebooks become pages, too.
"""
import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property
from html import unescape
from pathlib import Path
from urllib.parse import unquote

from lint import INSTALLS, PARTS
from notebooks import Cell, Notebook, code, directives, page_name, read, relink, shown, text, title, to_markdown
from project import ROOT, notebook_paths, pyproject, settings

try: from reference import definitions, documented
except ImportError: sys.exit("docs.py needs the tools of this project: pip install -e '.[dev]'")

PAGES, SITE = ROOT/'_proc', ROOT/'_docs'
ADDRESS = pyproject()['project']['urls']['Documentation']
BRANCH = 'main'
GIT_URL = settings()['git_url']
COLAB = 'https://colab.research.google.com/github/' + GIT_URL.removeprefix('https://github.com/')
NAME = re.compile(r'(?P<fenced>^(?P<ticks>`{3,}).*?^(?P=ticks))|(?<![\[`])`(?P<name>[A-Za-z_][\w.]*)(?:\(\))?`(?!`)', re.M | re.S)

RENAMED = {'home': 'index', 'index': 'readme'}  # the landing page is not the README
GUIDE = ['guide/start', 'guide/which_task', 'files', 'guide/few_photos', 'guide/report', 'guide/answers', 'guide/elsewhere', 'guide/commands',
         'guide/questions', 'guide/glossary', 'guide/published', 'guide/benchmarks', 'intended_use']
MOST_LINES = 20  # of exported constants and helpers before they are folded away
IMPORT = re.compile(r'^ *(?:from|import) deepconn_fa(?:\.(\w+)| import ([\w, ]+))', re.M)
QUOTE = r'^>.*(?:\n>.*)*'

Names = dict[str, list[str]]  # a public name -> the pages that document it


def markdown(source: str, **metadata) -> Cell:
    "A markdown cell"
    return dict(cell_type='markdown', metadata=metadata, source=source)


def blob(path: str) -> str:
    "The address of one of the repository's files on GitHub"
    return f'{GIT_URL}/blob/{BRANCH}/{path}'


def label(page: str, name: str) -> str:
    "The label of the reference of `name` on the page at `page`, for links from anywhere on the site"
    return f'{page}.{name}'.lower().replace('/', '.')


def exported(cell: Cell) -> bool:
    "Whether the code of `cell` goes into the package"
    return bool(directives(cell).keys() & {'export', 'exports', 'exporti'})


def public_names(cell: Cell) -> list[str]:
    "The public names that an exported cell defines"
    return definitions(code(cell)) if cell['cell_type'] == 'code' and directives(cell).keys() & {'export', 'exports'} else []


def subtitle(notebook: Notebook) -> str:
    "The line that follows a notebook's title"
    for cell in notebook['cells']:
        if m := re.search(QUOTE, text(cell['source']), re.M): return unquoted(m)
    return ''


def unquoted(quote: re.Match) -> str:
    "The text of a markdown quote, in one line"
    return ' '.join(line.removeprefix('>').strip() for line in quote[0].splitlines())


def address(path: str) -> str:
    "The address on the site of the page that `path`, a notebook or Markdown file under nbs/, becomes"
    name = posixpath.splitext(page_name(path))[0]
    return RENAMED.get(name, name)


class Page:
    "One notebook or Markdown file on its way to a page of the site"
    def __init__(self, path: Path):
        self.notebook = read(path) if path.suffix == '.ipynb' else dict(cells=[markdown(path.read_text(encoding='utf-8'))])
        self.path = path.relative_to(ROOT/'nbs').as_posix()
        self.address = address(self.path)
        self.module = next((found['default_exp'] for cell in self.notebook['cells'] if 'default_exp' in (found := directives(cell))), None)
        self.names = [name for cell in self.notebook['cells'] for name in public_names(cell)]
        self.part = int(Path(self.path).name[0]) if self.module else None

    def link(self, target: str) -> str:
        "Where a relative link of the notebook leads on the site, or on GitHub where the site does not have it"
        path = posixpath.normpath(posixpath.join('nbs', posixpath.dirname(self.path), target))
        here = posixpath.dirname(self.address) or '.'
        if path == 'CHANGELOG.md': return posixpath.relpath('changelog.md', here)
        if not path.startswith('nbs/'): return blob(path)
        return posixpath.relpath(address(path.removeprefix('nbs/')), here) + '.ipynb' if path.endswith(('.ipynb', '.md')) else target

    def named(self, source: str, names: Names) -> str:
        "`source` with each public name in backticks linked to its reference: this page's own, or the only page that has it"
        def linked(m: re.Match) -> str:
            if m['fenced']: return m[0]
            name, pages = m['name'], names.get(m['name'], [])
            if not pages and '.' in name:  # module.name
                module, name = name.split('.', 1)
                pages = [page for page in names.get(name, []) if page == module]
            page = self.address if self.address in pages else pages[0] if len(pages) == 1 else None
            return f'[{m[0]}](#{label(page, name)})' if page else m[0]
        return NAME.sub(linked, source)

    @cached_property
    def used(self) -> set[str]:
        "The modules of the package that the notebook imports from"
        found = IMPORT.findall('\n'.join(code(cell) for cell in self.notebook['cells'] if cell['cell_type'] == 'code'))
        return {name.strip() for module, names in found for name in ([module] if module else names.split(','))}

    def say_use(self, pages: list['Page']) -> str:
        "In which tutorials and pages of the guide the module is used, with links"
        here, said = posixpath.dirname(self.address) or '.', []
        for part in ('tutorials', 'guide'):
            using = [page for page in pages if page.address.startswith(f'{part}/') and self.module in page.used]
            links = [f'[{page.short()}]({posixpath.relpath(page.address, here)}.ipynb)' for page in using]
            if links: said.append(f'{part.capitalize()}: ' + ' · '.join(links))
        return '{.used .no-search}\n' + '. '.join(said) if said else ''

    def short(self) -> str:
        "What the navigation calls the page: tutorials by their task"
        return Path(self.address).stem.capitalize() if self.address.startswith('tutorials/') else title(self.notebook)

    def head(self, source: str, pages: list['Page']) -> str:
        "The notebook's first text with its subtitle set apart, below it buttons, Colab's where it installs what it needs, and where its module is used"
        installs = any(cell['cell_type'] == 'code' and INSTALLS.search(code(cell)) for cell in self.notebook['cells'])
        links = {'Open in Colab': f'{COLAB}/blob/{BRANCH}/nbs/{self.path}'} if installs else {}
        if self.path.endswith('.ipynb'): links['Notebook'] = blob(f'nbs/{self.path}')
        buttons = ' '.join(f'[{name}]({url}){{.button}}' for name, url in links.items())
        subtitle = re.search(QUOTE, source, re.M)
        before, after = (source[:subtitle.start()], source[subtitle.end():]) if subtitle else source.partition('\n')[::2]
        parts = [before, '{.subtitle}\n' + unquoted(subtitle) if subtitle else '', '{.buttons .no-search}\n' + buttons if buttons else '',
                 self.say_use(pages) if self.module else '', after]
        return '\n\n'.join(part.strip() for part in parts if part.strip())

    def cells(self, names: Names, pages: list['Page']) -> list[Cell]:
        "The page's cells"
        made, level, at_head = [], 2, True
        for cell in self.notebook['cells']:
            source = code(cell)
            if cell['cell_type'] == 'markdown':
                source = self.named(relink(source, self.link), names)
                if at_head and source.startswith('# '): source, at_head = self.head(source, pages), False
                if re.search(r'^## ', source, re.M): level = 3
                made.append(markdown(source))
            elif cell['cell_type'] == 'code' and any(shown(cell)):
                defined = public_names(cell)
                made += [markdown(self.reference(name, level, names)) for name in defined]
                folded = exported(cell) and (bool(defined) or source.count('\n') > MOST_LINES)
                if not exported(cell) or defined or constants(source): made += self.code_cell(cell, source, folded)
        return made

    def reference(self, name: str, level: int, names: Names) -> str:
        "The reference of `name`, with a label for the site's own links and an anchor as nbdev's links expect it"
        return f'({label(self.address, name)})=\n' + self.named(documented(name, self.module, level), names)

    def code_cell(self, cell: Cell, source: str, folded: bool) -> list[Cell]:
        "A code cell with what the reader is to see of it"
        show_input, show_outputs = shown(cell)
        tags = ['hide-input'] if folded or 'code-fold' in directives(cell) else []
        if 'google.colab' in source: tags.append('no-search')  # or else whoever searches for Colab finds every notebook
        outputs = [readable(output) for output in cell['outputs']] if show_outputs else []
        widths = [output.get('metadata', {}).get('image/png', {}).get('width') for output in outputs]
        metadata = dict(tags=tags if show_input else ['remove-input'])
        if any(widths): metadata['mystnb'] = dict(image=dict(width=f'{max(filter(None, widths))}px'))
        return [dict(cell, source=source, outputs=outputs, metadata=metadata)] if source else []


def constants(source: str) -> bool:
    "Whether an exported cell that defines no function sets names that a reader may use"
    return bool(re.search(r'^(?!_)[A-Za-z]\w*(?:: .+)? = ', source, re.M))


def readable(output: dict) -> dict:
    "An output with its pandas tables unstyled: the site's own style fits phones and dark mode"
    data = output.get('data', {})
    if 'text/html' not in data: return output
    return dict(output, data=dict(data, **{'text/html': re.sub(r'<style scoped>.*?</style>\s*', '', text(data['text/html']), flags=re.S)}))


def write(page: Page, names: Names, pages: list[Page]) -> None:
    "Write the page for Sphinx, and as markdown beside its HTML, which is where the docstring of its module points"
    metadata = dict(kernelspec=dict(name='python3', display_name='python3', language='python'), language_info=dict(name='python'))
    notebook = dict(cells=page.cells(names, pages), metadata=metadata, nbformat=4, nbformat_minor=4)
    target = PAGES/f'{page.address}.ipynb'
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(notebook), encoding='utf-8')
    plain = SITE/f'{page.address}.html.md'
    plain.parent.mkdir(parents=True, exist_ok=True)
    plain.write_text(to_markdown(page.notebook, None), encoding='utf-8')


def toctree(caption: str, entries: list[str]) -> str:
    "A part of the navigation"
    head = ['```{toctree}', ':hidden:', ':titlesonly:'] + [f':caption: {caption}']*bool(caption)
    return '\n'.join([*head, '', *entries, '```']) if entries else ''


def part_address(part: int) -> str:
    "The address of the page about one part of the package"
    return 'reference/' + PARTS[part].replace(', ', '_').replace(' ', '_')


def navigation(pages: list[Page]) -> Cell:
    "The navigation: home, guide, tutorials, the parts of the package from the command down to the ground, project"
    tutorials = [f'{page.short()} <{page.address}>' for page in pages if page.address.startswith('tutorials/')]
    reference = [part_address(part) for part in sorted({page.part for page in pages if page.module}, reverse=True)]
    return markdown('\n\n'.join([toctree('', ['Home <self>']), toctree('Guide', GUIDE), toctree('Tutorials', tutorials),
                                 toctree('Reference', reference), toctree('Project', ['README <readme>', 'changelog'])]))


def part_page(part: int, pages: list[Page]) -> str:
    "The page about one part of the package: its modules and what they are for"
    own = [page for page in pages if page.part == part]
    rows = [f'| [`{page.module}`](../{page.address}.ipynb) | {subtitle(page.notebook)} |' for page in own]
    why = f'The modules whose notebooks have a number from {10*part} to {10*part + 9}. A module imports only from modules with a smaller number than its own.'
    return '\n'.join([f'# {PARTS[part].capitalize()}', '', why, '', '| module | what it is for |', '| --- | --- |', *rows, '',
                      toctree('', [f'/{page.address}' for page in own]), ''])


def write_pages() -> None:
    "Write everything that Sphinx reads"
    for folder in (PAGES, SITE): shutil.rmtree(folder, ignore_errors=True)
    pages = [Page(path) for path in [*notebook_paths(), *sorted((ROOT/'nbs').rglob('*.md'))]]
    untitled = [page.path for page in pages if not title(page.notebook)]
    if untitled: sys.exit(f'nbs/{untitled[0]} has no title: begin its first text with "# title" and "> subtitle"')
    names: Names = {}
    for page in pages:
        for name in page.names: names.setdefault(name, []).append(page.address)
    for page in pages:
        if page.address == 'index': page.notebook['cells'].append(navigation(pages))
        write(page, names, pages)
    (PAGES/'reference').mkdir()
    for part in {page.part for page in pages if page.module}: (PAGES/f'{part_address(part)}.md').write_text(part_page(part, pages), encoding='utf-8')
    shutil.copytree(ROOT/'nbs'/'images', PAGES/'images')
    shutil.copyfile(ROOT/'CHANGELOG.md', PAGES/'changelog.md')


def sample_report() -> subprocess.Popen:
    "Begin to train on drawn couples in a folder of its own; at the end its report is sample_report.html of the site"
    return subprocess.Popen([sys.executable, ROOT/'docs'/'sample_report.py', SITE/'sample_report.html'], env=os.environ | dict(PYTHONPATH=str(ROOT)))


def dead_links(site: Path) -> Iterator[str]:
    "Every link of a page to a page, a picture or a place of this site that is not there"
    pages = {path.relative_to(site).as_posix(): path.read_text(encoding='utf-8') for path in site.rglob('*.html') if '_static' not in path.parts}
    places = {name: set(re.findall(r'\bid="([^"]+)"', page)) for name, page in pages.items()}
    for name, page in pages.items():
        for target in sorted(set(re.findall(r'\b(?:href|src)="([^"]+)"', page))):
            target = posixpath.relpath(target.removeprefix(ADDRESS) or 'index.html', posixpath.dirname(name) or '.') if target.startswith(ADDRESS) else target
            if re.match(r'[a-z]+:|//', target): continue
            file, _, place = unquote(re.sub(r'\?[^#]*', '', unescape(target))).partition('#')
            to = posixpath.normpath(posixpath.join(posixpath.dirname(name), file)) if file else name
            if not (site/to).is_file() or place and place not in places.get(to, {place}): yield f'{name}: the link {target} leads nowhere'


def main() -> int:
    "Build the site"
    sys.path.insert(0, str(ROOT))  # document this tree, wherever the package is installed from
    write_pages()
    report = sample_report()
    command = [sys.executable, '-m', 'sphinx', '-b', 'html', '-c', ROOT/'docs', '-d', PAGES/'.doctrees', '-j', 'auto', '-W', '--keep-going', '-q', PAGES, SITE]
    done = subprocess.call(command) or report.wait()
    shutil.rmtree(SITE.parent/'jupyter_execute', ignore_errors=True)  # MyST-NB's copies of the notebooks, which nothing reads
    dead = list(dead_links(SITE))
    for line in dead: print(line)
    print(f'the site is in {SITE.name}/index.html' if not (done or dead) else 'the site was not built: mend the warnings above')
    return bool(done or dead)


if __name__ == '__main__': sys.exit(main())

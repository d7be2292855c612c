"""Build the documentation site in _docs/ from the executed notebooks, with packages from PyPI alone and without a network.

    python tools/docs.py              build the site; a warning is an error

Each notebook becomes a page: its title and subtitle, its prose, examples and stored outputs as they are, and where it
exports a name, that name's reference, with the source folded away. Hidden cells and directives are left out.
"""
import json
import posixpath
import re
import shutil
import subprocess
import sys
from pathlib import Path

from lint import PARTS
from notebooks import Cell, Notebook, code, directives, page_name, read, relink, shown, text, title, to_markdown
from project import ROOT, notebook_paths, settings

try: from reference import definitions, documented
except ImportError: sys.exit("docs.py needs the tools of this project: pip install -e '.[dev]'")

PAGES, SITE = ROOT/'_proc', ROOT/'_docs'
BRANCH = 'main'
GIT_URL = settings()['git_url']
COLAB = 'https://colab.research.google.com/github/' + GIT_URL.removeprefix('https://github.com/')
NAME = re.compile(r'(?P<fenced>^(?P<ticks>`{3,}).*?^(?P=ticks))|(?<![\[`])`(?P<name>[A-Za-z_][\w.]*)(?:\(\))?`(?!`)', re.M | re.S)

MOST_LINES = 20  # of exported constants and helpers before they are folded away
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


class Page:
    "One notebook on its way to a page of the site"
    def __init__(self, path: Path):
        self.notebook, self.path = read(path), path.relative_to(ROOT/'nbs').as_posix()
        self.name = page_name(self.path)
        self.address = self.name.removesuffix('.ipynb')
        self.module = next((found['default_exp'] for cell in self.notebook['cells'] if 'default_exp' in (found := directives(cell))), None)
        self.names = [name for cell in self.notebook['cells'] for name in public_names(cell)]
        self.part = int(Path(self.path).name[0]) if self.module else None

    def link(self, target: str) -> str:
        "Where a relative link of the notebook leads on the site, or on GitHub where the site does not have it"
        path = posixpath.normpath(posixpath.join('nbs', posixpath.dirname(self.path), target))
        if path == 'CHANGELOG.md': return posixpath.relpath('changelog.md', posixpath.dirname(self.path) or '.')
        if not path.startswith('nbs/'): return blob(path)
        return page_name(target) if target.endswith('.ipynb') else target

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

    def head(self, source: str) -> str:
        "The notebook's first text with its subtitle set apart, and buttons below it"
        buttons = f'[Open in Colab]({COLAB}/blob/{BRANCH}/nbs/{self.path}){{.button}} [Notebook]({blob("nbs/" + self.path)}){{.button}}'
        subtitle = re.search(QUOTE, source, re.M)
        before, after = (source[:subtitle.start()], source[subtitle.end():]) if subtitle else source.partition('\n')[::2]
        parts = [before, '{.subtitle}\n' + unquoted(subtitle) if subtitle else '', '{.buttons}\n' + buttons, after]
        return '\n\n'.join(part.strip() for part in parts if part.strip())

    def cells(self, names: Names) -> list[Cell]:
        "The page's cells"
        made, level, at_head = [], 2, True
        for cell in self.notebook['cells']:
            source = code(cell)
            if cell['cell_type'] == 'markdown':
                source = self.named(relink(source, self.link), names)
                if at_head and source.startswith('# '): source, at_head = self.head(source), False
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


def write(page: Page, names: Names) -> None:
    "Write the page for Sphinx, and as markdown beside its HTML, which is where the docstring of its module points"
    metadata = dict(kernelspec=dict(name='python3', display_name='python3', language='python'), language_info=dict(name='python'))
    notebook = dict(cells=page.cells(names), metadata=metadata, nbformat=4, nbformat_minor=4)
    target = PAGES/page.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(notebook), encoding='utf-8')
    plain = SITE/f'{page.address}.html.md'
    plain.parent.mkdir(parents=True, exist_ok=True)
    plain.write_text(to_markdown(page.notebook, None), encoding='utf-8')


def toctree(caption: str, entries: list[str]) -> str:
    "A part of the navigation"
    head = ['```{toctree}', ':hidden:'] + [f':caption: {caption}']*bool(caption)
    return '\n'.join([*head, '', *entries, '```']) if entries else ''


def navigation(pages: list[Page]) -> Cell:
    "The navigation: home, tutorials, modules from the command down to the ground, changelog"
    tutorials = [page.address for page in pages if page.address.startswith('tutorials/')]
    others = [page.address for page in pages if page.part is None and '/' not in page.address and page.address != 'index']
    parts = [toctree('', ['Home <self>']), toctree('Tutorials', tutorials), toctree('Guides', others)]
    for part, name in sorted(PARTS.items(), reverse=True):
        parts.append(toctree(name.capitalize(), [page.address for page in pages if page.part == part]))
    parts.append(toctree('Project', ['modules', 'changelog']))
    return markdown('\n\n'.join(filter(None, parts)))


def overview(pages: list[Page]) -> str:
    "A page with every module, by number"
    ordered = sorted((page for page in pages if page.module), key=lambda page: page.path, reverse=True)
    rows = [f'| {page.path[:2]} | [`{page.module}`]({page.name}) | {subtitle(page.notebook)} |' for page in ordered]
    why = 'A module imports only from modules with a smaller number than its own, so each can be read with what stands below it.'
    return '\n'.join(['# Modules by number', '', why, '', '| number | module | what it is for |', '| --- | --- | --- |', *rows, ''])


def write_pages() -> None:
    "Write everything that Sphinx reads"
    for folder in (PAGES, SITE): shutil.rmtree(folder, ignore_errors=True)
    pages = [Page(path) for path in notebook_paths()]
    untitled = [page.path for page in pages if not title(page.notebook)]
    if untitled: sys.exit(f'nbs/{untitled[0]} has no title: begin its first text with "# title" and "> subtitle"')
    names: Names = {}
    for page in pages:
        for name in page.names: names.setdefault(name, []).append(page.address)
    for page in pages:
        if page.address == 'index': page.notebook['cells'].append(navigation(pages))
        write(page, names)
    for path in (ROOT/'nbs').rglob('*'):
        if path.suffix in ('.png', '.jpg', '.svg') and '.ipynb_checkpoints' not in path.parts:
            (PAGES/path.relative_to(ROOT/'nbs')).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, PAGES/path.relative_to(ROOT/'nbs'))
    (PAGES/'modules.md').write_text(overview(pages), encoding='utf-8')
    shutil.copyfile(ROOT/'CHANGELOG.md', PAGES/'changelog.md')


def main() -> int:
    "Build the site"
    sys.path.insert(0, str(ROOT))  # document this tree, wherever the package is installed from
    write_pages()
    command = [sys.executable, '-m', 'sphinx', '-b', 'html', '-c', ROOT/'docs', '-W', '--keep-going', '-q', PAGES, SITE]
    done = subprocess.call(command)
    shutil.rmtree(SITE.parent/'jupyter_execute', ignore_errors=True)  # MyST-NB's copies of the notebooks, which nothing reads
    print(f'the site is in {SITE.name}/index.html' if not done else 'the site was not built: mend the warnings above')
    return done


if __name__ == '__main__': sys.exit(main())

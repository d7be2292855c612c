"""Notebooks as their readers see them."""
import base64
import json
import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path

DIRECTIVE = re.compile(r'^\s*#\s*\|\s*([^\s:]+)\s*:?\s*(.*?)\s*$')  # as nbdev reads a line
MAGIC = re.compile(r'^\s*%%\w')
LINK = re.compile(r'(?P<fenced>^(?P<ticks>`{3,}).*?^(?P=ticks))|(?<=\]\()(?![a-z]+:|[#/])(?P<target>[^)#\s]+)', re.M | re.S)
NUMBER = re.compile(r'^\d+_')

Cell = dict
Notebook = dict


def read(path: Path) -> Notebook:
    "The notebook at `path`; ValueError where it is none"
    try: notebook = json.loads(path.read_text(encoding='utf-8'))
    except json.JSONDecodeError as e: raise ValueError(f'not a notebook: {e}') from None
    if not isinstance(notebook, dict) or 'cells' not in notebook: raise ValueError('not a notebook: it has no cells')
    return notebook


def text(lines: str | list[str]) -> str:
    "The text of a source or an output, which nbformat stores whole or as a list of lines"
    return lines if isinstance(lines, str) else ''.join(lines)


def split(cell: Cell) -> tuple[list[str], list[str]]:
    "The lines at a cell's top where nbdev looks for directives, and the rest"
    lines = text(cell['source']).splitlines()
    top = next((i for i, line in enumerate(lines) if line.strip() and not DIRECTIVE.match(line) and not MAGIC.match(line)), len(lines))
    return lines[:top], lines[top:]


def directives(cell: Cell) -> dict[str, str]:
    "The directives of `cell`: name -> value, '' for a bare one"
    return {m[1]: m[2] for line in split(cell)[0] if (m := DIRECTIVE.match(line))}


def code(cell: Cell) -> str:
    "The source of `cell` without its directives"
    top, rest = split(cell)
    return '\n'.join([line for line in top if MAGIC.match(line)] + rest).strip('\n')


def shown(cell: Cell) -> tuple[bool, bool]:
    "Whether a reader sees the input and the outputs of a code cell"
    found = directives(cell)
    if found.keys() & {'hide', 'default_exp'}: return False, False
    return found.get('echo') != 'false', found.get('output') != 'false'


def title(notebook: Notebook) -> str:
    "The text of a notebook's first heading, '' where it has none"
    sources = (text(cell['source']) for cell in notebook['cells'] if cell['cell_type'] == 'markdown')
    return next((m[1].strip() for source in sources if (m := re.search(r'^# +(.+)$', source, re.M))), '')


def fence(body: str, language: str = '') -> str:
    "`body` as a fenced block of markdown, behind a fence that it does not itself contain"
    ticks = '`'*max(3, 1 + max(map(len, re.findall('`+', body)), default=0))
    return f'{ticks}{language}\n{body.strip(chr(10))}\n{ticks}'


def relink(
    markdown: str,
    change: Callable[[str], str],  # takes the target of a relative link, returns the new one
) -> str:
    "`markdown` with its relative links changed; what stands in fenced blocks stays"
    return LINK.sub(lambda m: m[0] if m['fenced'] else change(m['target']), markdown)


def relative_to(folder: str) -> Callable[[str], str]:
    "A change of links for a page that moves from `folder` to the folder above it"
    return lambda target: posixpath.normpath(posixpath.join(folder, target))


def page_name(target: str) -> str:
    "The name of a notebook's page on the site: `10_blocks.ipynb` is shown as `blocks`"
    path = Path(target)
    return path.with_name(NUMBER.sub('', path.name)).as_posix()


def output_blocks(
    outputs: list[dict],
    image: Callable[[bytes, str], str] | None,  # takes an image and its file suffix, stores it and returns its address; None: no images
) -> Iterator[str]:
    "The outputs of a cell as blocks of markdown; what was written to stderr is left out"
    printed = ''
    for output in outputs:
        data = output.get('data', {})
        if output['output_type'] == 'stream': plain = text(output['text']) if output['name'] == 'stdout' else ''
        else: plain = '' if 'text/markdown' in data or images(data) else text(data.get('text/plain', '')) + '\n'
        printed += plain
        if plain or not data: continue
        if printed.strip(): yield fence(printed, 'text')
        printed = ''
        if 'text/markdown' in data: yield text(data['text/markdown']).strip()
        elif image: yield picture(output, image)
    if printed.strip(): yield fence(printed, 'text')


def images(data: dict) -> list[str]:
    "The mime types in an output's `data` that are pictures, the one to show first"
    return [mime for mime in ('image/svg+xml', 'image/png', 'image/jpeg') if mime in data]


def picture(output: dict, image: Callable[[bytes, str], str]) -> str:
    "A picture as markdown; as HTML with its width where the output tells it, as matplotlib's sharper figures do"
    mime = images(output['data'])[0]
    body = text(output['data'][mime])
    suffix = {'image/svg+xml': '.svg', 'image/png': '.png', 'image/jpeg': '.jpg'}[mime]
    address = image(body.encode() if suffix == '.svg' else base64.b64decode(body), suffix)
    width = output.get('metadata', {}).get(mime, {}).get('width')
    return f'<img src="{address}" width="{width}" alt="output">' if width else f'![output]({address})'


def to_markdown(
    notebook: Notebook,
    image: Callable[[bytes, str], str] | None,  # takes an image and its file suffix, stores it and returns its address; None: no images
    link: Callable[[str], str] = str,  # changes the target of a relative link
) -> str:
    "`notebook` as markdown: text as it stands, code and printed text in fences, hidden cells left out"
    blocks = []
    for cell in notebook['cells']:
        if cell['cell_type'] == 'markdown': blocks.append(relink(code(cell), link))
        if cell['cell_type'] != 'code': continue
        show_input, show_outputs = shown(cell)
        if show_input and code(cell): blocks.append(fence(code(cell), 'python'))
        if show_outputs: blocks += output_blocks(cell['outputs'], image)
    return '\n\n'.join(block for block in blocks if block.strip()) + '\n'

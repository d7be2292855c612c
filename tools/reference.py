"""The reference of a public name as markdown: signature, what it does, and a table of its parameters from docments."""
import ast
import dataclasses
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from fastcore.docments import docments
from nbdev.doclinks import patch_name

from project import PACKAGE

WIDTH = 88  # a signature longer than this is written with one parameter a line
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def definitions(source: str) -> list[str]:
    "The public names that a cell defines: functions, classes, and patched methods as Class.method"
    nodes = [node for node in ast.parse(source).body if isinstance(node, DEFINITIONS)]
    found = [patch_name(node) for node in nodes]
    names = [name for entry in found for name in (entry if isinstance(entry, list) else [entry])]
    return [name for name in names if not name.rsplit('.')[-1].startswith('_')]


def lookup(module: ModuleType, name: str) -> Any:
    "What `name`, which may be Class.method, stands for in `module`"
    found: Any = module
    for part in name.split('.'): found = getattr(found, part)
    return found


def type_text(annotation: Any) -> str:
    "An annotation as it would be typed, without the modules' names"
    if annotation is inspect.Parameter.empty: return ''
    written = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r'\b(?:[A-Za-z_]\w*\.)+(?=[A-Za-z_])', '', written).replace('NoneType', 'None')


def default_text(default: Any) -> str:
    "A default as it would be typed"
    if default is inspect.Parameter.empty: return ''
    if repr(default) == '<factory>': return '...'  # a dataclass field made anew each time
    if callable(default) and hasattr(default, '__qualname__'): return default.__qualname__
    return re.sub(r' at 0x[0-9a-f]+', '', repr(default))


class Written:
    "A default that shows as it would be typed"
    def __init__(self, default: Any): self.default = default
    def __repr__(self) -> str: return default_text(self.default)


def signature(name: str, found: Any) -> str:
    "How `found` is called: names and defaults; types stand in the table"
    try: parameters = [p for p in inspect.signature(found).parameters.values() if p.name != 'self']
    except (TypeError, ValueError): return name
    bare = [p.replace(annotation=p.empty, default=p.empty if p.default is p.empty else Written(p.default)) for p in parameters]
    arguments = str(inspect.Signature(bare))
    if len(name + arguments) <= WIDTH: return name + arguments
    return f'{name}(\n' + ''.join(f'    {part},\n' for part in _arguments(arguments[1:-1])) + ')'


def _arguments(written: str) -> Iterator[str]:
    "The arguments of a written signature, split at its outermost commas"
    depth, start = 0, 0
    for i, char in enumerate(written):
        depth += (char in '([{') - (char in ')]}')
        if char == ',' and not depth:
            yield written[start:i].strip()
            start = i + 1
    yield written[start:].strip()


def table(head: list[str], rows: list[list[str]]) -> str:
    "A table in markdown, without the columns in which nothing stands"
    keep = [i for i in range(len(head)) if any(row[i] for row in rows)]
    lines = [[head[i] for i in keep], ['---']*len(keep), *([row[i].replace('|', r'\|') for i in keep] for row in rows)]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)


def ticks(written: str) -> str:
    "`written` as code, nothing where it is empty"
    return f'`{written}`' if written else ''


def described(found: Any) -> dict:
    "What docments tells of each parameter of `found`; where it delegates to a dataclass, the comments of that one's fields"
    to = getattr(found, '__delwrap__', None)
    owner = getattr(to, '__globals__', {}).get(getattr(to, '__qualname__', '').removesuffix('.__init__'))
    if dataclasses.is_dataclass(owner): found.__delwrap__ = owner  # its constructor is generated and has no source to read
    return docments(found, full=True)


def parameters(found: Any) -> str:
    "The table of what `found` takes and returns, '' where nothing is said of it"
    rows = []
    for name, p in described(found).items():
        if name == 'self' or name == 'return' and not p.docment: continue
        label = '*returns*' if name == 'return' else ticks(name)
        rows.append([label, ticks(type_text(p.anno)), ticks(default_text(p.default)), ' '.join((p.docment or '').split())])
    return table(['parameter', 'type', 'default', ''], rows) if any(row[3] for row in rows) else ''


def methods(found: type) -> str:
    "The table of the public methods that the body of a class defines and describes; patched ones have a reference of their own"
    own = {name: f for name, f in vars(found).items() if inspect.isfunction(f) and f.__doc__ and not name.startswith('_')}
    written = {name: f for name, f in own.items() if f.__qualname__ == f'{found.__qualname__}.{name}' and not patched(f)}
    rows = [[ticks(' '.join(signature(name, f).split())), ' '.join(inspect.getdoc(f).split())] for name, f in written.items()]
    return table(['method', ''], rows) if rows else ''


def patched(found: Any) -> bool:
    "Whether a method was added to its class by fastcore's `patch`"
    return inspect.getsource(found).lstrip().startswith('@patch')


def called(name: str, found: Any) -> str:
    "How a public name is called; a class without a constructor of the package's own is shown with the class it extends"
    if not inspect.isclass(found) or own_constructor(found): return signature(name, found)
    return f'class {name}({", ".join(base.__name__ for base in found.__bases__ if base is not object)})'.replace('()', '')


def own_constructor(found: type) -> bool:
    "Whether the package says how instances of the class `found` are made"
    return any('__init__' in vars(base) for base in found.__mro__ if base.__module__.split('.')[0] == PACKAGE)


def documented(
    name: str,  # a name, or Class.method
    module: str,  # the module that has it
    level: int,  # of the heading
) -> str:
    "The reference of one public name"
    found = lookup(import_module(f'{PACKAGE}.{module}'), name)
    is_class = inspect.isclass(found)
    blocks = [f"{'#'*level} {name}", f'<span id="{name.lower()}"></span>', f'```python\n{called(name, found)}\n```',
              inspect.getdoc(found) if found.__doc__ else '',
              parameters(found) if not is_class or own_constructor(found) else '',
              methods(found) if is_class else '']
    return '\n\n'.join(block for block in blocks if block)

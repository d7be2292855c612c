"""Tests of the tools, each with what it has to refuse: python -m unittest discover tools"""
import json
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parent))
import figures
import lint
import notebooks
import prepare
import release
from project import PACKAGE, ROOT, Failed

AUC = dict(value=.925, low=.883, high=.960)


def cell(source: str, kind: str = 'code', **fields) -> dict: return dict(cell_type=kind, id='a', metadata={}, source=source) | (dict(outputs=[]) if kind == 'code' else {}) | fields
def markdown(source: str) -> dict: return cell(source, 'markdown')
def said(problems) -> str: return ' '.join(map(str, problems))


class Temporary(unittest.TestCase):
    "A test with a folder of its own"
    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.folder = Path(tmp.name)

    def notebook(self, *cells: dict, name: str = 'nbs/00_a.ipynb') -> Path:
        path = self.folder/name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dict(cells=cells, metadata={}, nbformat=4, nbformat_minor=5)), encoding='utf-8')
        return path


class Figures(Temporary):
    def setUp(self):
        super().setUp()
        for name, value in dict(RESULTS=self.folder/'results', HEADLINES=dict(people=('Happy?', 'ours'))).items():
            changed = patch.object(figures.results, name, value)
            changed.start()
            self.addCleanup(changed.stop)
        rows = [{'': 'ours', 'AUC': AUC, 'more than probe': dict(value=.05, low=-.01, high=.11), 'seconds': 22}, {'': 'probe', 'AUC': dict(value=.875)}]
        figures.results.save('people', rows, data='Photos', n=195, interval='bootstrap', machine='')

    def lost(self, *cells): return said(figures.unfounded(self.notebook(*cells), figures.known_figures()))

    def test_table(self):
        old = 'Before\n<!-- table: people -->\n| old |\n<!-- end -->\nafter'
        filled = figures.fill(old)
        self.assertIn('| ours | 0.925 (0.883 to 0.960) | +0.050 (-0.010 to +0.110) | 22 |\n| probe | 0.875 |  |  |\n\n*Photos; n = 195. 95 % intervals: bootstrap.', filled)
        self.assertEqual(figures.fill(filled), filled)
        self.assertEqual(figures.fill(f'<!-- table: people -->\n\nwords\n\n{filled}'), f'<!-- table: people -->\n\nwords\n\n{filled}')  # no end: what follows stays
        self.assertEqual((filled[:7], filled[-5:], 'old' in filled), ('Before\n', 'after', False))

    def test_scores(self):
        self.assertIn('| Happy? | 195 | AUC | 0.925 (0.883 to 0.960) | 0.875, probe | +0.050 (-0.010 to +0.110) |', figures.results.table('scores'))

    def test_prose(self):
        self.assertEqual(self.lost(markdown('<!-- figures: people -->\nVersion 0.4.0 has 0.925, see `0.111` and [0](http://a/0.222).')), '')
        self.assertIn('0.926', self.lost(markdown('<!-- figures: people -->\n0.926')))
        self.assertIn('no nobody.json', self.lost(markdown('<!-- figures: nobody -->\n0.925')))
        self.assertEqual(self.lost(markdown('Elsewhere 0.926 is fine.')), '')
        self.assertIn('0.926', self.lost(markdown('Not with its interval: 0.926 (0.883 to 0.960).')))
        self.assertIn('without its <!-- end -->', self.lost(markdown('<!-- table: people -->\n')))
        self.assertIn('0.926', self.lost(markdown(figures.SCORES), markdown('0.926')))
        self.assertEqual(self.lost(markdown(figures.SCORES), markdown('## Next\n0.926')), '')

    def test_files(self):
        self.assertEqual(said(figures.incomplete()), '')
        figures.results.save('other', [{'': 'ours', 'AUC': .9}], data='', interval='bootstrap', machine='')
        self.assertIn('lacks data', said(figures.incomplete()))
        figures.results.save('other', [{'': 'ours', 'AUC': .9}], data='Photos', machine='')
        self.assertIn('says n neither', said(figures.incomplete()))


class Lint(Temporary):
    def problems(self, *cells, **fields): return said(lint.lint_notebooks(self.folder)) if self.notebook(*cells, **fields) else ''

    def setUp(self):
        super().setUp()
        (self.folder/'pyproject.toml').write_text('[tool.nbdev]\ntst_flags = "slow"\n')

    def test_notebooks(self):
        self.assertEqual(self.problems(cell('#| default_exp a'), cell('#| slow\n1 + 1')), '')
        for source, why in {'#| exprot\n1': 'unknown directive', '#| eval: false\n1': 'keeps the cell from being run', '1\n#| hide': 'below code does nothing', '# export\n1': 'without its pipe',
                            '!pip install x': 'installs packages', "open('/home/me/x')": 'a path of one machine'}.items():
            self.assertIn(why, self.problems(cell(source)))
        self.assertIn('a stored error', self.problems(cell('1', outputs=[dict(output_type='error', ename='ValueError')])))
        self.assertIn('name it NN_b', self.problems(cell('#| default_exp b')))

    def test_imports(self):
        package = self.folder/PACKAGE
        package.mkdir()
        for number, name, source in ((0, 'a', 'from .b import f'), (10, 'b', 'from .a import g\ndef f(): pass')):
            (package/f'{name}.py').write_text(f'# AUTOGENERATED! DO NOT EDIT! File to edit: ../nbs/{number:02}_{name}.ipynb.\n{source}\n')
        self.assertIn('00_a imports 10_b', said(lint.imports_upward(self.folder)))
        self.assertNotIn('10_b imports', said(lint.imports_upward(self.folder)))
        self.assertIn('imports g, which a does not have', said(lint.missing_names(self.folder)))
        self.assertIn('its notebook ../nbs/00_a.ipynb is gone', said(lint.unowned(self.folder)))


class Pages(unittest.TestCase):
    def test_markdown(self):
        page = dict(cells=[markdown('[A](10_a.ipynb)'), cell('#| hide\n1'), cell('2', outputs=[dict(output_type='stream', name='stdout', text='two\n')])])
        self.assertEqual(notebooks.to_markdown(page, None, notebooks.relative_to('nbs')), '[A](nbs/10_a.ipynb)\n\n```python\n2\n```\n\n```text\ntwo\n```\n')


class Prepare(Temporary):
    def test_drift(self):
        (copy := self.folder/'copy').mkdir()
        for folder, same in ((self.folder, 'old'), (copy, 'new')): (folder/'same').write_text(same)
        (copy/'more').touch()
        found = said(prepare.drift(self.folder, copy, {'same', 'gone'}))
        for words in ('same: is not what prepare writes', 'more: is missing', 'gone: is left over'): self.assertIn(words, found)


class Release(Temporary):
    def test_notes(self):
        self.assertEqual(release.notes('1.2.0', '# Changelog\n\n## 1.2.0 (2030-01-01)\n\n- New.\n\n## 1.1.0\n\n- Old.\n'), '- New.')
        for changelog, why in (('## 1.2.0 (not released)\n', 'write the date'), ('## 1.1.0\n', 'begins with 1.1.0')):
            with self.assertRaisesRegex(Failed, why): release.notes('1.2.0', changelog)

    def wheel(self, *held: str, **contents: str) -> Path:
        with zipfile.ZipFile(self.folder/'a.whl', 'w') as file: [file.writestr(name, text) for name, text in {**dict.fromkeys(held, ''), **contents}.items()]
        return self.folder/'a.whl'

    def test_wheel(self):
        names = {f'{PACKAGE}/a.py', release.INDEX, 'nbs/00_a.ipynb'}
        release.check_wheel(self.wheel(f'{PACKAGE}/a.py'), names)
        for held, why in (([], 'lacks'), ([f'{PACKAGE}/a.py', 'tests/a.py'], 'holds tests'), ([f'{PACKAGE}/a.py', release.INDEX], 'holds')):
            with self.assertRaisesRegex(Failed, why): release.check_wheel(self.wheel(*held), names)
        with self.assertRaisesRegex(Failed, 'relative links: LICENSE'):
            release.check_wheel(self.wheel(f'{PACKAGE}/a.py', **{f'{PACKAGE}-1.dist-info/METADATA': '[web](https://a.b) [![a](https://a.b/c)](LICENSE)'}), names)
        with patch.object(release, 'LARGEST', 10), self.assertRaisesRegex(Failed, 'bytes'): release.check_wheel(self.wheel(f'{PACKAGE}/a.py'), names)

    def test_version(self):
        self.assertNotIn('version:', [line.split()[0] for line in (ROOT/'CITATION.cff').read_text().splitlines() if line.strip()])  # settings.ini alone says it


if __name__ == '__main__': unittest.main()

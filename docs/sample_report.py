"""Train on drawn couples and keep the report as the HTML file that is named: the site shows it as a sample."""
import contextlib
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from deepconn_fa import couples
from deepconn_fa.runs import train

FAST = dict(arch='efficientnet_lite0', canvas=(160, 160), tta=())  # the drawn photos need no more


def main(file: Path) -> None:
    "Write the sample to `file`"
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        couples.samples('photos', n=200)
        said = []
        report = train('couples', 'photos', weights='imagenet', valid=.2, test=.3, say=said.append, **FAST)/'report.html'
        if not report.exists(): sys.exit('The sample report was not written. Training said:\n' + '\n'.join(said))
        shutil.copyfile(report, file)


if __name__ == '__main__': main(Path(sys.argv[1]).resolve())

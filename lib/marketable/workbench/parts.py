"""Large files come in parts: one message to the kernel has room for nine megabytes, and a larger one is dropped without
a word. The page cuts a file before it is sent, waits for each part to arrive, and says at once what is too large.
"""

from __future__ import annotations

import re

import ipywidgets as widgets

from marketable.errors import DataError
from marketable.views import pieces
from marketable.views.choosing import UPLOAD_LIMIT, Chosen, harmless, suitable, taken

MOST = 100_000_000  # bytes of all files together
_PART = UPLOAD_LIMIT - 1_000_000
_NAME = re.compile(r"(?P<name>.*)\.part-(?P<number>\d{1,3})-of-(?P<all>\d{1,3})", re.DOTALL)
# The upload's own field is no part of the page, so it is met where it is clicked. What it holds is then replaced, part
# by part, as if somebody had chosen the parts one after the other.
_SCRIPT = """
(function hook(image, left) {
  const own = image.closest('.mk'), fields = HTMLInputElement.prototype, click = fields.click;
  if (!own) return left && setTimeout(hook, 50, image, left - 1);
  if (fields.marketable) return;
  fields.marketable = true;
  const place = kind => document.querySelector('.mk-at-parts ' + kind);
  const say = text => { place('.mk-said').textContent = text; };
  const send = async (input, event) => {
    const files = [...input.files], size = files.reduce((sum, file) => sum + file.size, 0);
    if (input.inParts || !place('.mk-said')) return;
    if (size > $MOST) {
      event.stopImmediatePropagation();
      return say(`This is too large to upload: ${Math.ceil(size / 1e6)} MB, and at most ${$MOST / 1e6} MB are taken.`);
    }
    say('');
    if (size <= $PART) return;
    event.stopImmediatePropagation();
    input.inParts = true;
    const parts = files.flatMap(file => Array.from({length: Math.max(1, Math.ceil(file.size / $PART))}, (_, at) =>
      [file.name, file.slice(at * $PART, (at + 1) * $PART)]));
    for (const [at, [name, part]] of parts.entries()) {
      const chosen = new DataTransfer();
      chosen.items.add(new File([part], `${name}.part-${at + 1}-of-${parts.length}`));
      input.files = chosen.files;
      input.dispatchEvent(new Event('change'));
      const begun = Date.now();
      while (!place(`[data-part="${at + 1}"]`) && Date.now() - begun < 60000)
        await new Promise(go => setTimeout(go, 40));
    }
    input.inParts = false;
  };
  fields.click = function () {
    if (this.type === 'file' && this.accept.includes('.csv') && !this.cut) {
      this.cut = true;
      this.addEventListener('change', event => send(this, event), true);
    }
    return click.call(this);
  };
})(this, 100)
"""


class Parts(widgets.VBox):  # type: ignore[misc]
    """What of an upload has arrived, with a bar. It stands beside the field for the upload."""

    def __init__(self) -> None:
        script = _SCRIPT.replace("$PART", str(_PART)).replace("$MOST", str(MOST))
        self._said = widgets.HTML('<p class="mk-said mk-message" role="status"></p>' + pieces.scripted(script))
        self._bar = widgets.HTML()
        self._kept: dict[str, bytearray] = {}
        super().__init__([self._said, self._bar])
        self.add_class("mk-at-parts")

    def take(self, upload: widgets.FileUpload) -> Chosen | None:
        """The files that a field holds; None, as long as parts of them are on their way. Raises: DataError."""
        (part, *others) = taken(upload)
        found = _NAME.fullmatch(part[0])
        if found is None:
            self._kept = {}
            return Chosen.of((part, *others))
        number, last = int(found["number"]), int(found["all"])
        if number == 1:
            self._kept = {}
        suitable(found["name"])
        self._kept.setdefault(found["name"], bytearray()).extend(part[1])
        if sum(map(len, self._kept.values())) > MOST:
            self._kept = {}
            raise DataError("This is too large to upload", value=found["name"], expected=f"at most {MOST // 10**6} MB")
        text = f"{number} of {last} parts of {harmless(found['name'])} are here."
        bar = f'<progress max="{last}" value="{number}" data-part="{number}" aria-label="Uploaded"></progress>'
        self._bar.value = bar + pieces.paragraph(text) if number < last else f'<span data-part="{number}"></span>'
        if number < last:
            return None
        files, self._kept = tuple((name, bytes(content)) for name, content in self._kept.items()), {}
        return Chosen.of(files)

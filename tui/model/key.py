"""What a key is: its id, what it is by itself, what it does in a word and in a sentence, and whether it can
change anything."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a screen or a widget.

    `name` and the name of the screen make its id (`fleet.backups`), under which a configuration may give
    it another key. `keys` is what it is by itself, several with commas between (`escape,q`); `label` the
    words of the footer; `help` the sentence of `?`. What is `dangerous` changes something somewhere: it
    is taken away in read-only mode. What isn't `shown` works, and stands in `?` but not in the footer.
    `action` is what the screen calls it, where that isn't `name`. What works `everywhere` does so also while
    something is asked or typed.
    """

    name: str
    keys: str
    label: str
    help: str = ""
    dangerous: bool = False
    shown: bool = True
    action: str = ""
    everywhere: bool = False

    @property
    def told(self) -> str:
        """The sentence of `?`: the label where there is nothing more to say."""
        return self.help or f"{self.label[:1].upper()}{self.label[1:]}."

    @property
    def does(self) -> str:
        """The screen's action."""
        return self.action or self.name

"""Any text to its pseudonym: what identifies by its form is recognised first, the rest goes word by word.

    UUIDs, LUN names, WWNs, MAC and IP addresses ─▶ codes ─▶ words, numbers, signs

Words of the vocabulary stay; so do single letters, signs, and numbers of up to three digits, which
keep order and width. Longer numbers are exchanged within their width. Case stays as it was.
"""

from __future__ import annotations

import re
from itertools import pairwise

from planner.anonymise.addresses import Addresses, as_written
from planner.anonymise.cipher import Cipher
from planner.anonymise.vocabulary import AFFIXES, KEPT, RELEASES

_HEX = r"[0-9a-fA-F]"
_FORMS = re.compile(
    rf"""
    (?P<time>\b\d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?\b)
  | (?P<uuid>(?<![0-9a-zA-Z]){_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}(?![0-9a-zA-Z]))
  | (?P<volume>(?<![0-9a-zA-Z]){_HEX}{{8}}-{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{12}}(?![0-9a-zA-Z]))
  | (?P<pairs>(?<![0-9a-zA-Z])(?:{_HEX}{{2}}[ -]){{15}}{_HEX}{{2}}(?![0-9a-zA-Z]))
  | (?P<lun>(?<![0-9a-zA-Z])(?:naa|eui|vml|uuid)\.{_HEX}{{8,}})
  | (?P<wwn>(?<![0-9a-zA-Z:])(?:{_HEX}{{2}}:){{7}}{_HEX}{{2}}(?![0-9a-zA-Z:]))
  | (?P<mac>(?<![0-9a-zA-Z:])(?:{_HEX}{{2}}[:-]){{5}}{_HEX}{{2}}(?![0-9a-zA-Z:])
      |(?<![0-9a-zA-Z.])(?:{_HEX}{{4}}\.){{2}}{_HEX}{{4}}(?![0-9a-zA-Z.]))
  | (?P<ip>(?<![0-9.])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?:/\d{{1,2}})?(?![0-9.]*\d)
      |(?<![0-9a-zA-Z:])(?=[0-9a-fA-F:]*:[0-9a-fA-F:]*:)[0-9a-fA-F:]{{2,39}}
         (?:\d(?:\.\d{{1,3}}){{3}})?(?:/\d{{1,3}})?(?![0-9a-zA-Z:]))
  | (?P<hex>(?<![0-9a-zA-Z])(?=[a-fA-F]*\d)(?=\d*[a-fA-F]|\d{{12}}){_HEX}{{12,}}(?![0-9a-zA-Z]))
    """,
    re.VERBOSE,
)
_RUN = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"[^\W\d_]+|[0-9]+|.", re.DOTALL)
_CASES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]")
_SWITCHES = 3  # between letters and digits, from which a run of both is a code and no name
_MOREF = re.compile(r"(?P<kind>[a-zA-Z]+(?:-[a-z]+)?-?)(?P<number>\d{1,15})")
_VERSION = re.compile(r"[\d.]{1,32}(?: ?(?:U|u|SP|build-)\d+[a-z]?)?")


class Mask:
    """Pseudonyms of one run; ``met`` are the words that got one."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(key)
        self._addresses = Addresses(self._cipher)
        self._words: dict[str, str] = {}
        self._owner: dict[str, str] = {}  # pseudonym to its word
        self._texts: dict[tuple[str, int], str] = {}
        self._luns: tuple[str, ...] = ()

    def know_luns(self, names: frozenset[str]) -> None:
        """Tell the LUNs there are: their digits are found again inside longer identifiers."""
        digits = {name.partition(".")[2].casefold() for name in names if name.startswith(("naa.", "eui."))}
        self._luns = tuple(sorted(found for found in digits if len(found) >= 16))

    def coincidences(self) -> tuple[str, ...]:
        """Return pseudonyms that are by chance words of the original, of four letters and more."""
        return tuple(sorted(word for word in self._owner if word in self._words and len(word) >= 4))

    def text(self, text: str, shortest: int = 4) -> str:
        """Return the pseudonym of any text; numbers of fewer digits than ``shortest`` stay."""
        known = self._texts.get((text, shortest))
        if known is None:
            parts, at = [], 0
            for found in _FORMS.finditer(text):
                parts += [self._plain(text[at : found.start()], shortest), self._form(found)]
                at = found.end()
            parts.append(self._plain(text[at:], shortest))
            known = self._texts[text, shortest] = "".join(parts)
        return known

    def value(self, text: str) -> str:
        """Return the pseudonym of what people wrote: numbers of two digits and more are exchanged."""
        return self.text(text, shortest=2)

    def words(self, text: str) -> str:
        """Return text of a vocabulary, as names of systems: its numbers stay, foreign words do not."""
        return self.text(text, shortest=9)

    def version(self, text: str) -> str:
        """Return a version as it is; what does not look like one is any text."""
        return text if _VERSION.fullmatch(text) else self.text(text)

    def key(self, text: str) -> str:
        """Return a device's key as it is when it is a small number; else it is any text."""
        return text if text.isascii() and text.isdigit() and len(text) <= 9 else self.text(text)

    def identifier(self, text: str) -> str:
        """Return the pseudonym of an object's id: ``vm-1042``, a UUID, with or without its vCenter's id."""
        head, slash, tail = text.rpartition("/")
        found = _MOREF.fullmatch(tail)
        if found is None or (slash and not _FORMS.fullmatch(head)):
            return self.text(text)
        return f"{self.text(head)}{slash}{found['kind']}{self._number(found['number'])}"

    def serial(self, text: str) -> str:
        """Return the pseudonym of a serial number or licence key: letters for letters, digits for digits."""
        stream = self._cipher.stream("serial", text, len(text))
        out = []
        for char, byte in zip(text, stream, strict=True):
            if char.isdigit():
                out.append(str(byte % 10))
            elif char.isalpha():
                letter = chr(ord("a") + byte % 26)
                out.append(letter.upper() if char.isupper() else letter)
            else:
                out.append(_sign(char))
        return "".join(out)

    def _form(self, found: re.Match[str]) -> str:
        text, kind = found[0], found.lastgroup
        if kind == "time":
            return text
        if kind == "mac":
            return self._addresses.mac(text)
        if kind == "ip":
            return self._addresses.any(text) or self._plain(text, 4)
        if kind == "lun":
            head, _, digits = text.partition(".")
            return f"{head}.{self._lun(digits)}"
        digits = re.sub(r"[^0-9a-fA-F]", "", text)
        if kind == "hex":
            return as_written(self._lun(digits), text)
        return as_written(self._cipher.hexadecimal("hex", digits), text)

    def _lun(self, digits: str) -> str:
        """Return the digits of a LUN's id; the first one says its format, and a name inside is found."""
        plain = digits.casefold()
        inside = next((name for name in self._luns if name in plain), "") if len(plain) >= 16 else ""
        if inside and inside != plain:
            head, _, tail = plain.partition(inside)
            middle = self._lun(inside)
            return self._cipher.hexadecimal("lun", head) + middle + self._cipher.hexadecimal("lun", tail)
        image = plain[0] + self._cipher.hexadecimal("lun", plain)[1:]
        return as_written(image, digits)

    def _plain(self, text: str, shortest: int) -> str:
        parts, at = [], 0
        for found in _RUN.finditer(text):
            parts.append("".join(map(_sign, text[at : found.start()])))
            parts.append(self._run(found[0], shortest))
            at = found.end()
        parts.append("".join(map(_sign, text[at:])))
        return "".join(parts)

    def _run(self, run: str, shortest: int) -> str:
        tokens = _TOKEN.findall(run)
        kinds = [token.isdigit() for token in tokens]
        if sum(a != b for a, b in pairwise(kinds)) >= _SWITCHES and shortest < 9:
            return self._word(run)
        return "".join(self._token(token, shortest) for token in tokens)

    def _token(self, token: str, shortest: int) -> str:
        if not token.isascii():
            return self._word(token) if token.isalpha() else _sign(token)
        if token.isdigit():
            keeps = len(token) < shortest or (shortest > 2 and token in RELEASES)
            return token if keeps else self._number(token)
        if token.lower() in KEPT:
            return token
        return "".join(map(self._part, _CASES.findall(token)))

    def _part(self, part: str) -> str:
        """Return the pseudonym of letters between two case borders."""
        plain = part.lower()
        if len(part) == 1 or plain in KEPT:
            return part
        for affix in AFFIXES:
            if len(plain) - len(affix) >= 2:
                if plain.endswith(affix):
                    return self._part(part[: -len(affix)]) + part[-len(affix) :]
                if plain.startswith(affix):
                    return part[: len(affix)] + self._part(part[len(affix) :])
        return self._word(part)

    def _word(self, token: str) -> str:
        plain = token.lower()
        word = self._words.get(plain)
        if word is None:
            length = 5 if len(plain) < 4 else 6
            word = self._cipher.word(plain, length)
            # Two words that would fall together get a letter more, in the order of reading.
            while word in self._owner or word in KEPT:
                length += 1
                word = self._cipher.word(plain, length)
            self._words[plain], self._owner[word] = word, plain
        if token.isupper():
            return word.upper()
        return word.capitalize() if token[0].isupper() else word

    def _number(self, digits: str) -> str:
        width = len(digits)
        if digits[0] == "0" or width == 1:
            return f"{self._cipher.permute('number', int(digits), 10**width):0{width}d}"
        # A number that begins with no zero gets one that does not either.
        low = 10 ** (width - 1)
        return str(low + self._cipher.permute("number", int(digits) - low, 9 * low))


def _sign(char: str) -> str:
    """Return a sign as it is when it is printable ASCII; nothing else passes."""
    return char if char.isascii() and char.isprintable() else "_"

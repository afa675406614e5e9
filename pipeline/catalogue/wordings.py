"""Every wording that a barometer has of its variables and codes, and how alike two texts are.

The likeness of two texts is that of their character trigrams (Dice 1945): 2 |A and B| / (|A| + |B|). Every
wording counts: the codebook's, its translations and what questionnaires asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import Instrument, Question, item_key

# said in place of an answer, no answer given, never asked
SAID_LABEL = re.compile(
    r"(?:i )?(?:don'?t|do not|doesn'?t|does not) know.*|unknown|dk|dk/na|refus.*|prefer not .*"
    r"|would rather not .*|undecided|no opinion|vet ik[kj]e|ved ikke|vet inte|vet ej|en osaa sanoa|veit ekki",
    re.IGNORECASE,
)
UNANSWERED_LABEL = re.compile(
    r"no[ _](?:answer|response)|not (?:answered|stated|reached)|missing.*|omitted.*|n/?a|ei vastausta"
    r"|ubesvart|intet svar",
    re.IGNORECASE,
)
NOT_ASKED_LABEL = re.compile(
    r"(?:logically )?not applicable|inapplicable|not asked|not administered|valid skip|ikke aktuelt",
    re.IGNORECASE,
)
NO_ANSWER_LABEL = re.compile(
    f"{SAID_LABEL.pattern}|{UNANSWERED_LABEL.pattern}|{NOT_ASKED_LABEL.pattern}", re.IGNORECASE
)
NO_ANSWER_ABROAD = re.compile(
    r"wei(?:ß|ss) nicht.*|keine (?:angaben?|antwort).*|verweigert.*|trifft nicht zu"
    r"|(?:je )?ne sai[st] pas.*|nsp|sans r[eé]ponse|non[- ]r[eé]ponse|sans objet"
    r"|no sabe.*|ns ?/ ?n[cr]|no (?:contesta|responde).*|no (?:procede|aplica)"
    r"|weet (?:ik )?niet.*|geen (?:antwoord|mening).*|niet van toepassing"
    r"|non (?:sa|so|risponde).*|n[aã]o (?:sabe|sei|responde[ur]?).*|nie wiem.*|trudno powiedzie[cć].*"
    r"|odmowa.*|nev[ií]m.*|nem tudja.*|не знаю.*|затрудняюсь.*|нет ответа.*|отказ.*|わからない|無回答"
    r"|inap\.?|iap|not (?:ascertained|available|known|codeable|in universe)|niu|non-?response"
    r"|item non-?response|does not apply|can(?:no|')t (?:choose|say|remember)|hard to say"
    r"|legitimate skip|skipped|(?:i )?do not wish to .*|unknown\b.*|unwilling to .*",
    re.IGNORECASE,
)
NONE_LABEL = re.compile(
    r"(?:none|nothing|nobody|no one|ingen|inga|inget|ingenting|intet|ekkert|engin|ning[uú]n[oa]?|keine|geen"
    r"|aucune?)\b.*|ei mi(?:tään|kään)\b.*",
    re.IGNORECASE,
)
TICKED = re.compile(
    r"(?:selected|mentioned|ticked|checked|chosen|marked|valgt|nevnt|n[aæ]vnt|vald|valittu)", re.IGNORECASE
)
UNTICKED = re.compile(
    rf"(?:not|ikke|ikkje|inte|ej|ei|no|non)[ -]{TICKED.pattern}|un(?:selected|ticked|checked|marked)",
    re.IGNORECASE,
)
YES = re.compile(r"yes|y|ja|kyll[aä]|j[aá]|oui|s[ií]|sim|tak|ano|igen|da|да|так|evet|はい|是", re.IGNORECASE)
NO = re.compile(r"no|n|nei|nej|ei|nein|nee|non|n[aã]o|ne|nie|nem|nu|нет|ні|hay.r|いいえ|否", re.IGNORECASE)
# between question and item
SEPARATOR = re.compile(r"(?:[:?…]|\.\.\.)(?:\s+[-\u2013\u2014])?\s+|\s[-\u2013\u2014]\s+")
DENIAL = re.compile(
    r"\b(?:no|not|non|none|nor|never|nobody|nothing|neither|without|nei|nej|nein|nee|ikke|ikkje|icke|inte|ej|ei"
    r"|ekki|ingen|inga|inget|intet|aldri|aldrig|aldrei|enginn|uten|uden|utan|ohne|zonder|nicht|keine?|niet"
    r"|geen|nunca|nada|ninguno|ninguna|ningun|tampoco|nao|nem|sem|ne|aucune?|jamais|sans)\b"
)
UNLIKE = 0.25  # texts no more alike than this have little in common
MAX_PREFIX = 3  # letters of what may turn a word round: un-, dis-
MIN_STEM, MIN_SHARED = 4, 6  # letters of the word: without a prefix in one of two texts, with one in both


@dataclass(frozen=True)
class Target:
    """A harmonised variable with all known wordings of it and of its codes."""

    variable: str
    type: str  # background, single, multiple, grid or numeric
    texts: tuple[str, ...]  # what it is called as a whole: question, question and item, background variable
    items: tuple[str, ...]  # its item alone
    names: tuple[str, ...]  # its key and short names
    codes: Mapping[str, tuple[str, ...]]
    nonresponse: tuple[str, ...] = ()  # codes, or items, that are no substantive answer

    @property
    def words(self) -> tuple[str, ...]:
        """Whatever it may be called."""
        return (*self.items, *self.texts, *self.names)


def targets(catalogue: Catalogue, instrument: Instrument | None = None) -> list[Target]:
    """Every background and answer variable, in codebook order, with its texts in all languages.

    Those of one questionnaire count besides, or of all of them where none is named.
    """
    sources = _wording_sources(catalogue, instrument)
    found = []
    for variable in catalogue.variables.values():
        codes = {
            code_key: _wordings(sources, f"{variable.key}.codes.{code_key}", code_key, text)
            for code_key, text in variable.codes.items()
        }
        texts = _wordings(sources, f"{variable.key}.label", variable.label)
        found.append(Target(variable.key, "background", texts, (), (variable.key,), codes))
    for question in catalogue.questions.values():
        codes = {
            code_key: _wordings(sources, f"{question.key}.codes.{code_key}", code_key, text)
            for code_key, text in question.codes.items()
        }
        texts = _wordings(sources, f"{question.key}.text", question.text)
        absent = question.nonresponse
        names = tuple(filter(None, _wordings(sources, f"{question.key}.label", question.key, question.label)))
        for answer in question.answers:
            item = item_key(answer)
            if not item:
                found.append(Target(answer, question.type, texts, (), names, codes, absent))
                continue
            items = _wordings(sources, f"{question.key}.items.{item}", question.items[item])
            both = tuple(f"{text} {name}" for text in texts for name in items)
            found.append(
                Target(answer, question.type, both, items, (f"{question.key} {item}",), codes, absent)
            )
    return found


def _wording_sources(catalogue: Catalogue, only: Instrument | None) -> list[Mapping[str, str]]:
    """Texts by the codebook's keys, once for each language and questionnaire."""
    asked = [only] if only else catalogue.instruments.values()
    sources = [
        {key.partition(".")[2]: text for key, text in words.items()}
        for words in catalogue.translations.values()
    ]
    return sources + [instrument.wording for instrument in asked]


def _wordings(sources: Iterable[Mapping[str, str]], key: str, *own: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys([*own, *(label_source[key] for label_source in sources if label_source.get(key))])
    )


def says_no_answer(label: str, code: str = "") -> bool:
    """Whether a label says that there is no answer, in any of the languages known here.

    Its code before it, as in ``9 - Don't know``, brackets around it and what follows it in brackets count for
    nothing.
    """
    text = re.sub(r"[\u2018\u2019\u00b4`]", "'", label).strip()
    if code:
        text = re.sub(rf"^[(\[]?{re.escape(code)}[)\]]?[\s.:=)-]+", "", text)
    bare = re.sub(r"\s*[(\[][^)\]]*[)\]]$", "", text).strip() or text.strip("()[] ")
    return any(
        pattern.fullmatch(each)
        for each in {text, bare, plain(text)}
        for pattern in (NO_ANSWER_LABEL, NO_ANSWER_ABROAD)
    )


def says_none(question: Question) -> bool:
    """Whether a multiple question has an item to tick where nothing applies, or is known, or is said."""
    return bool(question.nonresponse) or any(
        NONE_LABEL.fullmatch(text) for item in question.items.items() for text in item
    )


@cache
def plain(text: str) -> str:
    """The words of a text: without case, accents and marks; a contracted ``not`` written out."""
    spelt = re.sub(r"n['\u2019]t\b", " not", text.casefold())
    letters = "".join(
        sign for sign in unicodedata.normalize("NFKD", spelt) if not unicodedata.combining(sign)
    )
    return " ".join("".join(sign if sign.isalnum() else " " for sign in letters).split())


def likeness(a: str, b: str) -> float:
    """How alike two texts are, from 0 to 1; 0 where one of them denies what the other one says."""
    first, second = _trigrams(a), _trigrams(b)
    if not (first and second):
        return 0.0
    alike = 2 * len(first & second) / (len(first) + len(second))
    return 0.0 if alike > UNLIKE and _opposite(plain(a), plain(b)) else alike


def _opposite(a: str, b: str) -> bool:
    """One of two texts has a word of denial, or one word in them differs by a short prefix: (un)important."""
    first, second = set(a.split()), set(b.split())
    denied = bool(DENIAL.search(a)) != bool(DENIAL.search(b))
    turned = any(_turned(word, other) for word in first - second for other in second - first)
    return denied != turned


def _turned(word: str, other: str) -> bool:
    """One word is the other with a prefix, or both have one before the same stem: increased, decreased."""
    endings = zip(reversed(word), reversed(other), strict=False)
    same = next((at for at, (a, b) in enumerate(endings) if a != b), min(len(word), len(other)))
    rests = len(word) - same, len(other) - same
    return max(rests) <= MAX_PREFIX and same >= (MIN_STEM if 0 in rests else MIN_SHARED)


@cache
def _trigrams(text: str) -> frozenset[str]:
    words = plain(text).split()
    return frozenset(f" {word} "[position : position + 3] for word in words for position in range(len(word)))

"""Name languages by BCP 47 tags, whatever a container or a file name calls them."""

from __future__ import annotations

import re

# ISO 639-2 in both of its forms to ISO 639-1, for the languages that subtitles come in.
_SHORT = dict[str, str](
    re.findall(
        r"(\w+):(\w+)",
        """
: afr:af alb:sq amh:am ara:ar arm:hy aze:az baq:eu bel:be ben:bn bos:bs bul:bg bur:my cat:ca
ces:cs chi:zh cze:cs dan:da deu:de dut:nl ell:el eng:en est:et eus:eu fas:fa fil:fil fin:fi
        fra:fr fre:fr geo:ka ger:de gle:ga glg:gl gre:el guj:gu heb:he hin:hi hrv:hr hun:hu hye:hy
        ice:is ind:id isl:is ita:it jpn:ja kan:kn kat:ka kaz:kk khm:km kor:ko lao:lo lat:la lav:lv
        lit:lt mac:mk mal:ml mar:mr may:ms mkd:mk mon:mn msa:ms mya:my nep:ne nld:nl nob:nb nor:no
        nno:nn pan:pa per:fa pol:pl por:pt ron:ro rum:ro rus:ru sin:si slk:sk slo:sk slv:sl spa:es
        sqi:sq srp:sr swa:sw swe:sv tam:ta tel:te tgl:tl tha:th tur:tr ukr:uk urd:ur uzb:uz vie:vi
        wel:cy cym:cy zho:zh zul:zu
        """,
    )
)
_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|\d{3}))?", re.IGNORECASE)
# What players put into names of files beside or instead of a language.
_NO_LANGUAGE = frozenset({"und", "mul", "zxx", "mis", "cc", "sdh", "hi"})


def language_tag(told: str | None) -> str | None:
    """Return the tag of a language such as `ger`, `en_US` or `pt-BR.forced`; None for no language.

    Example: `ger` is `de`, `zh_hant_tw` is `zh-Hant-TW`. Two letters are taken as they are, but
    for `hi`, which names of files use for the hearing impaired unless it stands alone.
    """
    parts = [part for part in (told or "").split(".") if part]
    for part in parts:
        found = _TAG.fullmatch(part)
        if not found or (part.lower() in _NO_LANGUAGE and (part.lower() != "hi" or len(parts) > 1)):
            continue
        language = found[1].lower()
        if len(language) == 3 and language not in _SHORT:
            continue
        tag = _SHORT.get(language, language)
        script = f"-{found[2].title()}" if found[2] else ""
        region = f"-{found[3].upper()}" if found[3] else ""
        return f"{tag}{script}{region}"
    return None

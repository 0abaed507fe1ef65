"""From a job title to a function, where its words leave no doubt. Pure."""

import re

from schemas.directory import Function

# Words of English and German are whole; Chinese has no gaps between words. What several lines claim is left open.
_TITLES: tuple[tuple[Function, str], ...] = (
    (Function.executive, r"ceo|coo|cfo|chief executive( officer)?|chief operating officer|chief financial officer"),
    (Function.executive, r"managing director|founder|co-founder"),
    (Function.executive, r"geschäftsführer(in)?|geschäftsführung|vorstand|inhaber(in)?"),
    (Function.executive, r"首席执行官|总经理|总裁|董事长|执行董事"),
    (Function.purchasing_head, r"(head|director|vp|manager) of (purchasing|procurement)"),
    (Function.purchasing_head, r"(purchasing|procurement) (manager|director|lead)|chief procurement officer"),
    (Function.purchasing_head, r"einkaufsleiter(in)?|(leiter(in)?|leitung) (des )?einkaufs?"),
    (Function.purchasing_head, r"采购总监|采购经理|采购部长|采购主管"),
    (Function.purchaser, r"purchaser|buyer|(purchasing|procurement) (specialist|agent|officer)"),
    (Function.purchaser, r"(strategische[r]? )?einkäufer(in)?"),
    (Function.purchaser, r"采购员|采购专员|采购工程师"),
    (Function.technical_lead, r"tech(nical)? lead|head of (engineering|it|technology|software development)"),
    (Function.technical_lead, r"technische[r]? leiter(in)?|technische leitung"),
    (Function.technical_lead, r"it-leiter(in)?|leiter(in)? it|entwicklungsleiter(in)?"),
    (Function.technical_lead, r"技术总监|技术负责人|技术经理"),
    (Function.technician, r"(\w+ )?technician|\w*techniker(in)?|mechatroniker(in)?"),
    (Function.technician, r"技术员|技师"),
)
_HEADS = (
    r"head of \w+|department (head|manager)|plant manager"
    r"|abteilungsleiter(in)?|bereichsleiter(in)?|leiter(in)? \w+|\w+sleiter(in)?|werkleiter(in)?"
    r"|部门经理|部门主管|部长"
)
# Who works for a head, stands in for one, or was one is not that head.
_DOUBTS = (
    r"assistan\w*|secretary|deputy|vice|intern|trainee|former|ex|to the"
    r"|assistenz|sekretär(in)?|stellv\w*|werkstudent(in)?|praktikant(in)?|auszubildende[r]?|ehemalige[r]?"
    r"|projektleiter(in)?|teamleiter(in)?"
    r"|助理|秘书|副\w*|前|实习\w*"
)


def function_of(title: str) -> Function | None:
    """Return the function that a title in English, German or Chinese names without doubt, or None."""
    text = re.sub(r"[*:/]-?in\b|\(in\)", "", " ".join(title.casefold().split()))  # Einkäufer*in, Leiter(in)
    if _has(_DOUBTS, text):
        return None
    found = {function for function, words in _TITLES if _has(words, text)}
    if not found and _has(_HEADS, text):
        return Function.department_head
    return found.pop() if len(found) == 1 else None


def _has(words: str, text: str) -> bool:
    if re.search(rf"(?<!\w)(?:{words})(?!\w)", text):
        return True
    chinese = "|".join(part for part in words.split("|") if re.fullmatch(r"[\u4e00-\u9fff]+(\\w\*)?", part))
    return bool(chinese and re.search(chinese, text))
